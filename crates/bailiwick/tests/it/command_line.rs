use crate::place::{Place, stderr, stdout};
use std::process::Command;

#[test]
fn every_error_of_a_policy_is_listed_with_its_line() {
    let place = Place::new();
    let file = place.path("elsewhere").join("wrong.toml");
    std::fs::write(
        &file,
        "version = 1\nprofil = \"x\"\n[session]\ntrust_minimum = \"nobody\"\n[classes.personal]\nboundaries = [\"mars\"]\n",
    )
    .unwrap();
    let name = file.to_str().unwrap();
    let output = place.bailiwick(&["policy", "check", name]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for line in [2, 4, 6] {
        assert!(stderr(&output).contains(&format!("{name}:{line}:")), "{}", stderr(&output));
    }
    let output = place.bailiwick(&["policy", "check", "--json", name]).output().unwrap();
    let checked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["valid"], false);
    assert!(checked["errors"].as_array().unwrap().len() >= 3);
    // Not 1, which an agent could end with.
    assert_eq!(place.bailiwick(&["run", "--policy", name, "--", "true"]).output().unwrap().status.code(), Some(125));
}

#[test]
fn built_in_profiles_are_valid_and_can_be_printed() {
    let place = Place::new();
    for profile in ["pilot", "regulated"] {
        assert!(place.bailiwick(&["policy", "check", profile]).output().unwrap().status.success());
        assert!(stdout(&place.bailiwick(&["policy", "show", profile]).output().unwrap()).contains(&format!("profile = \"{profile}\"")));
    }
}

#[test]
fn a_dry_run_starts_nothing() {
    let place = Place::new();
    let output = place.bailiwick(&["run", "--dry-run", "--upstream", "echo", "--", "sh"]).output().unwrap();
    assert!(output.status.success());
    assert!(stdout(&output).contains("nothing was started"));
    assert_eq!(std::fs::read_dir(place.path("state")).unwrap().count(), 0);
}

#[test]
fn a_dry_run_refuses_what_the_session_would_refuse_and_records_nothing() {
    let place = Place::new();
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    let policy = place.path("elsewhere").join("policy.toml");
    let dry = |text: &str, program: &str| {
        std::fs::write(&policy, text).unwrap();
        place.bailiwick(&["run", "--dry-run", "--policy", policy.to_str().unwrap(), "--", program]).output().unwrap()
    };
    let listed = pilot
        .replace("rule = \"any\"", "rule = \"listed\"")
        .replace("debuggers = true", "debuggers = true\n\n[[session.programs.allowed]]\npath = \"/bin/sh\"");
    let pinned = format!("{pilot}\n[[session.agents]]\nname = \"sh\"\nsha256 = \"{}\"\n", "0".repeat(64));
    for (text, program) in [(&listed, "env"), (&pinned, "sh")] {
        let output = dry(text, program);
        assert_eq!(output.status.code(), Some(125), "{}", stdout(&output));
        assert!(stderr(&output).contains("the policy refuses this session"), "{}", stderr(&output));
    }
    let output = dry(&listed, "sh");
    assert!(stdout(&output).contains("may run     listed (1 entries); files of the workspace recorded"), "{}", stdout(&output));
    assert_eq!(std::fs::read_dir(place.path("state")).unwrap().count(), 0);
}

