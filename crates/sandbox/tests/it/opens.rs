//! What the warden opens for the agent is what the agent would have got, and what it reports is what it opened.

use crate::{run, text};
use std::process::Output;

fn observed(options: &[&str], script: &str) -> Output {
    run(&[&["observe", "reports"], options].concat(), script)
}

fn reports(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect()
}

/// Runs a Python program inside.
fn python(options: &[&str], program: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program.py");
    std::fs::write(&file, program).unwrap();
    let mount = format!("ro={}", folder.path().display());
    observed(&[options, &[&mount]].concat(), &format!("/usr/bin/python3 {} 2>&1", file.display()))
}

#[test]
fn opened_files_are_reported_by_their_real_path() {
    let documents = tempfile::tempdir().unwrap();
    let folder = documents.path().canonicalize().unwrap();
    std::fs::write(folder.join("contract"), "words").unwrap();
    let (ro, folder) = (format!("ro={}", folder.display()), folder.display());
    let output = observed(
        &[&ro],
        &format!("ln -s {folder}/contract /tmp/benign; cat /tmp/benign; cd {folder}; cat ./../$(basename {folder})/contract"),
    );
    assert_eq!(text(&output), "wordswords");
    let seen = reports(&output);
    assert_eq!(seen.iter().filter(|line| **line == format!("opened Read {folder}/contract")).count(), 1, "{seen:?}");
    assert!(!seen.iter().any(|line| line.starts_with("opened") && line.contains("benign")), "{seen:?}");
}

#[test]
fn refused_files_are_reported_as_they_were_asked_for() {
    let output =
        observed(&[], "exec 2>/dev/null; cd /home/agent; cat .ssh/id_ed25519; cat /.wall; echo x > /usr/new; cat /usr/nonesuch; true");
    let seen = reports(&output);
    for line in [
        format!("refused Read /home/agent/.ssh/id_ed25519 {}", libc::ENOENT),
        format!("refused Read /.wall {}", libc::EACCES),
        format!("refused Write /usr/new {}", libc::EROFS),
    ] {
        assert_eq!(seen.iter().filter(|one| **one == line).count(), 1, "{line} in {seen:?}");
    }
    assert!(!seen.iter().any(|line| line.contains("nonesuch")), "{seen:?}");
}

#[test]
fn a_folder_is_listed_unseen_and_what_is_opened_through_it_is_seen() {
    let documents = tempfile::tempdir().unwrap();
    let folder = documents.path().canonicalize().unwrap();
    std::fs::write(folder.join("contract"), "words").unwrap();
    let program = format!(
        r#"
import os
def check(name, holds): print(name) if not holds else None
def errno(path, flags, **more):
    try: os.close(os.open(path, flags, **more)); return 0
    except OSError as e: return e.errno
lists = os.O_RDONLY | os.O_DIRECTORY
d = os.open("{0}", lists)
check("listing", os.listdir(d) == ["contract"])
check("a file", errno("{0}/contract", lists) == 20 and errno("contract", lists, dir_fd=d) == 20)
check("writes", errno("{0}", lists | os.O_RDWR) == 21)
check("makes", errno("{0}/new", lists | os.O_CREAT) != 0 and errno("{0}", os.O_TMPFILE | os.O_RDWR) != 0)
check("no folder", errno("/.wall", lists) in (13, 20))
check("of another process", errno("/proc/1/root", lists) == 13)
check("through it", os.read(os.open("contract", os.O_RDONLY, dir_fd=d), 9) == b"words")
print("done")
"#,
        folder.display()
    );
    let output = python(&[&format!("ro={}", folder.display())], &program);
    assert_eq!(text(&output), "done\n");
    let seen = reports(&output);
    assert!(!seen.contains(&format!("opened Read {}", folder.display())), "{seen:?}");
    assert!(seen.contains(&format!("opened Read {}/contract", folder.display())), "{seen:?}");
}

