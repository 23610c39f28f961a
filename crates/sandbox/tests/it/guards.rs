//! Paths that are not the agent's: every trick on them, as root and as an ordinary user, with guards and without. What counts is what stands
//! on the host afterwards.

use crate::{ORDINARY_ID, example, ordinary, run, text};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PROGRAM: &str = include_str!("guards.py");
const GUARDS: [&str; 8] = [
    "protect=**/.git/hooks",
    "protect=**/.git/config",
    "protect=**/.vscode",
    "protect=**/.claude/settings*.json",
    "mask=**/.env",
    "hide=**/private",
    "hide=**/*.private",
    "protect=never/there",
];
/// What must not be read.
const SECRETS: [&str; 4] = ["SECRET-VALUE", "HIDDEN-WORDS", "plan'", "size 12"];
/// Names that are guarded, in lower case and without what is not compared.
const GUARDED: [&str; 6] = ["/.git/hooks", "/.git/config", "/.vscode", "/.claude/settings", "/.env", "/private"];

/// A workspace with a folder for each attempt.
struct Place {
    folder: tempfile::TempDir,
    path: PathBuf,
    is_ordinary: bool,
}

impl Place {
    fn new(folders: usize, is_ordinary: bool) -> Self {
        let folder = tempfile::Builder::new().prefix("bailiwick-guards-").tempdir_in("/var/tmp").unwrap();
        let path = folder.path().canonicalize().unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let place = Self { folder, path, is_ordinary };
        std::fs::write(place.path.join("guards.py"), PROGRAM).unwrap();
        std::fs::create_dir(place.workspace()).unwrap();
        for number in 0..folders {
            let case = place.case(number);
            for name in [".git/hooks", "sub", "private"] {
                std::fs::create_dir_all(case.join(name)).unwrap();
            }
            for (name, content) in [
                (".git/config", "[core]\n"),
                (".git/HEAD", "ref: refs/heads/main\n"),
                (".git/hooks/sample", "sample\n"),
                (".env", "TOKEN=SECRET-VALUE\n"),
                ("private/plan", "HIDDEN-WORDS"),
                ("minutes.private", "HIDDEN-WORDS"),
                ("file", "file"),
            ] {
                std::fs::write(case.join(name), content).unwrap();
            }
        }
        if rustix::process::geteuid().is_root() && is_ordinary {
            give(&place.workspace());
        }
        place
    }

    fn workspace(&self) -> PathBuf {
        assert!(self.folder.path().exists());
        self.path.join("workspace")
    }

    fn case(&self, number: usize) -> PathBuf {
        self.workspace().join(number.to_string())
    }

    fn attempt(&self, guards: &[&str]) -> Output {
        let mut command = Command::new(example("session"));
        if self.is_ordinary {
            command = ordinary(command);
        }
        let (workspace, program) = (self.workspace(), self.path.join("guards.py"));
        command.args(["pipe", "observe", "reports", &format!("rw={}", workspace.display()), &format!("ro={}", program.display())]);
        let script = format!("/usr/bin/python3 {} {} 2>&1", program.display(), workspace.display());
        command.args(guards).args(["--", "/bin/sh", "-c", &script]).output().unwrap()
    }

    /// What of a case is guarded, with everything that an attempt could change.
    fn guarded(&self, number: usize) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        look(&self.case(number), "", &mut found);
        found
    }
}

