use super::{Asked, Became, Executing, became, not_stopped};
use crate::programs::FileIdentity;
use crate::ptrace;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Set for the process that executes a program, to the test's own name.
const EXECUTES: &str = "BAILIWICK_TEST_EXECUTES";
const NAME: &str = "opener::trace::tests::a_thread_that_got_its_process_s_number_between_two_looks_has_executed_a_program";

/// No number of a process.
const NO_AGENT: i32 = 0;
const DEADLINE: Duration = Duration::from_secs(20);

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

fn executing(task: i32, process: i32) -> Executing {
    let asked = Asked { path: "/bin/cat".into(), identity: FileIdentity { device: 0, inode: 0, bytes: 0, changed: (0, 0) } };
    Executing { task, process, asked, is_killed: false }
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// Whether a process or thread was ended, and nobody has taken it in.
fn is_zombie(task: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{task}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

fn is_there(task: i32) -> bool {
    std::fs::exists(format!("/proc/{task}")).unwrap()
}

/// The number of a process that says it when it runs what it executed, and waits.
fn said(child: &mut Child) -> i32 {
    BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap().parse().unwrap()
}

/// A program of Python's that says its number, and goes on with this.
fn saying(then: &str) -> String {
    format!("import ctypes, os, threading, time; print(os.getpid(), flush=True); {then}")
}

#[test]
fn one_that_is_killed_while_it_is_traced_is_taken_in_so_that_its_parent_goes_on() {
    let waits = format!("python3 -c '{}' & wait", saying("time.sleep(60)"));
    let mut shell = Command::new("sh").args(["-c", &waits]).stdout(Stdio::piped()).spawn().unwrap();
    let task = said(&mut shell);
    let one = executing(task, task);
    ptrace::seize(task).unwrap();
    assert_eq!(became(&one, NO_AGENT), None, "it runs");
    super::kill(task);
    until("it was killed", || is_zombie(task));
    assert_eq!(became(&one, NO_AGENT), Some(Became::Gone));
    until("the shell went on", || is_zombie(i32::try_from(shell.id()).unwrap()));
    shell.wait().unwrap();
}

#[test]
fn the_agents_own_end_is_left_to_whoever_waits_for_it() {
    let mut agent = Command::new("python3").args(["-c", &saying("time.sleep(60)")]).stdout(Stdio::piped()).spawn().unwrap();
    let task = said(&mut agent);
    ptrace::seize(task).unwrap();
    super::kill(task);
    until("it was killed", || is_zombie(task));
    assert_eq!(became(&executing(task, task), task), Some(Became::Gone));
    assert!(is_there(task));
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&agent.wait().unwrap()), Some(9));
}

#[test]
fn a_thread_of_a_process_that_is_killed_is_taken_in() {
    let (mut child, task) = traced();
    let process = i32::try_from(child.id()).unwrap();
    super::kill(process);
    let of_process = format!("/proc/{process}/task/{task}/stat");
    let is_ended = || std::fs::read_to_string(&of_process).is_ok_and(|stat| stat.contains(") Z "));
    until("it was killed", is_ended);
    assert_eq!(became(&executing(task, process), NO_AGENT), Some(Became::Gone));
    // The process ends only when its threads have been taken in.
    until("its process ended", || child.try_wait().unwrap().is_some());
}

#[test]
fn a_first_thread_that_ended_is_waited_for_until_its_process_has() {
    let program = saying("input(); threading.Thread(target=time.sleep, args=(60,)).start(); ctypes.CDLL(None).pthread_exit(0)");
    let mut python = Command::new("python3").args(["-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let task = said(&mut python);
    ptrace::seize(task).unwrap();
    python.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    until("its first thread ended", || is_zombie(task));
    assert_eq!(became(&executing(task, task), NO_AGENT), None, "its process lives");
    python.kill().unwrap();
    until("the end was taken in", || became(&executing(task, task), NO_AGENT) == Some(Became::Gone));
    assert!(!is_there(task));
}

#[test]
fn a_thread_that_got_its_process_s_number_between_two_looks_has_executed_a_program() {
    if std::env::var_os(EXECUTES).is_some() {
        return execute();
    }
    let (mut child, task) = traced();
    let process = i32::try_from(child.id()).unwrap();
    let one = executing(task, process);
    assert_eq!(not_stopped(&one, NO_AGENT), None, "it waits");
    child.stdin.as_mut().unwrap().write_all(b"g").unwrap();
    let deadline = Instant::now() + DEADLINE;
    // The look whether it stopped is over: its number goes away after that.
    let became = loop {
        if let Some(became) = not_stopped(&one, NO_AGENT) {
            break became;
        }
        assert!(Instant::now() < deadline, "it did not execute");
        std::thread::yield_now();
    };
    assert_eq!(became, Became::Program);
    ptrace::detach(process, 0).unwrap();
    assert!(child.wait().unwrap().success());
}