#[test]
fn connecting_on_loopback_waits_for_nobody_and_tells_the_kernels_errors() {
    let program = r#"
import fcntl, os, socket, threading
def check(name, holds): print(name) if not holds else None
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    server = socket.socket(family); server.bind((host, 0)); server.listen(8)
    client = socket.create_connection(server.getsockname()[:2])
    other, _ = server.accept(); other.sendall(b"hello")
    check("connected", client.recv(9) == b"hello")
    check("blocks as before", not fcntl.fcntl(client, fcntl.F_GETFL) & os.O_NONBLOCK)
    check("again", client.connect_ex(server.getsockname()) == 106)
    free = server.getsockname(); server.close()
    check("refused", socket.socket(family).connect_ex(free) == 111)
    quick = socket.socket(family); quick.setblocking(False)
    check("refused at once", quick.connect_ex(free) in (111, 115))
# A queue that is full makes a caller wait, and nobody else.
full = socket.socket(); full.bind(("127.0.0.1", 0)); full.listen(0)
fill = [socket.socket() for _ in range(8)]
for one in fill: one.setblocking(False); one.connect_ex(full.getsockname())
waiter = socket.socket(); waiter.settimeout(None)
done = []
thread = threading.Thread(target=lambda: done.append(waiter.connect_ex(full.getsockname()))); thread.start()
check("others go on", open("/etc/passwd").read(5) == "agent")
full.settimeout(20)
while not done:
    full.accept()[0].close(); thread.join(0.01)
thread.join(); check("waited", done == [0])
check("waits as before", not fcntl.fcntl(waiter, fcntl.F_GETFL) & os.O_NONBLOCK)
print("done")
"#;
    assert_eq!(text(&python(&[], program)), "done\n");
}

#[test]
fn a_refused_call_is_reported_at_once_and_counted() {
    let output = observed(&[], "perl -e 'for (1..3) { syscall(250, 0, -1, 1); syscall(425, 1, 0); }'");
    let calls: Vec<_> = reports(&output).into_iter().filter(|line| line.starts_with("call ")).collect();
    if cfg!(target_arch = "x86_64") {
        assert_eq!(calls, ["call keyctl", "call io_uring_setup", "call keyctl 2 times", "call io_uring_setup 2 times"]);
    }
}

#[test]
fn a_swapped_path_never_hides_what_was_opened() {
    let documents = tempfile::tempdir().unwrap();
    let folder = documents.path().canonicalize().unwrap();
    for number in 0..400 {
        std::fs::write(folder.join(format!("document{number}")), format!("secret{number}")).unwrap();
    }
    let (ro, folder) = (format!("ro={}", folder.display()), folder.display());
    // One process swaps what a name leads to, between a harmless file and a document, while another opens the name.
    let output = python(
        &[&ro],
        &format!(
            r#"
import os, signal
open("/tmp/benign", "w").write("harmless")
os.symlink("/tmp/benign", "/tmp/name")
swapper = os.fork()
number = 0
while swapper == 0:
    os.symlink("/tmp/benign", "/tmp/a"); os.rename("/tmp/a", "/tmp/name")
    os.symlink("{folder}/document%d" % (number % 400), "/tmp/b"); os.rename("/tmp/b", "/tmp/name")
    number += 1
    os.sched_yield()
secrets, harmless, opens = set(), 0, 0
while (len(secrets) < 30 or harmless < 30) and opens < 20000:
    opens += 1
    fd = os.open("/tmp/name", os.O_RDONLY)
    text = os.read(fd, 100).decode(); os.close(fd)
    harmless += text == "harmless"
    if text.startswith("secret"): secrets.add(text[6:])
for one in secrets: print(one)
os.kill(swapper, signal.SIGKILL)
"#
        ),
    );
    let got: std::collections::BTreeSet<u32> = text(&output).lines().map(|line| line.parse().unwrap()).collect();
    assert!(got.len() >= 30, "there was no race: {}", text(&output));
    let seen: std::collections::BTreeSet<String> = reports(&output).into_iter().collect();
    for number in got {
        assert!(seen.contains(&format!("opened Read {folder}/document{number}")), "document {number} was read and not reported");
    }
}

