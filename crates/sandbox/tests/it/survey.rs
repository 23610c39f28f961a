use crate::{as_ordinary_user, example, ordinary, text};
use sandbox::Wall;
use std::process::Command;

fn lines(mut command: Command) -> Vec<String> {
    text(&command.output().unwrap()).lines().map(str::to_owned).collect()
}

fn of(lines: &[String], wall: Wall) -> String {
    lines.iter().find_map(|line| line.strip_prefix(&format!("{wall} "))).unwrap().to_owned()
}

#[test]
fn the_walls_that_a_session_had_are_available() {
    for command in [Command::new(example("survey")), as_ordinary_user("survey")] {
        let lines = lines(command);
        let (release, abi) = lines[0].split_once(' ').unwrap();
        assert_eq!(release, std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim());
        assert!(abi.parse::<u32>().unwrap() >= 2);
        assert_eq!(lines.len(), Wall::ALL.len() + 1);
        for wall in [Wall::UserNamespace, Wall::MinimalRoot, Wall::Landlock, Wall::NoCapabilities, Wall::Rlimits] {
            assert!(of(&lines, wall).starts_with("true held"), "{lines:?}");
        }
    }
}

#[test]
fn without_user_namespaces_it_says_which_setting_and_what_to_do() {
    let program = example("survey");
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\"";
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "/bin/sh", "-c", script]).arg(&program);
    let mut without = Command::new("unshare");
    without.args(["--user", "--map-root-user", "/bin/sh", "-c", script]).arg(&program);
    for command in [command, ordinary(without)] {
        let lines = lines(command);
        let found = of(&lines, Wall::UserNamespace);
        assert!(found.starts_with("false"), "{found}");
        assert!(found.contains("user.max_user_namespaces is 0"), "{found}");
        assert!(found.contains("allow user namespaces"), "{found}");
        assert!(of(&lines, Wall::Landlock).starts_with("false it cannot be built without user_namespace"));
    }
}

#[test]
fn a_survey_leaves_nothing_and_is_quick() {
    let started = std::time::Instant::now();
    let before = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    lines(Command::new(example("survey")));
    assert!(started.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!(std::fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
}
