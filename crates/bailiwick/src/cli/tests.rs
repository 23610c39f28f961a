use super::*;
use clap::CommandFactory;

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn an_agents_own_options_are_left_to_it() {
    let cli = Cli::try_parse_from(["bailiwick", "run", "--upstream", "echo", "--", "claude", "-p", "--report"]).unwrap();
    let Command::Run(run) = cli.command else { panic!("another command") };
    assert_eq!(run.command, ["claude", "-p", "--report"]);
    assert!(!run.report);
    let without_dashes = Cli::try_parse_from(["bailiwick", "run", "aider", "--docs", "x"]).unwrap();
    let Command::Run(run) = without_dashes.command else { panic!("another command") };
    assert_eq!(run.command, ["aider", "--docs", "x"]);
    assert!(run.documents.is_empty());
}

#[test]
fn what_contradicts_itself_is_refused() {
    for line in [
        &["bailiwick", "run"][..],
        &["bailiwick", "run", "--profile", "pilot", "--policy", "x.toml", "--", "true"],
        &["bailiwick", "run", "--upstream-key-env", "KEY", "--", "true"],
        &["bailiwick", "gateway"],
        &["bailiwick", "policy", "show", "other"],
    ] {
        assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
    }
}
