//! Escapes, tried for real from inside a session; what counts is the effect on the host.
//!
//! `spawn` wants a process with one thread, so each test runs the example program `session`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod door;
mod files;
mod processes;

use std::path::PathBuf;
use std::process::{Command, Output};

/// The example program, built beside this test.
fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/session")
}

/// A session whose options lack what this crate's other half has not built yet, and what root cannot have.
fn session(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(program());
    command.args(["allow=seccomp", "allow=rlimits", "pipe"]).args(options).args(["--", "/bin/sh", "-c", script]);
    command
}

fn run(options: &[&str], script: &str) -> Output {
    session(options, script).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
