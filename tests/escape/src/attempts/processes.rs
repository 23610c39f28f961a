//! Namespaces, mounts, and what /proc tells.

use super::{gain, open, reach, show};
use crate::attempt::{Attempt, a};
use crate::sys::{at, call, gained, into, name, quiet, say, signed, text};
use std::os::fd::AsRawFd;

const NEW_MOUNTS: usize = 0x2_0000;
const NEW_USER: usize = 0x1000_0000;
const NEW_NETWORK: usize = 0x4000_0000;
const NEW_PROCESSES: usize = 0x2000_0000;

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("environment-of-process-1", |_| show("/proc/1/environ")),
    a("arguments-of-process-1", |_| show("/proc/1/cmdline")),
    a("environment-of-ancestors", |_| ancestors("environ")),
    a("environment-of-every-process", |_| every("environ")),
    a("arguments-of-every-process", |_| every("cmdline")),
    a("memory-of-ancestors", |_| {
        for pid in ancestor_ids() {
            if open(format!("/proc/{pid}/mem")).is_some() && pid != 1 {
                // One's own runner is nobody else's; process 1 and what stands above the runner are.
                gained_if_foreign(pid);
            }
        }
    }),
    a("user-namespace", |_| {
        gain("a user namespace", call("unshare", libc::SYS_unshare, &[NEW_USER]));
    }),
    a("user-namespace-by-clone", |_| cloned("clone", NEW_USER)),
    a("user-namespace-by-clone3", |_| {
        let arguments = [u64::try_from(NEW_USER).unwrap(), 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
        child("a user namespace", call("clone3", libc::SYS_clone3, &[at(&arguments), 88]));
    }),
    a("mount-namespace", |_| {
        gain("a mount namespace", call("unshare", libc::SYS_unshare, &[NEW_MOUNTS]));
    }),
    a("network-namespace", |_| {
        gain("a network namespace", call("unshare", libc::SYS_unshare, &[NEW_USER | NEW_NETWORK]));
    }),
    a("process-namespace-by-clone", |_| cloned("clone", NEW_USER | NEW_PROCESSES)),
    a("join-namespace-of-process-1", |_| join("/proc/1/ns/mnt")),
    a("join-network-of-process-1", |_| join("/proc/1/ns/net")),
    a("join-namespaces-of-outsider", |s| join(&s.of_outsider("ns/mnt").to_string_lossy())),
    a("join-by-process-descriptor", |s| {
        if let Ok(fd) = call("pidfd_open", libc::SYS_pidfd_open, &[s.pid(), 0]) {
            gain("another's namespaces", call("setns", libc::SYS_setns, &[fd, NEW_MOUNTS]));
        }
    }),
    a("mount-private", |_| mount("tmpfs", "/mnt")),
    a("mount-proc", |_| mount("proc", "/proc")),
    a("mount-over-settings", |_| mount("tmpfs", "/etc")),
    a("mount-by-descriptors", |_| {
        own_mounts();
        let kind = text("tmpfs");
        gain("a file system", call("fsopen", libc::SYS_fsopen, &[name(&kind), 0]));
    }),
    a("copy-of-the-tree", |_| {
        own_mounts();
        let root = text("/");
        gain("a copy of the tree", call("open_tree", libc::SYS_open_tree, &[signed(-100), name(&root), 1]));
    }),
    a("make-mounts-writable", |_| {
        own_mounts();
        let (path, attributes) = (text("/usr"), [0_u64, 1, 0, 0]);
        // Clearing an attribute that may be set: what is asked is whether one may ask.
        let answer = call("mount_setattr", libc::SYS_mount_setattr, &[signed(-100), name(&path), 0, at(&attributes), 32]);
        reach("attributes of a mount", answer);
    }),
    a("unmount", |_| {
        own_mounts();
        let path = text("/proc/nothing-mounted");
        reach("unmounting", call("umount2", libc::SYS_umount2, &[name(&path), 0]));
    }),
    a("pivot-root", |_| {
        own_mounts();
        let path = text("/nowhere");
        reach("another root", call("pivot_root", libc::SYS_pivot_root, &[name(&path), name(&path)]));
    }),
    a("chroot", |s| {
        let path = text(&s.workspace);
        gain("another root", call("chroot", libc::SYS_chroot, &[name(&path)]));
    }),
    a("execute-in-memory", |_| execute_in_memory(0)),
    a("execute-in-sealed-memory", |_| execute_in_memory(0x10)),
    a("set-uid-programs-are-honoured", |_| {
        let keeps = quiet(libc::SYS_prctl, &[39]) == Ok(0);
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let usr = mounts.lines().rfind(|line| matches!(line.split(' ').nth(4), Some("/" | "/usr"))).unwrap_or("nosuid");
        if keeps && !usr.contains("nosuid") {
            gained("set-uid programs run with their owner's rights");
        }
    }),
    a("capabilities", |_| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
        // The capability to administrate the system is the 21st.
        if u64::from_str_radix(effective.trim(), 16).is_ok_and(|set| set & (1 << 21) != 0) {
            gained("the capability to administrate");
        }
    }),
];