#[test]
fn the_callers_own_process_files_are_its_own() {
    let program = r#"
import os, threading
def check(name, holds): print(name) if not holds else None
check("self", open("/proc/self/stat").read().split()[0] == str(os.getpid()))
check("mounts", len(open("/proc/mounts").read()) > 10 and len(open("/etc/mtab").read()) > 10 if os.path.exists("/etc/mtab") else True)
def thread():
    check("thread-self", open("/proc/thread-self/stat").read().split()[0] == str(threading.get_native_id()))
one = threading.Thread(target=thread); one.start(); one.join()
check("exe", os.open("/proc/self/exe", os.O_RDONLY) > 0)
r, w = os.pipe(); os.write(w, b"through")
check("dev fd", os.read(os.open("/dev/fd/%d" % r, os.O_RDONLY), 7) == b"through")
os.dup2(r, 0); os.write(w, b"stdin")
check("dev stdin", open("/dev/stdin", "rb", buffering=0).read(5) == b"stdin")
m = os.memfd_create("name"); os.write(m, b"memory")
check("memory", open("/proc/self/fd/%d" % m).read() == "memory")
check("listing", str(m) in os.listdir("/dev/fd"))
os.chdir("/tmp"); open("here", "w").write("x")
check("cwd link", open("/proc/self/cwd/here").read() == "x")
check("root link", open("/proc/self/root/tmp/here").read() == "x")
f = os.open("/tmp", os.O_PATH)
check("folder link", open("/proc/self/fd/%d/here" % f).read() == "x")
check("other process", open("/proc/%d/stat" % os.getppid()).read().split()[0] == str(os.getppid()))
def errno(path, flags=os.O_RDONLY):
    try: os.close(os.open(path, flags)); return 0
    except OSError as e: return e.errno
check("environ of 1", errno("/proc/1/environ") == 13)
check("mem of 1", errno("/proc/1/mem") == 13)
check("root of 1", errno("/proc/1/root/etc/passwd") in (13, 1))
check("own mem", errno("/proc/self/mem") == 0)
check("mem of another", errno("/proc/%d/mem" % os.getppid()) == 13)
check("nofollow", errno("/proc/self/exe", os.O_NOFOLLOW) == 40)
check("tty", errno("/dev/tty", os.O_RDWR) == 6)
try: os.execve(m, ["x"], {}); check("memory executed", False)
except OSError as e: check("memory executed", e.errno == 13)
print("done")
"#;
    assert_eq!(text(&python(&[], program)), "done\n");
}

#[test]
fn flags_modes_and_errors_are_those_of_the_kernel() {
    let program = r#"
import os, fcntl, resource
def check(name, holds): print(name) if not holds else None
def errno(path, flags=os.O_RDONLY, **more):
    try: os.close(os.open(path, flags, **more)); return 0
    except OSError as e: return e.errno
os.chdir("/tmp")
for mask in (0o022, 0o077, 0):
    os.umask(mask)
    name = "mask%o" % mask
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o666))
    check("umask %o" % mask, os.stat(name).st_mode & 0o777 == 0o666 & ~mask)
os.umask(0o022)
check("exclusive", errno("mask0", os.O_CREAT | os.O_EXCL | os.O_WRONLY) == 17)
check("folder", errno("mask0", os.O_DIRECTORY) == 20)
check("write a folder", errno("/tmp", os.O_WRONLY) == 21)
check("slash", errno("mask0/") == 20)
check("empty", errno("") == 2)
check("long name", errno("a" * 300) == 36)
check("long path", errno("/".join(["a"] * 3000)) == 36)
check("bad folder", errno("x", dir_fd=77) == 9)
check("file as folder", errno("x", dir_fd=os.open("mask0", os.O_RDONLY)) == 20)
os.symlink("mask0", "link"); os.symlink("loop", "loop"); os.symlink("absent", "dangling")
check("nofollow", errno("link", os.O_NOFOLLOW) == 40)
check("loop", errno("loop") == 40)
check("exclusive link", errno("dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY) == 17)
check("through a dangling link", errno("dangling", os.O_CREAT | os.O_WRONLY) == 0 and os.path.exists("absent"))
os.mkdir("sub"); open("sub/file", "w").write("sub")
d = os.open("sub", os.O_PATH)
check("relative to a folder", os.read(os.open("file", os.O_RDONLY, dir_fd=d), 9) == b"sub")
check("parent", errno("../mask0", dir_fd=d) == 0)
fd = os.open("mask0", os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
check("append", fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_APPEND | os.O_NONBLOCK) == os.O_APPEND)
check("cloexec", fcntl.fcntl(fd, fcntl.F_GETFD) == 1)
check("nonblock", fcntl.fcntl(os.open("mask0", os.O_NONBLOCK), fcntl.F_GETFL) & os.O_NONBLOCK)
os.write(fd, b"content"); check("truncate", errno("mask0", os.O_TRUNC | os.O_WRONLY) == 0 and os.path.getsize("mask0") == 0)
t = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o600); os.write(t, b"temporary")
check("temporary", os.fstat(t).st_nlink == 0)
os.link("/proc/self/fd/%d" % t, "/tmp/kept") if False else None
p = os.open("mask0", os.O_PATH)
try: os.read(p, 1); check("path only", False)
except OSError as e: check("path only", e.errno == 9)
os.mkdir("gone"); os.chdir("gone"); os.rmdir("/tmp/gone")
check("deleted folder", errno("x", os.O_CREAT | os.O_WRONLY) == 2 and errno(".") == 0)
os.chdir("/tmp")
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (32, hard))
held = []
try:
    while True: held.append(os.open("mask0", os.O_RDONLY))
