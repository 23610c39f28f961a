//! What runs is what is told, and what is not listed does not run, whatever the way.

use crate::{run, text};
use std::path::{Path, PathBuf};
use std::process::Output;

/// A folder of the host that stands inside, writable.
struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    fn option(&self) -> String {
        format!("rw={}", self.path("").display())
    }
}

/// Where a program of the system really is.
fn real(program: &str) -> String {
    Path::new(program).canonicalize().unwrap().display().to_string()
}

/// The loader of this system's programs.
fn loader() -> String {
    let path = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].into_iter().find(|path| Path::new(path).exists());
    real(path.unwrap())
}

/// A session in which a shell, Python and a few tools are listed, and nothing else.
fn listed(options: &[&str], script: &str) -> Output {
    let tools = ["/bin/sh", "/usr/bin/python3", "/bin/cp", "/bin/ln", "/bin/chmod", "/bin/cat", "/bin/mkdir"].map(real);
    let mut all: Vec<String> = tools.iter().map(|tool| format!("listed={tool}")).collect();
    all.extend(["programs".to_owned(), "reports".to_owned(), format!("loader={}", loader())]);
    all.extend(options.iter().map(|option| (*option).to_owned()));
    run(&all.iter().map(String::as_str).collect::<Vec<_>>(), script)
}

fn watched(options: &[&str], script: &str) -> Output {
    run(&[&["programs", "reports"], options].concat(), script)
}

fn python(session: fn(&[&str], &str) -> Output, options: &[&str], program: &str) -> Output {
    let folder = Workspace::new();
    let file = folder.write("program.py", program);
    session(&[options, &[&format!("ro={}", folder.path("").display())]].concat(), &format!("/usr/bin/python3 {} 2>&1", file.display()))
}

fn reports(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect()
}

/// The programs that were told as run, each as its path, its script and whether it is confirmed.
fn told(output: &Output) -> Vec<(String, String, String)> {
    let lines = reports(output).into_iter().filter_map(|line| line.strip_prefix("program ").map(str::to_owned));
    let lines = lines.filter(|line| !line.starts_with("refused "));
    let three = |line: String| {
        let mut words = line.split(' ').map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap(), words.next().unwrap())
    };
    lines.map(three).collect()
}

fn refusals(output: &Output) -> Vec<String> {
    reports(output).into_iter().filter_map(|line| line.strip_prefix("program refused ").map(str::to_owned)).collect()
}

#[test]
fn what_is_not_listed_does_not_run_by_any_way() {
    let workspace = Workspace::new();
    let script = workspace.write("script", "#!/usr/bin/perl\nprint \"RAN script\\n\"");
    let loader = loader();
    let echo = real("/bin/echo");
    let ways = [
        ("direct", "/bin/echo RAN direct".to_owned(), "not_listed"),
        ("link", "ln -s /bin/echo /tmp/link; /tmp/link RAN link".to_owned(), "not_listed"),
        ("loader", format!("{loader} /bin/echo RAN loader"), "loader"),
        ("copied loader", format!("cp {loader} /tmp/ld; /tmp/ld /bin/echo RAN copied loader"), "not_listed"),
        ("copy", "cp /bin/echo /tmp/copy; /tmp/copy RAN copy".to_owned(), "not_listed"),
        ("workspace", format!("cp /bin/echo {0}; {0}/echo RAN workspace", workspace.path("").display()), "not_listed"),
        ("renamed", "mkdir /tmp/d; cp /bin/echo /tmp/d/cat; PATH=/tmp/d; cat RAN renamed".to_owned(), "not_listed"),
        ("script", script.display().to_string(), "not_listed"),
        ("by procfs", "cp /bin/echo /tmp/e; exec 9</tmp/e; /proc/self/fd/9 RAN procfs".to_owned(), "not_listed"),
        ("by root", "/proc/self/root/bin/echo RAN root".to_owned(), "not_listed"),
        ("by exec", "exec /bin/echo RAN exec".to_owned(), "not_listed"),
    ];
    for (name, way, reason) in ways {
        let output = listed(&[&workspace.option()], &format!("exec 2>&1; {way}"));
        assert!(!text(&output).contains("RAN"), "{name}: {}", text(&output));
        let refused = refusals(&output);
        assert!(refused.iter().any(|line| line.ends_with(&format!(" {reason}"))), "{name}: {refused:?}");
        assert!(!told(&output).iter().any(|(program, ..)| *program == echo), "{name}: {:?}", told(&output));
    }
    // Each way works where nothing is listed: it is the list that stops them.
    let free = watched(
        &[&workspace.option()],
        &format!("cp {loader} /tmp/ld; /tmp/ld /bin/echo RAN; {} /bin/echo RAN; {}", loader, script.display()),
    );
    assert_eq!(text(&free).matches("RAN").count(), 3, "{}", text(&free));
}

