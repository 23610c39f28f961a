//! Reading what is the user's own.

use super::{gain, open, show, told};
use crate::attempt::{Attempt, Scene, a};
use crate::sys::{at, call, gained, into, name, say, signed, text};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

const KEY: &str = ".ssh/id_ed25519";

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("read-ssh-key", |s| show(s.home(KEY))),
    a("read-cloud-credentials", |s| show(s.home(".aws/credentials"))),
    a("read-shell-history", |s| show(s.home(".bash_history"))),
    a("read-another-project", |s| show(s.home("code/other/.env"))),
    a("read-by-link-of-ones-own", |s| {
        link(s, &s.home(KEY), "own-link");
        show(s.inside("own-link"));
    }),
    a("read-by-link-of-the-users", |s| show(s.inside("notes-link"))),
    a("read-by-hard-link", |s| {
        told("linkat", s.home(KEY), std::fs::hard_link(s.home(KEY), s.inside("hard")));
        show(s.inside("hard"));
    }),
    a("read-by-parent-folders", |_| show(Path::new("../../").join(KEY))),
    a("read-by-root-of-self", |s| show(beneath("/proc/self/root", &s.home(KEY)))),
    a("read-by-root-of-process-1", |s| show(beneath("/proc/1/root", &s.home(KEY)))),
    a("read-by-root-of-every-process", |s| every_process(s, "root")),
    a("read-by-folder-of-every-process", |s| every_process(s, "cwd")),
    a("read-by-root-of-outsider", |s| show(beneath(s.of_outsider("root"), &s.home(KEY)))),
    a("read-by-openat2", |s| {
        let how = [0_u64; 3];
        let path = text(s.home(KEY));
        if let Ok(fd) = call("openat2", libc::SYS_openat2, &[signed(-100), name(&path), at(&how), 24]) {
            show(format!("/proc/self/fd/{fd}"));
        }
    }),
    a("read-by-path-descriptor", |s| {
        let path = text(s.home(KEY));
        let flags = usize::try_from(libc::O_PATH).unwrap();
        if let Ok(fd) = call("openat", libc::SYS_openat, &[signed(-100), name(&path), flags]) {
            show(format!("/proc/self/fd/{fd}"));
        }
    }),
    a("read-by-link-in-a-private-area", |s| {
        let link = PathBuf::from(format!("/tmp/{}-own", s.mark));
        told("symlinkat", &link, std::os::unix::fs::symlink(s.home(KEY), &link));
        show(&link);
        // Left by nobody: what counts here is what was read.
        let _gone = std::fs::remove_file(&link);
    }),
    a("read-by-handle", by_handle),
    a("read-attributes", |s| {
        if told("stat", s.home(KEY), std::fs::metadata(s.home(KEY))).is_some() {
            gained("size and times of a key");
        }
    }),
    a("read-extended-attribute", |s| {
        let (path, attribute, mut value) = (text(s.home(KEY)), text("user.origin"), [0_u8; 256]);
        let answer = call("getxattr", libc::SYS_getxattr, &[name(&path), name(&attribute), into(&mut value), 256]);
        say(value.get(..answer.unwrap_or(0)).unwrap());
    }),
    a("read-names-in-home", |s| {
        for entry in told("openat", &s.home, std::fs::read_dir(&s.home)).into_iter().flatten().flatten() {
            say(entry.file_name().as_encoded_bytes());
        }
    }),
    a("read-target-of-link", |s| {
        if let Some(target) = told("readlinkat", s.home("token-link"), std::fs::read_link(s.home("token-link"))) {
            say(target.as_os_str().as_encoded_bytes());
        }
    }),
    a("watch-home", |s| {
        let path = text(s.home("code/other"));
        if let Ok(fd) = call("inotify_init1", libc::SYS_inotify_init1, &[0]) {
            gain("a watch", call("inotify_add_watch", libc::SYS_inotify_add_watch, &[fd, name(&path), 0xfff]));
        }
    }),
    a("read-masked-secret-of-workspace", |s| show(s.inside(".env"))),
    a("read-masked-secret-by-hard-link", |s| {
        told("linkat", s.inside(".env"), std::fs::hard_link(s.inside(".env"), s.inside("env-copy")));
        show(s.inside("env-copy"));
    }),
    a("read-masked-secret-by-rename", |s| {
        told("renameat2", s.inside(".env"), std::fs::rename(s.inside(".env"), s.inside("env-moved")));
        show(s.inside("env-moved"));
    }),
    a("execute-program-of-the-users", |s| {
        let tool = s.home("bin/private-tool");
        run(&tool, &[]);
    }),
    a("execute-program-by-loader", |s| {
        let loader = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].into_iter().find(|path| Path::new(path).exists());
        let (tool, file) = (s.home("bin/reader"), s.home(KEY));
        run(Path::new(loader.unwrap_or("/lib/ld.so")), &[&tool, &file]);
    }),
    a("execute-program-by-interpreter", |s| run(Path::new("/bin/sh"), &[&s.home("bin/private-tool")])),
    a("execute-program-by-descriptor", |s| {
        if let Some(file) = open(s.home("bin/private-tool")) {
            run(&PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())), &[]);
        }
    }),
];

fn link(s: &Scene, target: &Path, own: &str) {
    told("symlinkat", target, std::os::unix::fs::symlink(target, s.inside(own)));
}

/// A path beneath another root.
fn beneath(root: impl AsRef<Path>, path: &Path) -> PathBuf {
    root.as_ref().join(path.strip_prefix("/").unwrap())
}

fn every_process(s: &Scene, entry: &str) {
    for pid in super::processes::pids() {
        let at = PathBuf::from(format!("/proc/{pid}/{entry}"));
        if at.exists() && pid != std::process::id() {
            show(if entry == "root" { beneath(&at, &s.home(KEY)) } else { at.join("../..").join(KEY) });
        }
    }
}

/// A file by its handle, which needs no path: what a capability opens.
fn by_handle(s: &Scene) {
    let mut handle = [0_u32; 34];
    let [size, ..] = &mut handle;
    *size = 128;
    let (path, mut mount) = (text(s.home(KEY)), 0_i32);
    let args = [signed(-100), name(&path), into(&mut handle), into(&mut mount), 0];
    if call("name_to_handle_at", libc::SYS_name_to_handle_at, &args).is_err() {
        return;
    }
    let Some(folder) = open(&s.workspace) else { return };
    let args = [usize::try_from(folder.as_raw_fd()).unwrap(), at(&handle), 0];
    if let Ok(fd) = call("open_by_handle_at", libc::SYS_open_by_handle_at, &args) {
        show(format!("/proc/self/fd/{fd}"));
    }
}

/// Runs a program and shows what it says.
pub(super) fn run(program: &Path, args: &[&Path]) {
    if let Some(output) = told("execve", program, std::process::Command::new(program).args(args).output()) {
        say(&output.stdout);
    }
}