/// Every process that can be seen.
pub(super) fn pids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok().filter(|parent| *parent > 0)
}

/// The processes above this one.
fn ancestor_ids() -> Vec<u32> {
    std::iter::successors(parent(std::process::id()), |pid| parent(*pid)).take(32).collect()
}

fn ancestors(entry: &str) {
    for pid in ancestor_ids() {
        show(format!("/proc/{pid}/{entry}"));
    }
}

fn every(entry: &str) {
    for pid in pids().into_iter().filter(|pid| *pid != std::process::id()) {
        show(format!("/proc/{pid}/{entry}"));
    }
}

/// The runner's own parent and above belong to the host or to the sandbox.
fn gained_if_foreign(pid: u32) {
    if Some(pid) != parent(std::process::id()) {
        gained("memory of a process above");
    }
}

/// A new process in new namespaces; it ends at once.
fn cloned(call_name: &str, flags: usize) {
    child("a namespace", call(call_name, libc::SYS_clone, &[flags | 0x11, 0, 0, 0, 0]));
}

fn child(what: &str, answer: crate::sys::Answer) {
    if answer == Ok(0) {
        let _never = quiet(libc::SYS_exit_group, &[0]);
    }
    gain(what, answer);
}

fn join(path: &str) {
    let own = path.rsplit('/').next().unwrap_or_default();
    if std::fs::read_link(path).ok() == std::fs::read_link(format!("/proc/self/ns/{own}")).ok() && !path.contains("/proc/1/") {
        return;
    }
    if let Some(file) = open(path) {
        let fd = usize::try_from(file.as_raw_fd()).unwrap();
        gain("another's namespace", call("setns", libc::SYS_setns, &[fd, 0]));
    }
}

/// Mounts of one's own, with a user namespace if they cannot be had without: what follows touches nobody else's.
pub(super) fn own_mounts() -> bool {
    let alone = call("unshare", libc::SYS_unshare, &[NEW_MOUNTS]).or_else(|_| call("unshare", libc::SYS_unshare, &[NEW_USER | NEW_MOUNTS]));
    let (none, root) = (text("none"), text("/"));
    // Private and recursive, so that nothing comes back to the host.
    alone.is_ok() && call("mount", libc::SYS_mount, &[name(&none), name(&root), 0, 0x44000, 0]).is_ok()
}

fn mount(kind: &str, target: &str) {
    if !own_mounts() {
        // Without mounts of its own nothing is mounted, but asked: on a place that does not exist.
        let (kind, nowhere) = (text(kind), text("/nowhere-at-all"));
        reach("mounting", call("mount", libc::SYS_mount, &[name(&kind), name(&nowhere), name(&kind), 0, 0]));
        return;
    }
    let (kind, target) = (text(kind), text(target));
    gain("a mount", call("mount", libc::SYS_mount, &[name(&kind), name(&target), name(&kind), 0, 0]));
}

/// A program that has no name in any file system.
fn execute_in_memory(flags: usize) {
    let label = text("program");
    let Ok(fd) = call("memfd_create", libc::SYS_memfd_create, &[name(&label), flags]) else { return };
    let program = std::fs::read("/proc/self/exe").unwrap_or_default();
    let mut rest = program.as_slice();
    while let Ok(written @ 1..) = call("write", libc::SYS_write, &[fd, at(rest), rest.len()]) {
        rest = rest.get(written..).unwrap_or_default();
    }
    let (zero, word, empty) = (text("escape"), text("memory"), text(""));
    let arguments = [name(&zero), name(&word), 0];
    let mut status = 0_i32;
    match quiet(libc::SYS_fork, &[]) {
        Ok(0) => {
            let _failed = call("execveat", libc::SYS_execveat, &[fd, name(&empty), at(&arguments), at(&[0_usize]), 0x1000]);
            let _never = quiet(libc::SYS_exit_group, &[1]);
        }
        Ok(pid) => {
            let _waited = quiet(libc::SYS_wait4, &[pid, into(&mut status), 0, 0]);
        }
        Err(_) => say(b"no process"),
    }
}
