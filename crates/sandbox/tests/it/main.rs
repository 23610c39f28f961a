//! Escapes, tried for real from inside a session; what counts is the effect on the host.
//!
//! `spawn` wants a process with one thread, so each test runs the example program `session`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod attempts;
mod calls;
mod confined;
mod debuggers;
mod door;
mod escapes;
mod files;
// Its programs make calls by the numbers of this architecture.
#[cfg(target_arch = "x86_64")]
mod guards;
mod limits;
mod lines;
#[path = "../../build/list.rs"]
mod list;
mod opens;
mod probes;
mod processes;
mod programs;
mod roles;
mod survey;
#[cfg(feature = "danger-weaken")]
mod weakened;

use std::path::PathBuf;
use std::process::{Command, Output};

/// A user id without account.
const ORDINARY_ID: u32 = 61_234;

/// The example program `session`.
fn program() -> PathBuf {
    example("session")
}

/// An example program, built beside this test.
fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples").join(name)
}

/// The same for an ordinary user: whoever runs the tests, or, as root, a user id that owns nothing.
fn as_ordinary_user(name: &str) -> Command {
    ordinary(Command::new(example(name)))
}

fn ordinary(mut command: Command) -> Command {
    if rustix::process::geteuid().is_root() {
        std::os::unix::process::CommandExt::uid(&mut command, ORDINARY_ID);
        std::os::unix::process::CommandExt::gid(&mut command, ORDINARY_ID);
    }
    command
}

/// A session without what root cannot have.
fn session(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(program());
    command.args(["pipe"]).args(options).args(["--", "/bin/sh", "-c", script]);
    command
}

fn run(options: &[&str], script: &str) -> Output {
    session(options, script).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits for what the kernel does in its own time.
fn until(done: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !done() {
        assert!(std::time::Instant::now() < deadline, "it did not happen in ten seconds");
        std::thread::yield_now();
    }
}