#[test]
fn a_listed_interpreter_does_not_imply_its_scripts_nor_a_listed_script_its_interpreter() {
    let workspace = Workspace::new();
    let shell = workspace.write("shell", "#!/bin/sh\necho RAN shell");
    let perl = workspace.write("perl", "#!/usr/bin/perl\nprint \"RAN perl\\n\"");
    let option = format!("listed={}", perl.display());
    let output = listed(&[&workspace.option(), &option], &format!("exec 2>&1; {}; {}", shell.display(), perl.display()));
    assert!(!text(&output).contains("RAN"), "{}", text(&output));
    let refused = refusals(&output);
    assert!(refused.contains(&format!("{} not_listed", shell.display())), "{refused:?}");
    // The kernel itself finds that the interpreter may not be executed; nothing of it ran.
    assert!(!told(&output).iter().any(|(program, ..)| program.contains("perl")), "{:?}", told(&output));
}

#[test]
fn descriptors_and_memory_are_no_way_round() {
    let program = r#"
import os, ctypes
libc = ctypes.CDLL(None, use_errno=True)
EMPTY = 0x1000
def at(fd, path, flags):
    child = os.fork()
    if child == 0:
        argv = (ctypes.c_char_p * 3)(b"echo", b"RAN", None)
        libc.syscall(322, fd, path, argv, None, flags)
        print("errno", ctypes.get_errno(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
fd = os.open("/bin/echo", os.O_RDONLY)
at(fd, b"", EMPTY)
at(os.open("/bin/echo", os.O_PATH), b"", EMPTY)
at(os.open("/bin", os.O_PATH), b"echo", 0)
memory = os.memfd_create("x", 0)
os.write(memory, open("/bin/echo", "rb").read())
at(memory, b"", EMPTY)
child = os.fork()
if child == 0:
    try: os.execv("/proc/self/fd/%d" % memory, ["x", "RAN"])
    except OSError as error: print("errno", error.errno, flush=True)
    os._exit(0)
os.waitpid(child, 0)
"#;
    if cfg!(target_arch = "x86_64") {
        let output = python(listed, &[], program);
        assert_eq!(text(&output), "errno 13\n".repeat(5));
        let refused = refusals(&output);
        assert!(refused.contains(&format!("{} not_listed", real("/bin/echo"))), "{refused:?}");
        assert!(refused.iter().any(|line| line.ends_with(" nameless")), "{refused:?}");
        // Memory is never executed, listed or not.
        let output = python(watched, &[], program);
        assert_eq!(text(&output), format!("{}{}", "RAN\n".repeat(3), "errno 13\n".repeat(2)));
    }
}

#[test]
fn without_execution_nothing_of_the_workspace_runs_or_is_mapped() {
    let workspace = Workspace::new();
    let place = workspace.path("").display().to_string();
    let options = [workspace.option(), format!("noexec={}", place.trim_end_matches('/')), "noexec=/tmp".to_owned(), "observe".to_owned()];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let script = format!(
        "exec 2>&1; for d in {place} /tmp; do cp /bin/echo $d/e; $d/e RAN; {} $d/e RAN; done; /usr/bin/python3 -c 'import mmap, os; fd = os.open(\"/tmp/e\", os.O_RDONLY); mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC); print(\"RAN\")'",
        loader()
    );
    let output = watched(&options, &script);
    assert!(!text(&output).contains("RAN"), "{}", text(&output));
    assert!(text(&output).contains("PermissionError"), "{}", text(&output));
    for place in [format!("{place}e"), "/tmp/e".to_owned()] {
        assert!(refusals(&output).contains(&format!("{place} not_executable")), "{:?}", refusals(&output));
    }
    assert_eq!(text(&watched(&[&workspace.option()], &script.replace("exec 2>&1;", ""))).matches("RAN").count(), 5);
}

#[test]
fn a_program_is_told_once_with_its_file_and_its_arguments() {
    let output = watched(&[], "for i in 1 2 3; do /bin/echo same; done; /bin/echo other; /bin/echo $(seq 1 4000)");
    let lines: Vec<_> = reports(&output).into_iter().filter(|line| line.contains(&format!("program {} ", real("/bin/echo")))).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let bytes = std::fs::metadata("/bin/echo").unwrap().len();
    assert!(lines[0].ends_with(&format!("- confirmed {bytes} 15 /bin/echo same")), "{}", lines[0]);
    // The file came along once.
    assert!(lines[1].ends_with("- confirmed - 16 /bin/echo other"), "{}", lines[1]);
    let long = text(&output).lines().last().unwrap().len() + "/bin/echo ".len() + 1;
    assert!(lines[2].contains(&format!("- confirmed - {long} /bin/echo 1 2 3")));
}

#[test]
fn a_script_is_told_with_its_interpreter_whatever_name_was_asked_for() {
    let workspace = Workspace::new();
    let script = workspace.write("script", "#!/bin/sh\n:");
    let place = workspace.path("").display().to_string();
    let output = watched(
        &[&workspace.option()],
        &format!("ln -s {0} /tmp/link; /tmp/link a; cd {place}; ./script b; PATH=.; script c", script.display()),
    );
    let with_script: Vec<_> = told(&output).into_iter().filter(|(_, script, _)| script != "-").collect();
    assert_eq!(with_script, vec![(real("/bin/sh"), script.display().to_string(), "confirmed".to_owned()); 3]);
}

/// A program of programs that race: each that ran says which file it is.
fn race(workspace: &Workspace) -> String {
    // One process swaps the path in memory that it shares with those that execute; a program says itself which file it is.
    format!(
        r#"
import ctypes, mmap, os, signal, sys
libc = ctypes.CDLL(None)
place = "{}"
shared = mmap.mmap(-1, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(shared))
benign = ("/usr/bin/readlink\0" + " " * 200).encode()[:200]
seen_benign = seen_other = 0
argv = (ctypes.c_char_p * 3)(b"x", b"/proc/self/exe", None)
for number in range(60):
    other = ("%sprogram%03d\0" % (place, number) + " " * 200).encode()[:200]
    shared[:200] = benign
    swapper = os.fork()
    while swapper == 0:
        shared[:200] = other
        shared[:200] = benign
    for attempt in range(6):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(write, 1)
            libc.execve(ctypes.c_void_p(address), argv, None)
            os._exit(1)
        os.close(write)
        os.waitpid(child, 0)
        said = os.read(read, 4096).decode().strip(); os.close(read)
        if said: print(said)
    os.kill(swapper, signal.SIGKILL); os.waitpid(swapper, 0)
"#,
        workspace.path("").display()
    )
}

#[test]
fn a_swapped_path_never_hides_what_ran() {
    let workspace = Workspace::new();
    for number in 0..60 {
        let copy = workspace.path(&format!("program{number:03}"));
        std::fs::copy(real("/usr/bin/readlink"), &copy).unwrap();
    }
    let program = race(&workspace);
    let output = python(watched, &[&workspace.option()], &program);
    let ran: std::collections::BTreeSet<String> = text(&output).lines().map(str::to_owned).collect();
    assert!(ran.len() > 8 && ran.contains(&real("/usr/bin/readlink")), "there was no race: {}", text(&output));
    let told: std::collections::BTreeSet<String> = told(&output).into_iter().map(|(program, ..)| program).collect();
    assert!(ran.is_subset(&told), "{:?}", ran.difference(&told).collect::<Vec<_>>());

    let option = format!("listed={}", real("/usr/bin/readlink"));
    let output = python(listed, &[&workspace.option(), &option], &program);
    let ran: std::collections::BTreeSet<&str> =
        text(&output).lines().map(|line| if line == real("/usr/bin/readlink") { "listed" } else { "other" }).collect();
    assert_eq!(ran, ["listed"].into());
    assert!(!refusals(&output).is_empty());
}

#[test]
fn a_program_that_the_kernel_would_run_and_the_warden_may_not_is_ended_before_its_first_instruction() {
    let workspace = Workspace::new();
    for number in 0..60 {
        std::fs::copy(real("/usr/bin/readlink"), workspace.path(&format!("program{number:03}"))).unwrap();
    }
    // Each has the kernel's right to be executed, but is not the file that was measured: only the second look can tell.
    let mut options = vec![workspace.option(), format!("listed={}", real("/usr/bin/readlink"))];
    options.extend((0..60).map(|number| format!("changed={}", workspace.path(&format!("program{number:03}")).display())));
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let program = race(&workspace).replace(
        "os.waitpid(child, 0)\n        said",
        "status = os.waitpid(child, 0)[1]\n        if status == signal.SIGKILL: print(\"killed\")\n        said",
    );
    let output = python(listed, &options, &program);
    let mut said: std::collections::BTreeSet<String> = text(&output).lines().map(str::to_owned).collect();
    assert!(said.remove("killed"), "there was no race: {}", text(&output));
    assert_eq!(said, [real("/usr/bin/readlink")].into());
    assert!(refusals(&output).iter().all(|line| line.ends_with(" changed")), "{:?}", refusals(&output));
}

#[test]
fn whoever_executes_the_rest_of_its_process_goes_on_as_without_a_warden() {
    let program = r#"
import ctypes, os, signal, threading, time
libc = ctypes.CDLL(None, use_errno=True)
argv = (ctypes.c_char_p * 3)(b"echo", b"said", None)
def check(name, holds):
    if not holds: print("WRONG", name, flush=True)
def forked(act):
    child = os.fork()
    if child == 0:
        try: act()
        finally: os._exit(99)
    return os.waitpid(child, 0)[1]
def broken():
    open("/tmp/broken", "w").write("\x01\x02 no program"); os.chmod("/tmp/broken", 0o755)
    for _ in range(50):
        try: os.execv("/tmp/broken", ["broken"])
        except OSError as error: check("enoexec", error.errno == 8)
    os._exit(7)
check("failed", os.waitstatus_to_exitcode(forked(broken)) == 7)
def thread_executes():
    threading.Thread(target=lambda: libc.execve(b"/bin/echo", argv, None)).start()
    time.sleep(20)
check("thread", os.waitstatus_to_exitcode(forked(thread_executes)) == 0)
def all_execute():
    gate = threading.Barrier(16)
    def one():
        gate.wait(); libc.execve(b"/bin/echo", argv, None)
    for _ in range(15): threading.Thread(target=one).start()
    one()
for _ in range(20): check("all", os.waitstatus_to_exitcode(forked(all_execute)) == 0)
def all_fail():
    gate = threading.Barrier(8); done = []
    def one():
        gate.wait()
        for _ in range(20): done.append(libc.execve(b"/tmp/broken", argv, None))
    threads = [threading.Thread(target=one) for _ in range(8)]
    [t.start() for t in threads]; [t.join() for t in threads]
    os._exit(len(done) % 251)
check("all fail", os.waitstatus_to_exitcode(forked(all_fail)) == 160)
def signalled():
    count = [0]
    signal.signal(signal.SIGUSR1, lambda *_: count.__setitem__(0, count[0] + 1))
    parent = os.getpid(); sender = os.fork()
    while sender == 0: os.kill(parent, signal.SIGUSR1)
    for _ in range(200): libc.execve(b"/tmp/broken", argv, None)
    os.kill(sender, signal.SIGKILL); os.waitpid(sender, 0)
    os._exit(0 if count[0] else 1)
check("signals", os.waitstatus_to_exitcode(forked(signalled)) == 0)
def stopped_and_continued():
    child = os.fork()
    if child == 0:
        while True: libc.execve(b"/tmp/broken", argv, None)
    for _ in range(30):
        os.kill(child, signal.SIGSTOP)
        check("stopped", os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]))
        os.kill(child, signal.SIGCONT)
        check("continued", os.WIFCONTINUED(os.waitpid(child, os.WCONTINUED)[1]))
    os.kill(child, signal.SIGTERM)
    check("terminated", os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM)
    os._exit(0)
check("group stops", os.waitstatus_to_exitcode(forked(stopped_and_continued)) == 0)
check("spawned", os.waitpid(os.posix_spawn("/bin/echo", ["echo", "said"], {}), 0)[1] == 0)
children = [os.posix_spawn("/bin/true", ["true"], {}) for _ in range(40)]
check("many", all(os.waitpid(child, 0)[1] == 0 for child in children))
"#;
    let output = python(watched, &[], program);
    assert_eq!(text(&output), "said\n".repeat(22), "{:?}", refusals(&output));
    assert!(told(&output).iter().all(|(.., confirmed)| confirmed == "confirmed"));
}

/// Sessions in which all threads of a process execute at once, and how often each does.
const SESSIONS: usize = 6;
const TIMES: usize = 60;

#[test]
fn threads_that_execute_at_once_never_stand_for_ever() {
    let program = crate::example("threads");
    let folder = program.parent().unwrap().canonicalize().unwrap();
    let (option, script) = (format!("ro={}", folder.display()), format!("{}/threads 16 {TIMES}", folder.display()));
    for _ in 0..SESSIONS {
        let mut session = crate::session(&["programs", "processes=256", &option], &script);
        let mut child = session.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (sender, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(std::io::read_to_string(&mut output)));
        let said = said.recv_timeout(std::time::Duration::from_mins(1));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(said.expect("a program stands for ever").unwrap(), format!("executed {TIMES}\n"));
    }
}
