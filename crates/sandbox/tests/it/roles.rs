use crate::{as_ordinary_user, example};
use std::process::Command;

fn holds(check: &str) {
    for command in [Command::new(example("role")), as_ordinary_user("role")] {
        let mut command = command;
        let output = command.arg(check).env("UPSTREAM_KEY", "do-not-leak").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_role_keeps_the_descriptors_that_are_listed_and_no_other() {
    holds("descriptors");
}

#[test]
fn a_role_shows_no_environment_and_no_arguments() {
    holds("memory");
}

#[test]
fn a_process_with_threads_cannot_start_a_role() {
    holds("threads");
}

#[test]
fn a_panic_in_a_role_is_its_exit_code() {
    holds("panic");
}