except OSError as e: check("descriptors", e.errno == 24 and len(held) < 32)
for one in held: os.close(one)
print("done")
"#;
    assert_eq!(text(&python(&[], program)), "done\n");
}

#[test]
fn openat2_is_answered_by_its_rules() {
    let program = r#"
import os, ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
def openat2(path, flags=0, mode=0, resolve=0, size=24, more=b"", folder=-100):
    how = ctypes.create_string_buffer(struct.pack("QQQ", flags, mode, resolve) + more)
    fd = libc.syscall(437, folder, path, how, ctypes.c_size_t(size))
    if fd >= 0: os.close(fd); return 0
    return ctypes.get_errno()
def check(name, got, wanted): print(name, got) if got != wanted else None
os.chdir("/tmp"); open("file", "w").write("x"); os.symlink("/tmp/file", "link"); os.mkdir("sub")
d = os.open("sub", os.O_PATH)
check("plain", openat2(b"file"), 0)
check("size", openat2(b"file", size=8), 22)
check("large", openat2(b"file", size=5000), 7)
check("longer", openat2(b"file", size=32, more=b"\0" * 8), 0)
check("longer with content", openat2(b"file", size=32, more=b"\1" * 8), 7)
check("flag", openat2(b"file", flags=1 << 40), 22)
check("mode", openat2(b"file", mode=0o600), 22)
check("resolve", openat2(b"file", resolve=1 << 20), 22)
check("beneath", openat2(b"../file", resolve=8, folder=d), 18)
check("in root", openat2(b"/file", resolve=0x10, folder=os.open("/tmp", os.O_PATH)), 0)
check("in root above", openat2(b"/../../tmp/file", resolve=0x10, folder=d), 2)
check("no links", openat2(b"link", resolve=4), 40)
check("no magic links", openat2(b"/proc/self/cwd/file", resolve=2), 40)
check("no magic but self", openat2(b"/proc/self/stat", resolve=2), 0)
check("fault", libc.syscall(437, -100, ctypes.c_void_p(8), ctypes.c_void_p(8), 24) and ctypes.get_errno(), 14)
check("fault of a path", libc.syscall(257, -100, ctypes.c_void_p(8), 0, 0) and ctypes.get_errno(), 14)
print("done")
"#;
    if cfg!(target_arch = "x86_64") {
        assert_eq!(text(&python(&[], program)), "done\n");
    }
}