fn give(path: &Path) {
    std::os::unix::fs::lchown(path, Some(ORDINARY_ID), Some(ORDINARY_ID)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

fn look(folder: &Path, below: &str, found: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let meta = std::fs::symlink_metadata(&path).unwrap();
        let here = format!("{below}/{}", name.to_lowercase().replace('\u{200c}', "").trim_end_matches('.'));
        let is_leading = [".git", ".claude"].iter().any(|one| here.ends_with(one)) && !meta.is_dir();
        // A link to a folder brings its content.
        let is_bringing = here.ends_with("/.claude") && path.join("settings.json").exists();
        if is_leading || is_bringing || GUARDED.iter().any(|one| here.contains(one)) || here.ends_with(".private") {
            let content = if meta.is_file() { std::fs::read_to_string(&path).unwrap() } else { String::new() };
            let attributes = attributes(&path);
            found.insert(format!("{below}/{name}"), format!("{:o} {} {content} {attributes}", meta.mode(), meta.mtime()));
        }
        if meta.is_dir() {
            if meta.mode() & 0o700 == 0 {
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
            }
            look(&path, &here, found);
        }
    }
}

fn attributes(path: &Path) -> String {
    let mut buffer = [0_u8; 256];
    let length = rustix::fs::llistxattr(path, &mut buffer[..]).unwrap_or(0);
    String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned()
}

/// Names of the attempts that change something, and of those that read.
fn names() -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("guards.py");
    std::fs::write(&file, PROGRAM).unwrap();
    let output = Command::new("/usr/bin/python3").arg(file).arg("names").output().unwrap();
    let list = text(&output);
    let (changes, reads) = list.trim_end().split_once("\n\n").unwrap();
    let lines = |part: &str| part.lines().map(str::to_owned).collect();
    (lines(changes), lines(reads))
}

fn outcome(output: &Output, number: usize) -> String {
    let text = text(output);
    let from = text.split(&format!("\n{number}: ")).nth(1).or_else(|| text.strip_prefix(&format!("{number}: "))).unwrap_or_default();
    from.split("\n\n").next().unwrap_or_default().to_owned()
}

fn every_trick(is_ordinary: bool) {
    let (changes, reads) = names();
    let all: Vec<_> = changes.iter().chain(&reads).collect();
    let place = Place::new(all.len(), is_ordinary);
    let before: Vec<_> = (0..all.len()).map(|number| place.guarded(number)).collect();
    let output = place.attempt(&GUARDS);
    let reports = String::from_utf8_lossy(&output.stderr).into_owned();
    for ((number, name), before) in all.iter().enumerate().zip(before) {
        let said = outcome(&output, number);
        assert_eq!(place.guarded(number), before, "{name} ({number}): {said}");
        assert!(!SECRETS.iter().any(|secret| said.contains(secret)), "{name} ({number}): {said}");
        let case = format!("{}/", place.case(number).display());
        let is_refused = reports.lines().any(|line| line.starts_with("refused") && line.contains(&case));
        assert!(is_refused || number >= changes.len(), "{name} ({number}) is not reported: {said}");
    }
    // The same without guards: each attempt has its effect, or it shows nothing.
    let place = Place::new(all.len(), is_ordinary);
    let before: Vec<_> = (0..all.len()).map(|number| place.guarded(number)).collect();
    let output = place.attempt(&[]);
    for ((number, name), before) in all.iter().enumerate().zip(before) {
        let said = outcome(&output, number);
        let is_read = SECRETS.iter().any(|secret| said.contains(secret));
        assert!(is_read || place.guarded(number) != before, "{name} ({number}) does nothing without guards: {said}");
    }
}

#[test]
fn every_trick_leaves_guarded_paths_alone() {
    every_trick(false);
}

#[test]
fn every_trick_of_an_ordinary_user_leaves_guarded_paths_alone() {
    every_trick(true);
}

