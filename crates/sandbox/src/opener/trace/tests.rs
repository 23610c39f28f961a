use super::{Asked, Became, Executing, not_stopped};
use crate::programs::FileIdentity;
use crate::ptrace;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Set for the process that executes a program, to the test's own name.
const EXECUTES: &str = "BAILIWICK_TEST_EXECUTES";
const NAME: &str = "opener::trace::tests::a_thread_that_got_its_process_s_number_between_two_looks_has_executed_a_program";

/// What the test's program does as the process that is traced: one thread, which is not the first, says its number, waits, and executes.
fn execute() {
    writeln!(std::io::stdout(), "thread {}", rustix::thread::gettid().as_raw_pid()).unwrap();
    let _go = std::io::stdin().read(&mut [0]).unwrap();
    panic!("{}", Command::new("cat").stdin(Stdio::null()).exec());
}

/// The traced process, and the number of its thread that will execute.
fn traced() -> (Child, i32) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    // Two, so that the test runner makes a thread for it.
    command.args(["--exact", NAME, "--nocapture", "--test-threads=2"]).env(EXECUTES, "1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let task = lines.find_map(|line| line.strip_prefix("thread ")?.parse().ok()).unwrap();
    assert_ne!(task, i32::try_from(child.id()).unwrap());
    ptrace::seize(task).unwrap();
    (child, task)
}

#[test]
fn a_thread_that_got_its_process_s_number_between_two_looks_has_executed_a_program() {
    if std::env::var_os(EXECUTES).is_some() {
        return execute();
    }
    let (mut child, task) = traced();
    let process = i32::try_from(child.id()).unwrap();
    let asked = Asked { path: "/bin/cat".into(), identity: FileIdentity { device: 0, inode: 0, bytes: 0, changed: (0, 0) } };
    let one = Executing { task, process, asked, is_killed: false };
    assert_eq!(not_stopped(&one), None, "it waits");
    child.stdin.as_mut().unwrap().write_all(b"g").unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    // The look whether it stopped is over: its number goes away after that.
    let became = loop {
        if let Some(became) = not_stopped(&one) {
            break became;
        }
        assert!(Instant::now() < deadline, "it did not execute");
        std::thread::yield_now();
    };
    assert_eq!(became, Became::Program);
    ptrace::detach(process, 0).unwrap();
    assert!(child.wait().unwrap().success());
}