#[test]
fn callers_that_are_killed_or_interrupted_disturb_nobody() {
    let program = r#"
import os, signal, threading, time
os.chdir("/tmp")
for _ in range(50):
    child = os.fork()
    while child == 0: os.close(os.open("/etc/passwd", os.O_RDONLY))
    time.sleep(0.002); os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
# An exclusive open that were done twice would fail.
for number in range(500): os.close(os.open("once%d" % number, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
signal.setitimer(signal.ITIMER_REAL, 0)
def work():
    for _ in range(100): os.close(os.open("/etc/passwd", os.O_RDONLY))
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
print("done")
"#;
    assert_eq!(text(&python(&[], program)), "done\n");
}

#[test]
fn a_fifo_holds_up_nobody_but_its_opener() {
    let script = "cd /tmp; mkfifo one two; (cat one > got) & cat /etc/passwd > /dev/null; echo first > one; wait; cat got; \
        (echo second > two) & cat /etc/passwd > /dev/null; cat two; wait; \
        (exec 3<one 4>two; echo third >&4) & exec 5>one 6<two; read line <&6; echo $line; \
        timeout 0.2 cat one; echo $?; cat /etc/passwd > /dev/null && echo alive";
    assert_eq!(text(&observed(&[], script)), "first\nsecond\nthird\n124\nalive\n");
}

#[test]
fn a_process_that_waits_for_the_agent_shows_it_nothing() {
    // The processes that wait are the warden's, and inside. Those of the agent are told by what they run.
    let script = "exec 2>/dev/null; cd /tmp; mkfifo never; (cat never) & cat /etc/passwd > /dev/null; sleep 0.1; \
        for p in /proc/[0-9]*; do [ -n \"$(cat $p/cmdline)\" ] || { for f in environ mem maps fd/3 root/etc exe; do \
        head -c 1 $p/$f | grep -q . && echo $p/$f; done; echo tried; }; done; exit 0";
    let lines = text(&run(&["observe"], script));
    assert!(lines.lines().filter(|line| *line == "tried").count() >= 2, "{lines}");
    assert!(!lines.lines().any(|line| line.starts_with("/proc/")), "{lines}");
}

#[test]
fn the_terminal_is_the_callers_own() {
    let program = r#"
import os, pty
pid, master = pty.fork()
if pid == 0:
    open("/dev/tty", "w").write("through %s" % os.ttyname(os.open("/dev/tty", os.O_RDWR)))
    os._exit(0)
print(os.read(master, 100).decode(), os.ptsname(master) if hasattr(os, "ptsname") else "")
"#;
    assert!(text(&python(&[], program)).starts_with("through /dev/pts/"));
}

#[test]
fn many_waiting_calls_are_bounded_and_end_with_the_session() {
    let script =
        "cd /tmp; mkfifo never; for i in 1 2 3 4 5 6 7 8; do (cat never) & done; cat /etc/passwd > /dev/null && echo alive; exit 3";
    let output = observed(&[], script);
    assert_eq!((text(&output).as_str(), output.status.code()), ("alive\n", Some(3)));
}

#[test]
fn a_process_that_hides_its_memory_is_still_seen() {
    let program = r#"
import os, ctypes
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
os.chdir("/tmp"); open("hidden", "w").write("x")
print(open("hidden").read(), open("/etc/passwd").read()[:5])
"#;
    let output = python(&[], program);
    assert_eq!(text(&output), "x agent\n");
    assert!(reports(&output).contains(&"opened Write /tmp/hidden".to_owned()));
}

#[test]
fn nothing_more_is_opened_when_the_supervisor_takes_no_reports() {
    const FILES: usize = 3000;
    let workspace = tempfile::tempdir().unwrap();
    let folder = workspace.path().display();
    let script = format!("for i in $(seq 1 {FILES}); do echo $i > {folder}/f$i || exit; done; echo done");
    let options = ["observe", &format!("rw={folder}")];
    // With reports taken the same ends.
    assert_eq!(text(&run(&options, &script)), "done\n");
    assert_eq!(made(&workspace), FILES);
    for number in 1..=FILES {
        std::fs::remove_file(workspace.path().join(format!("f{number}"))).unwrap();
    }
    let mut child = crate::session(&[&options[..], &["deaf"]].concat(), &script).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let (mut count, mut since) = (0, std::time::Instant::now());
    while count == 0 || since.elapsed() < std::time::Duration::from_millis(300) {
        let now = made(&workspace);
        if now != count {
            (count, since) = (now, std::time::Instant::now());
        }
        assert!(child.try_wait().unwrap().is_none(), "the session ended although nobody took its reports");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    assert_eq!(text(&child.wait_with_output().unwrap()), "");
    assert!((10..FILES).contains(&count), "{count}");
}

fn made(workspace: &tempfile::TempDir) -> usize {
    std::fs::read_dir(workspace.path()).unwrap().count()
}
