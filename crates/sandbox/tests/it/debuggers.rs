//! Debuggers reach their own children, and nobody else's; who only wants to be somebody else is told.

use crate::{run, text};
use std::process::Output;

fn python(options: &[&str], program: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let file = folder.path().join("program.py");
    std::fs::write(&file, program).unwrap();
    let mount = format!("ro={}", folder.path().display());
    run(&[&["programs", "reports", &mount], options].concat(), &format!("/usr/bin/python3 {} 2>&1", file.display()))
}

fn has(output: &Output, line: &str) -> bool {
    String::from_utf8_lossy(&output.stderr).lines().any(|one| one == line)
}

const PTRACE: &str = r"
import ctypes, os, signal, sys, time
libc = ctypes.CDLL(None, use_errno=True)
TRACEME, PEEK, CONT, ATTACH, DETACH, SEIZE = 0, 1, 7, 16, 17, 0x4206
def ptrace(request, pid, address=0, data=0):
    result = libc.ptrace(ctypes.c_long(request), ctypes.c_long(pid), ctypes.c_void_p(address), ctypes.c_void_p(data))
    return ctypes.get_errno() if result == -1 else 0
";

#[test]
fn without_debuggers_nobody_traces_and_the_attempt_is_told() {
    let program = format!(
        "{PTRACE}
child = os.fork()
if child == 0: time.sleep(20)
for request in (ATTACH, SEIZE, TRACEME, PEEK): print(ptrace(request, child))
os.kill(child, 9)
"
    );
    let output = python(&[], &program);
    assert_eq!(text(&output), format!("{}\n", libc::EPERM).repeat(4));
    assert!(has(&output, "call ptrace"));
}

#[test]
fn a_debugger_works_on_its_own_child_and_is_told() {
    let program = format!(
        r#"{PTRACE}
child = os.fork()
if child == 0:
    ptrace(TRACEME, 0)
    os.execv("/bin/echo", ["echo", "said"])
os.waitpid(child, 0)
code = int([line for line in open("/proc/%d/maps" % child) if "echo" in line][0].split("-")[0], 16)
print("peek", ptrace(PEEK, child, code), flush=True)
ptrace(CONT, child)
print(os.waitpid(child, 0)[1])
child = os.fork()
while child == 0: time.sleep(20)
print("attach", ptrace(ATTACH, child))
os.waitpid(child, 0)
print("detach", ptrace(DETACH, child))
os.kill(child, 9)
"#
    );
    let output = python(&["debuggers"], &program);
    assert_eq!(text(&output), "peek 0\nsaid\n0\nattach 0\ndetach 0\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert!(has(&output, "observed ptrace trace_me") && has(&output, "observed ptrace attach") && !has(&output, "call ptrace"));
    // What a traced program runs is told, but nobody vouches for it.
    let echo = std::path::Path::new("/bin/echo").canonicalize().unwrap();
    let line = format!("program {} - unconfirmed", echo.display());
    assert!(
        String::from_utf8_lossy(&output.stderr).lines().any(|one| one.starts_with(&line)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn what_holds_the_walls_cannot_be_traced() {
    // A reader of a FIFO that nobody writes waits in a process of the warden's, beside process 1 and the runner.
    let program = format!(
        r#"{PTRACE}
os.mkfifo("/tmp/fifo")
reader = os.fork()
if reader == 0: open("/tmp/fifo")
own = {{os.getpid(), os.getppid(), reader}}
others = set()
while len(others) < 3: others = {{int(name) for name in os.listdir("/proc") if name.isdigit()}} - own
for pid in sorted(others):
    for request in (ATTACH, SEIZE): print(ptrace(request, pid))
print("own", ptrace(SEIZE, reader))
os.kill(reader, 9)
"#
    );
    let output = python(&["debuggers", "observe"], &program);
    assert_eq!(text(&output), format!("{}own 0\n", format!("{}\n", libc::EPERM).repeat(6)));
}

#[test]
fn who_wants_to_be_somebody_else_is_told_and_is_nobody_else() {
    let program = r#"
import os
def attempt(name, *ids):
    try: getattr(os, name)(*ids); print(name, "done")
    except OSError as error: print(name, "refused")
attempt("setuid", 1000); attempt("setuid", 0); attempt("setresuid", 1000, 1000, 1000); attempt("setresgid", 0, 0, 0); attempt("setgroups", [0])
print(os.getresuid(), os.getresgid())
"#;
    let output = python(&[], program);
    let expected =
        "setuid done\nsetuid refused\nsetresuid done\nsetresgid refused\nsetgroups refused\n(1000, 1000, 1000) (1000, 1000, 1000)\n";
    assert_eq!(text(&output), expected);
    for line in ["setuid own_id", "setuid other_id", "setresuid own_id", "setresgid other_id", "setgroups asked"] {
        assert!(has(&output, &format!("observed {line}")), "{line}");
    }
}

#[test]
fn a_debugger_is_no_way_round_the_list() {
    // The loader is listed as what programs need; `echo` is listed only for the second run.
    let program = format!(
        r#"{PTRACE}
child = os.fork()
if child == 0:
    ptrace(TRACEME, 0)
    try: os.execv("/bin/echo", ["echo", "RAN"])
    except OSError as error: print(error.errno, flush=True)
    os._exit(0)
print(os.WIFEXITED(os.waitpid(child, 0)[1]), flush=True)
if os.fork() == 0:
    try: os.execv("/bin/echo", ["echo", "alone"])
    except OSError as error: print(error.errno, flush=True)
    os._exit(0)
os.wait()
"#
    );
    let real = |path: &str| std::path::Path::new(path).canonicalize().unwrap().display().to_string();
    let loader =
        ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].into_iter().find(|path| std::path::Path::new(path).exists()).unwrap();
    let listed = ["/bin/sh", "/usr/bin/python3", "/bin/echo"].map(|path| format!("listed={}", real(path)));
    let [shell, interpreter, echo] = listed.each_ref().map(String::as_str);
    let loader = format!("loader={}", real(loader));
    let output = python(&["debuggers", shell, interpreter, &loader], &program);
    assert_eq!(text(&output), "13\nTrue\n13\n");
    assert!(has(&output, &format!("program refused {} not_listed", real("/bin/echo"))));
    // The path that is looked at need not be the one that is executed, as long as nobody can confirm it.
    let output = python(&["debuggers", shell, interpreter, echo, &loader], &program);
    assert_eq!(text(&output), "13\nTrue\nalone\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert!(has(&output, &format!("program refused {} untraced", real("/bin/echo"))));
}
