use crate::{program, run, session, text, until};
use std::io::Read;
use std::process::{Command, Stdio};

/// Processes of the host with this argument.
fn with_argument(argument: &str) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    folders
        .filter(|entry| {
            std::fs::read(entry.path().join("cmdline")).is_ok_and(|line| line.split(|b| *b == 0).any(|one| one == argument.as_bytes()))
        })
        .count()
}

#[test]
fn process_1_keeps_its_limits() {
    let limits = "head -n 8 /proc/1/limits | grep -E 'open files|cpu time'";
    let output =
        run(&["reports"], &format!("{limits}; prlimit --pid 1 --nofile=0:0 --cpu=1:1 && echo changed; {limits}; prlimit --pid 1 --cpu"));
    let said = text(&output);
    assert!(!said.contains("changed") && said.contains("CPU"), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("Max ")).collect();
    let (before, after) = lines.split_at(lines.len() / 2);
    assert!(!before.is_empty() && before == after, "{said}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("call prlimit64"));
}

#[test]
fn no_limit_gives_the_hosts_crash_handler_a_core_dump() {
    // With zero in place of one byte, the kernel would hand a dump to the program that `kernel.core_pattern` names (core(5)).
    let limit = "head -n 6 /proc/self/limits | grep core";
    let program = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); print(open('/proc/self/limits').read())";
    let more = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (2, 2))";
    let with_old = "import resource; resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))";
    let other = "import os, resource; resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (0, 0))";
    let refused = [more, with_old, other].map(|program| format!("python3 -c '{program}' 2>/dev/null || {limit}")).join("; ");
    let script =
        format!("{limit}; ulimit -c 0 && echo set; {limit}; python3 -c \"{program}\" | grep core; {refused}; ulimit -n 9 && ulimit -n");
    for mut session in [crate::session(&["reports"], &script), crate::ordinary(crate::session(&["reports"], &script))] {
        let output = session.output().unwrap();
        let (said, told) = (text(&output), String::from_utf8_lossy(&output.stderr).into_owned());
        let lines = said.lines().filter(|line| line.contains("core"));
        let limits: Vec<Vec<&str>> = lines.map(|line| line.split_whitespace().skip(4).take(2).collect()).collect();
        assert!(said.contains("set") && limits.len() == 6 && limits.iter().all(|one| *one == ["1", "1"]), "{said} {told}");
        // Other limits are the agent's.
        assert!(said.ends_with("\n9\n") && told.contains("call prlimit64"), "{said} {told}");
    }
}

#[test]
fn the_filter_was_tried_from_inside() {
    let output = run(&["verbose", "observe"], "true");
    let lines = String::from_utf8_lossy(&output.stderr).into_owned();
    for wall in ["seccomp", "file_observation"] {
        assert!(lines.contains(&format!("{wall} held")), "{lines}");
    }
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let output = Command::new(program()).args(["--", "/bin/nonesuch"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/bin/nonesuch"));
}

#[test]
fn the_callers_environment_is_not_inside() {
    let mut command = session(&[], "exec 2>&1; cat /proc/*/environ; cat /proc/*/cmdline; env");
    let output = command.env("UPSTREAM_KEY", "do-not-leak").output().unwrap();
    assert!(!text(&output).contains("do-not-leak"));
}

#[test]
fn no_descriptor_is_inherited() {
    let output = run(&[], "ls /proc/self/fd");
    // 3 is the listing's own.
    assert_eq!(text(&output), "0\n1\n2\n3\n");
}

#[test]
fn the_agent_shares_no_process_group_and_gets_no_terminal() {
    let program = r#"
import errno, os, signal
def check(name, holds): print(name) if not holds else None
def error(act):
    try: act(); return 0
    except OSError as e: return e.errno
check("a group of its own", os.getpgrp() == os.getpid())
check("no terminal", error(lambda: os.open("/dev/tty", os.O_RDWR)) == errno.ENXIO)
check("no session to leave", error(os.setsid) == errno.EPERM)
# The warden and process 1 would end by it.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
check("to its group", error(lambda: os.kill(0, signal.SIGTERM)) == 0)
main, other = os.openpty()
check("none acquired", error(lambda: os.close(os.open(os.ttyname(other), os.O_RDWR))) == 0 and error(lambda: os.open("/dev/tty", os.O_RDWR)) == errno.ENXIO)
print("done")
"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program.py");
    std::fs::write(&file, program).unwrap();
    let mount = format!("ro={}", folder.path().display());
    for options in [&["observe", &mount][..], &[&mount]] {
        let output = run(options, &format!("exec /usr/bin/python3 {} 2>&1", file.display()));
        assert_eq!((text(&output).as_str(), output.status.code()), ("done\n", Some(0)), "{options:?}");
    }
}

#[test]
fn survivors_end_with_the_agent() {
    let mark = format!("77{}", std::process::id());
    let output = run(&[], &format!("sleep {mark} & setsid sleep {mark} & exit 9"));
    assert_eq!(output.status.code(), Some(9));
    assert_eq!(with_argument(&mark), 0);
}

#[test]
fn a_killed_supervisor_ends_the_session() {
    let mark = format!("78{}", std::process::id());
    let mut child = session(&[], &format!("echo up; exec sleep {mark}")).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 3];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    // The end of everything inside follows the supervisor's; the kernel does it in its own time.
    until(|| with_argument(&mark) == 0);
}

#[test]
fn the_exit_code_of_a_signal_is_told() {
    assert_eq!(run(&[], "kill -9 $$").status.code(), Some(137));
}