#[test]
fn what_a_link_at_a_guarded_name_leads_to_is_guarded_too() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path().canonicalize().unwrap();
    let prepare = || {
        for name in ["scripts", "shared", "secrets"] {
            std::fs::create_dir_all(workspace.join(name)).unwrap();
        }
        for (name, content) in [("scripts/env", "user's"), ("secrets/prod", "TOKEN=SECRET-VALUE\n"), ("free", "x")] {
            std::fs::write(workspace.join(name), content).unwrap();
        }
        for (name, to) in
            [(".envrc", "scripts/env"), (".claude", "shared"), (".idea", "missing"), (".env", "./secrets/prod"), (".zed", "/etc")]
        {
            let _there = std::os::unix::fs::symlink(to, workspace.join(name));
        }
    };
    let script = format!(
        "exec 2>&1; cd {}; echo evil > scripts/env; echo evil > .envrc; mv scripts s; mkdir missing; echo evil > shared/settings.json; cat .env secrets/prod; echo y > free; cat free",
        workspace.display()
    );
    let rw = format!("rw={}", workspace.display());
    let guards = ["protect=**/.envrc", "protect=.claude/settings*.json", "protect=.idea", "protect=.zed", "mask=**/.env"];
    prepare();
    let said = text(&run(&[&["observe", rw.as_str()], &guards[..]].concat(), &script));
    assert!(said.ends_with("y\n") && !said.contains("SECRET"), "{said}");
    assert_eq!(std::fs::read_to_string(workspace.join("scripts/env")).unwrap(), "user's");
    assert!(!workspace.join("missing").exists() && !workspace.join("shared/settings.json").exists());
    // Without guards all of it happens.
    let said = text(&run(&["observe", &rw], &script));
    assert!(said.contains("SECRET") && workspace.join("missing").exists() && workspace.join("shared/settings.json").exists());
    assert_eq!(std::fs::read_to_string(workspace.join("s/env")).unwrap(), "evil\n");
}

/// A folder for one who works in it, and what the program `changes.py` says there.
fn changes(options: &[&str], is_ordinary: bool) -> String {
    let folder = tempfile::Builder::new().prefix("bailiwick-changes-").tempdir_in("/var/tmp").unwrap();
    let path = folder.path().canonicalize().unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let (work, program) = (path.join("work"), path.join("changes.py"));
    std::fs::create_dir(&work).unwrap();
    std::fs::write(&program, include_str!("changes.py")).unwrap();
    if rustix::process::geteuid().is_root() && is_ordinary {
        give(&work);
    }
    let mut command = Command::new(example("session"));
    if is_ordinary {
        command = ordinary(command);
    }
    let script = format!("/usr/bin/python3 {} {} 2>&1", program.display(), work.display());
    command.args(["pipe", &format!("rw={}", work.display()), &format!("ro={}", program.display())]).args(options);
    let said = text(&command.args(["--", "/bin/sh", "-c", &script]).output().unwrap());
    said.replace(work.to_str().unwrap(), "WORK")
}

fn compare(is_ordinary: bool) {
    let [alone, answered] = [&[][..], &["observe"]].map(|options| changes(options, is_ordinary));
    assert!(alone.lines().count() > 6000 && !alone.contains("Traceback"), "{}", alone.lines().last().unwrap_or_default());
    for (one, other) in alone.lines().zip(answered.lines()) {
        assert_eq!(one, other);
    }
    assert_eq!(alone.lines().count(), answered.lines().count());
}

#[test]
fn what_the_warden_changes_is_what_the_kernel_would_have_changed() {
    compare(false);
}

#[test]
fn what_the_warden_changes_for_an_ordinary_user_is_what_the_kernel_would_have_changed() {
    compare(true);
}