#[test]
fn a_dry_run_shows_the_rules_that_would_hold() {
    let place = Place::new();
    let output = place.bailiwick(&["run", "--dry-run", "--json", "--stage", "--", "/bin/sh"]).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sha256 = Command::new("sha256sum").arg("/bin/sh").output().unwrap();
    assert_eq!(shown["agent"]["sha256"].as_str(), stdout(&sha256).split_whitespace().next());
    assert_eq!(shown["agent"]["name"], "sh");
    assert_eq!((shown["agent"]["pins"].as_u64(), shown["program_rules"]["rule"].as_str()), (Some(0), Some("any")));
    assert_eq!((shown["snapshot"]["mode"].as_str(), shown["probes"]["period_seconds"].as_u64()), (Some("stage"), Some(300)));
    assert_eq!(shown["limits"]["open_files_max"], 4096);
    assert!(shown["private"]["tmp_bytes_max"].as_u64() > Some(0));
    assert_eq!(place.bailiwick(&["run", "--json", "--", "true"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_policy_that_says_nothing_about_programs_is_warned_of() {
    let place = Place::new();
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    let policy = place.path("elsewhere").join("policy.toml");
    std::fs::write(&policy, pilot.replace("rule = \"any\"", "")).unwrap();
    let name = policy.to_str().unwrap();
    let warning = "[session.programs] has no rule";
    let checked = place.bailiwick(&["policy", "check", name]).output().unwrap();
    assert!(checked.status.success() && stderr(&checked).contains(warning), "{}", stderr(&checked));
    let checked: serde_json::Value =
        serde_json::from_slice(&place.bailiwick(&["policy", "check", name, "--json"]).output().unwrap().stdout).unwrap();
    assert!(checked["warnings"][0].as_str().unwrap().starts_with(warning));
    assert!(stderr(&place.run(&["--policy", name], "true")).contains(warning));
    // Neither built-in profile leaves it open.
    for profile in ["pilot", "regulated"] {
        let checked = place.bailiwick(&["policy", "check", profile]).output().unwrap();
        assert_eq!(stderr(&checked), "", "{profile}");
    }
    assert!(!stderr(&place.run(&[], "true")).contains("warning"));
}

#[test]
fn what_an_agent_could_write_or_read_is_refused() {
    let place = Place::new();
    let inside = |name: &str| place.path("workspace").join(name);
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    std::fs::write(inside("policy.toml"), &pilot).unwrap();
    std::fs::write(inside("key"), "vendor-key-1234567890").unwrap();
    std::os::unix::fs::symlink(place.path("elsewhere").join("target"), inside("report.json")).unwrap();
    let code = |options: &[&str]| place.run(options, "true").status.code();
    assert_eq!(code(&["--policy", "policy.toml"]), Some(125));
    let upstream = ["--upstream", "openai=https://models.example/v1"];
    assert_eq!(code(&[upstream[0], upstream[1], "--upstream-key-file", "key"]), Some(125));
    assert_eq!(code(&[upstream[0], upstream[1], "--upstream-key-env", "KEY", "--env", "KEY=x"]), Some(125));
    // A link that an agent left where the report is to be written.
    assert_eq!(code(&["--report-json", "report.json"]), Some(3));
    assert!(!place.path("elsewhere").join("target").exists());
    assert_eq!(code(&["--timings", "report.json"]), Some(3));
    assert!(!place.path("elsewhere").join("target").exists());
    assert_eq!(code(&["--report-json", "fresh.json"]), Some(0));
    assert!(std::fs::read_to_string(inside("fresh.json")).unwrap().contains("session_id"));
}

#[test]
fn timings_name_the_steps_of_both_processes_in_order() {
    let place = Place::new();
    let output = place.run(&["--upstream", "echo", "--timings", "timings.json"], "exit 7");
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let text = std::fs::read(place.path("workspace").join("timings.json")).unwrap();
    let processes: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    let times = |process: &serde_json::Value| {
        let done = process["steps"].as_array().unwrap().iter().map(|step| step["done_ns"].as_u64().unwrap());
        [process["began_ns"].as_u64().unwrap()].into_iter().chain(done).collect::<Vec<_>>()
    };
    let [supervisor, warden] = &processes[..] else { panic!("{processes:?}") };
    assert_eq!((&supervisor["process"], &warden["process"]), (&"supervisor".into(), &"warden".into()));
    let (outer, inner) = (times(supervisor), times(warden));
    assert!(outer.is_sorted() && inner.is_sorted(), "{processes:?}");
    assert!(outer.first() < inner.first() && inner.last() < outer.last(), "{processes:?}");
    let done_at = |process: &serde_json::Value, name: &str| {
        let steps = process["steps"].as_array().unwrap();
        steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("{name}: {process}"))["done_ns"].as_u64().unwrap()
    };
    // No agent before the walls were tried and the start is on record.
    let (tried, recorded) = (done_at(warden, "make the probes"), done_at(supervisor, "put the start on record"));
    assert!(tried < recorded && recorded < done_at(supervisor, "start the agent"), "{processes:?}");
}

#[test]
fn the_doctor_says_whether_sessions_can_start() {
    let place = Place::new();
    let output = place.bailiwick(&["doctor", "--json"]).output().unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings["walls"].as_array().unwrap().len(), 17);
    assert_eq!(output.status.code(), Some(i32::from(findings["sessions_can_start"] != true)));
}

#[test]
fn the_doctor_does_not_promise_sessions_that_the_profile_refuses() {
    let place = Place::new();
    let output = place.bailiwick(&["doctor", "--profile", "regulated"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("cannot start here"), "{}", stdout(&output));
    assert!(stdout(&output).contains("regulated/session.trust_minimum"), "{}", stdout(&output));
    let output = place.bailiwick(&["run", "--profile", "regulated", "--", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("endpoint service"), "{}", stderr(&output));
}

#[test]
fn a_session_without_the_key_of_its_upstream_does_not_start() {
    let place = Place::new();
    let marker = place.path("workspace").join("marker");
    let missing = place.path("elsewhere").join("key");
    for key in [["--upstream-key-env", "BAILIWICK_TEST_ABSENT"], ["--upstream-key-file", missing.to_str().unwrap()]] {
        let options = [&["--upstream", "openai=http://127.0.0.1:9/v1"][..], &key].concat();
        let output = place.run(&options, "touch marker");
        assert_eq!(output.status.code(), Some(125), "{}", stderr(&output));
        assert!(stderr(&output).contains("the key of upstream"), "{}", stderr(&output));
        assert!(!marker.exists());
    }
}

/// Every command that a user can see.
fn commands(place: &Place, above: &[&str], page: &mut String) {
    let help = stdout(&place.bailiwick(&[above, &["--help"]].concat()).env("COLUMNS", "100").output().unwrap());
    let name = [&["bailiwick"], above].concat().join(" ");
    page.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", help.trim_end()));
    let listed = help.split_once("Commands:\n").map_or("", |(_, rest)| rest.split_once("\n\n").map_or(rest, |(list, _)| list));
    let names = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for below in names.filter(|name| !name.is_empty() && *name != "help") {
        commands(place, &[above, &[below]].concat(), page);
    }
}

#[test]
fn the_reference_says_what_help_says() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/command-line.md");
    let mut page = include_str!("command_line.head.txt").to_owned();
    commands(&Place::new(), &[], &mut page);
    if std::env::var_os("BAILIWICK_WRITE_REFERENCE").is_some() {
        std::fs::write(file, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(file).is_ok_and(|written| written == page),
        "write it anew: BAILIWICK_WRITE_REFERENCE=1 cargo test -p bailiwick the_reference"
    );
}

#[test]
fn completions_and_man_pages_are_made() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&place.bailiwick(&["completions", shell]).output().unwrap()).contains("evidence"));
    }
    let folder = place.path("elsewhere").join("man");
    assert!(place.bailiwick(&["man", folder.to_str().unwrap()]).output().unwrap().status.success());
    assert!(folder.join("bailiwick-run.1").exists());
}

#[test]
fn a_standalone_gateway_refuses_who_shows_no_token() {
    let place = Place::new();
    let config = place.path("elsewhere").join("gateway.toml");
    std::fs::write(&config, "version = 1\nlisten = \"0.0.0.0:80\"\n").unwrap();
    let output = place.bailiwick(&["gateway", "--check", "--config", config.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("gateway.toml:2:"), "{}", stderr(&output));
}
