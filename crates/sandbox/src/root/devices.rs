use super::tree::{Tree, host_file};
use crate::Error;
use crate::kernel::mount_setattr;
use crate::plan::{Plan, Stdio};
use rustix::fs::OFlags;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen, open_tree,
};
use rustix::pty::OpenptFlags;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// Devices that are harmless to everyone.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Where programs expect their own descriptors and terminals.
const LINKS: [(&str, &str); 5] = [
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
];
/// Files of procfs that tell about the host or command its kernel.
const MASKED: [&str; 12] = [
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/kmsg",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/sched_debug",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/kallsyms",
    "/proc/partitions",
    "/proc/diskstats",
];

/// Fills `/dev`; returns the session's terminal, master first, if the plan asks for one.
pub(crate) fn build(tree: &mut Tree, plan: &Plan) -> Result<Option<(OwnedFd, OwnedFd)>, Error> {
    for name in DEVICES {
        tree.place(Path::new(&format!("/dev/{name}")), &device(name)?, false)?;
    }
    for (path, target) in LINKS {
        tree.link(Path::new(path), target)?;
    }
    tree.folder(Path::new("/dev/shm"))?;
    tree.place(Path::new("/dev/pts"), &terminals()?, true)?;
    if plan.stdio.contains(&Stdio::Terminal) { terminal(tree).map(Some) } else { Ok(None) }
}

/// A device of the host. The mount is read-only: that stops changes of the node itself (mode, times), not use of the device.
fn device(name: &str) -> Result<OwnedFd, Error> {
    let path = format!("/dev/{name}");
    let taken = host_file(&path).and_then(|node| {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_EMPTY_PATH | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        open_tree(&node, c"", flags)
    });
    let tree = taken.map_err(Error::path("take the device", Path::new(&path)))?;
    let set = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;
    mount_setattr(tree.as_fd(), c"", libc::AT_EMPTY_PATH, set, 0).map_err(Error::system("restrict a device"))?;
    Ok(tree)
}

fn terminals() -> Result<OwnedFd, Error> {
    let made = || {
        let context = fsopen(c"devpts", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, c"mode", c"0600")?;
        fsconfig_set_string(&context, c"ptmxmode", c"0666")?;
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC)
    };
    made().map_err(Error::errno("make terminals of the session's own"))
}

fn terminal(tree: &Tree) -> Result<(OwnedFd, OwnedFd), Error> {
    let made = || {
        let master = tree.open(Path::new("/dev/pts/ptmx"), OFlags::RDWR | OFlags::NOCTTY)?;
        rustix::pty::unlockpt(&master)?;
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        Ok((master, slave))
    };
    made().map_err(Error::errno("open the session's terminal"))
}

/// Lays an empty device over what procfs tells about the host.
pub(crate) fn mask_process_files(tree: &Tree) -> Result<(), Error> {
    for path in MASKED.map(Path::new) {
        if tree.open(path, OFlags::PATH).is_ok() {
            tree.place(path, &device("null")?, false)?;
        }
    }
    Ok(())
}