#[test]
fn a_folder_around_the_workspace_is_not_renamed_away_from_its_guards() {
    // `/tmp` is the session's own, and what leads from there to the workspace is made inside.
    let folder = tempfile::Builder::new().prefix("bailiwick-around-").tempdir_in("/tmp").unwrap();
    let around = folder.path().canonicalize().unwrap();
    std::fs::set_permissions(&around, PermissionsExt::from_mode(0o755)).unwrap();
    let workspace = around.join("deep/workspace");
    std::fs::create_dir_all(workspace.join("sub")).unwrap();
    std::fs::write(workspace.join(".env"), "TOKEN=SECRET-VALUE\n").unwrap();
    let path = around.display();
    let script = format!(
        "exec 2>&1; cd /tmp; mkdir own; mv {path}/deep {path}/d; mv {path} /tmp/moved; mv {path}/deep /tmp/own/deep; \
         python3 -c 'import ctypes; ctypes.CDLL(None).syscall(316, -100, b\"{path}\", -100, b\"own\", 2)'; \
         cd {path}/deep && mv ../deep ../e; cd workspace && mv sub renamed && echo free; \
         cat $(find /tmp -name .env); for place in $(find /tmp -name workspace); do echo evil > $place/.envrc; done"
    );
    let rw = format!("rw={}", workspace.display());
    let options = ["observe", "reports", &rw, "protect=.envrc", "mask=**/.env"];
    for is_ordinary in [false, true] {
        let mut session = crate::session(&options, &script);
        if is_ordinary {
            session = ordinary(session);
            if rustix::process::geteuid().is_root() {
                give(&around);
            }
        }
        let output = session.output().unwrap();
        let (said, reports) = (text(&output), String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(said.contains("free\nTOKEN=masked") && !said.contains("SECRET"), "{said} {reports}");
        assert!(!workspace.join(".envrc").exists(), "{said}");
        for refused in [around.clone(), around.join("deep")] {
            assert!(reports.contains(&format!("refused Write {} {}", refused.display(), libc::EACCES)), "{reports}");
        }
        std::fs::rename(workspace.join("renamed"), workspace.join("sub")).unwrap();
    }
}

/// What a session makes of programs that the user puts at kept names while it runs.
fn executed_later(guards: &[&str], is_ordinary: bool) -> Output {
    let folder = tempfile::Builder::new().prefix("bailiwick-later-").tempdir_in("/var/tmp").unwrap();
    let workspace = folder.path().canonicalize().unwrap();
    std::fs::set_permissions(&workspace, PermissionsExt::from_mode(0o755)).unwrap();
    if rustix::process::geteuid().is_root() && is_ordinary {
        give(&workspace);
    }
    // The wait has an end, whatever becomes of the test.
    let script = format!(
        "exec 2>&1; cd {}; echo > waiting; while ! [ -e go ]; do [ $((n=n+1)) -lt 20000000 ] || exit; done; \
         private/script; private/echo HIDDEN-WORDS; ./led; ./link HIDDEN-WORDS; ./loads HIDDEN-WORDS; ./.env; cat private/script; echo end",
        workspace.display()
    );
    let rw = format!("rw={}", workspace.display());
    let mut session = crate::session(&[&["observe", "programs", "reports", rw.as_str()], guards].concat(), &script);
    if is_ordinary {
        session = ordinary(session);
    }
    let child = session.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    crate::until(|| workspace.join("waiting").exists());
    std::fs::create_dir(workspace.join("private")).unwrap();
    std::fs::copy("/bin/echo", workspace.join("private/echo")).unwrap();
    let led = format!("#!{}/private/echo HIDDEN-WORDS\n", workspace.display());
    for (name, content) in [("private/script", "#!/bin/sh\necho HIDDEN-WORDS\n"), ("led", &led), (".env", "#!/bin/sh\necho SECRET-VALUE\n")]
    {
        std::fs::write(workspace.join(name), content).unwrap();
        std::fs::set_permissions(workspace.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    std::os::unix::fs::symlink("private/echo", workspace.join("link")).unwrap();
    // A program whose loader has another name.
    let loader: &[u8] = b"/lib64/ld-linux-x86-64.so.2\0";
    std::fs::copy("/lib64/ld-linux-x86-64.so.2", workspace.join("private/ld")).unwrap();
    let mut program = std::fs::read("/bin/echo").unwrap();
    let place = program.windows(loader.len()).position(|part| part == loader).unwrap();
    program[place..place + loader.len()].fill(0);
    program[place..place + 10].copy_from_slice(b"private/ld");
    std::fs::write(workspace.join("loads"), program).unwrap();
    std::fs::set_permissions(workspace.join("loads"), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(workspace.join("go"), "").unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_hidden_after_the_start_is_not_executed_either() {
    for is_ordinary in [false, true] {
        let output = executed_later(&["hide=**/private", "mask=**/.env"], is_ordinary);
        let (said, reports) = (text(&output), String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(said.ends_with("end\n") && !SECRETS.iter().any(|secret| said.contains(secret)), "{said} {reports}");
        for name in ["private/script", "private/echo", "private/ld", ".env"] {
            let is_told = |line: &str| line.starts_with("program refused /var/tmp/") && line.ends_with(&format!("/{name} unreadable"));
            assert!(reports.lines().any(is_told), "{name}: {reports}");
        }
        // Without guards each of them shows what it has.
        let said = text(&executed_later(&[], is_ordinary));
        assert_eq!((said.matches("HIDDEN-WORDS").count(), said.matches("SECRET-VALUE").count()), (6, 1), "{said}");
    }
}

#[test]
fn guards_without_observation_are_refused() {
    let workspace = tempfile::tempdir().unwrap();
    let rw = format!("rw={}", workspace.path().display());
    let output = run(&[&rw, "protect=**/.git/hooks"], "echo started");
    assert_eq!(text(&output), "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("only where files are observed"));
}

#[test]
fn what_is_hidden_after_the_start_is_not_watched() {
    let folder = tempfile::tempdir_in("/var/tmp").unwrap();
    let workspace = folder.path().canonicalize().unwrap();
    std::fs::set_permissions(&workspace, PermissionsExt::from_mode(0o777)).unwrap();
    let program = r#"
import ctypes, os, time
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_NONBLOCK)
def watch(path, fd=fd): print(path, libc.inotify_add_watch(fd, path.encode(), 0x100), ctypes.get_errno(), flush=True)
os.symlink("private", "link")
open("waiting", "w").close()
end = time.monotonic() + 20
while not os.path.exists("go") and time.monotonic() < end: pass
for path in ("private", "./link", os.getcwd() + "/private", "/proc/self/cwd/private"): watch(path)
os.chdir("private"); watch("."); os.chdir("..")
watch("."); watch("missing"); watch(".", 99); watch(".", 0)
open("told", "w").close()
open("seen", "w").close()
while not os.path.exists("done") and time.monotonic() < end: pass
print(os.read(fd, 65536))
"#;
    for (guards, hidden) in [(&["hide=**/private"][..], "-1 13"), (&[], "1 0")] {
        for is_ordinary in [false, true] {
            let rw = format!("rw={}", workspace.display());
            let script = format!("exec 2>&1; cd {}; exec python3 -c '{program}'", workspace.display());
            let mut session = crate::session(&[&["observe", "reports", rw.as_str()], guards].concat(), &script);
            if is_ordinary {
                session = ordinary(session);
            }
            let child = session.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
            crate::until(|| workspace.join("waiting").exists());
            std::fs::create_dir(workspace.join("private")).unwrap();
            std::fs::write(workspace.join("go"), "").unwrap();
            crate::until(|| workspace.join("seen").exists());
            std::fs::write(workspace.join("private/HIDDEN-WORDS"), "").unwrap();
            std::fs::write(workspace.join("done"), "").unwrap();
            let output = child.wait_with_output().unwrap();
            let (said, reports) = (text(&output), String::from_utf8_lossy(&output.stderr).into_owned());
            let of_hidden = |line: &&str| line.contains("private") || line.starts_with("./link");
            assert!(said.lines().filter(of_hidden).filter(|line| line.contains(hidden)).count() >= 4, "{said} {reports}");
            assert_eq!(said.contains("HIDDEN-WORDS"), guards.is_empty(), "{said}");
            assert!(said.contains("told") && said.contains("missing -1 2\n. -1 9\n. -1 22\n"), "{said} {reports}");
            assert_eq!(reports.contains(&format!("refused Read {}/private 13", workspace.display())), !guards.is_empty(), "{reports}");
            for name in ["waiting", "go", "seen", "done", "told", "link"] {
                std::fs::remove_file(workspace.join(name)).unwrap();
            }
            std::fs::remove_dir_all(workspace.join("private")).unwrap();
        }
    }
}
