//! The session's root: a new file system with nothing in it but what the plan lists.

mod covers;
mod devices;
mod overlay;
mod tree;

use crate::guard::{GUARDS_MAX, Guards};
use crate::kernel::mount_setattr;
use crate::plan::{Access, Mount, Plan};
use crate::{Error, Wall};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen, move_mount, open_tree,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A file in the root that no Landlock rule covers: opening it tells whether Landlock holds.
pub(crate) const CANARY: &str = "/.wall";
/// The same for whoever may not allocate.
pub(crate) const CANARY_NAME: &std::ffi::CStr = c"/.wall";
/// Its owner may write it, so that only walls keep it as it is.
const CANARY_MODE: u32 = 0o644;
/// Room in the root itself for synthetic files, mount points and links.
const ROOT_BYTES: u64 = 4 << 20;
const NOTHING: u64 = 0;
/// Most private areas: their descriptors travel in one message, with those of the listeners, of procfs and of the terminal.
const AREAS_MAX: usize = crate::descriptors::DESCRIPTORS_MAX - crate::network::COUNT - 2;

/// A mount's source, looked at before the fork: what is mounted later must be the same file.
#[derive(Debug)]
pub(crate) struct Pinned {
    mount: Mount,
    device: u64,
    inode: u64,
    is_folder: bool,
    /// The source's own place, without links.
    canonical: PathBuf,
}

impl Pinned {
    /// Opens the source once and remembers which file it is.
    pub(crate) fn pin(mount: &Mount) -> Result<Self, Error> {
        let source = open_path(&mount.source)?;
        let stat = rustix::fs::fstat(&source).map_err(Error::path("look at", &mount.source))?;
        let is_folder = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir();
        let canonical = std::fs::canonicalize(&mount.source).unwrap_or_else(|_| mount.source.clone());
        Ok(Self { mount: mount.clone(), device: stat.st_dev, inode: stat.st_ino, is_folder, canonical })
    }

    /// The source, or an error if it is another file by now.
    fn open(&self) -> Result<OwnedFd, Error> {
        let path = &self.mount.source;
        let source = open_path(path)?;
        let stat = rustix::fs::fstat(&source).map_err(Error::path("look at", path))?;
        if (stat.st_dev, stat.st_ino) != (self.device, self.inode) {
            return Err(Error::Plan { problem: "a source changed while the session was built", path: path.clone() });
        }
        Ok(source)
    }

    /// The source as a mount of its own, detached.
    fn detach(&self, without_execution: bool) -> Result<OwnedFd, Error> {
        let path = &self.mount.source;
        let source = self.open()?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::AT_EMPTY_PATH;
        let tree = open_tree(&source, c"", flags | OpenTreeFlags::OPEN_TREE_CLOEXEC).map_err(Error::path("take a mount of", path))?;
        let mut set = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
        if self.mount.access == Access::ReadOnly {
            set |= libc::MOUNT_ATTR_RDONLY;
        }
        if without_execution {
            set |= libc::MOUNT_ATTR_NOEXEC;
        }
        let recursive = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
        mount_setattr(tree.as_fd(), c"", recursive, set, NOTHING).map_err(|source| Error::Path {
            attempt: "restrict the mount of".into(),
            path: path.clone(),
            source,
        })?;
        Ok(tree)
    }
}

/// What the rest of the warden needs of the finished root.
#[derive(Debug)]
pub(crate) struct Root {
    /// The host's `/proc`, by which the opener looks at processes; nothing inside leads to it.
    pub(crate) host_proc: OwnedFd,
    /// Master and slave of the session's terminal, if it has one.
    pub(crate) terminal: Option<(OwnedFd, OwnedFd)>,
    /// The private areas, in the plan's order.
    pub(crate) areas: Vec<OwnedFd>,
    /// Device numbers of the file systems that are the session's own.
    pub(crate) devices: Vec<u64>,
    /// What is not the agent's.
    pub(crate) guards: Guards,
    /// Size of a file that is written.
    pub(crate) file_bytes_max: u64,
    /// Second places of mounts, each with the place where the same files stand inside too (`/bin` is `/usr/bin` on most systems).
    pub(crate) second_places: Vec<(PathBuf, PathBuf)>,
    /// Where something stands that the plan put there. What is said of paths holds only as long as these stay where they are.
    pub(crate) fixed: Vec<PathBuf>,
}

/// Builds the root in this mount namespace and makes it `/`. `process_files` is a detached procfs of the session's pid namespace.
pub(crate) fn build(plan: &Plan, sources: &[Pinned], process_files: &OwnedFd) -> Result<Root, Error> {
    let host_proc = open_path(Path::new("/proc"))?;
    mount_setattr(CWD, c"/", libc::AT_RECURSIVE, NOTHING, libc::MS_PRIVATE).map_err(Error::system("keep mounts apart from the host's"))?;
    let content: u64 = plan.files.iter().map(|file| file.content.len() as u64 + 4096).sum();
    let root = memory_area(ROOT_BYTES.saturating_add(content), "0755", MountAttrFlags::MOUNT_ATTR_NOSUID)?;
    attach(&root, CWD, c"/").map_err(missing_root)?;
    let mut tree = tree::Tree::new(root)?;
    let mut areas = Vec::new();
    for area in &plan.private {
        let mut flags = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        if plan.programs.forbids_execution_at(&area.path) {
            flags |= MountAttrFlags::MOUNT_ATTR_NOEXEC;
        }
        let mode = if area.path == Path::new("/tmp") || area.path == Path::new("/dev/shm") { "1777" } else { "0700" };
        let mount = memory_area(area.size_bytes_max, mode, flags)?;
        tree.place_private(&area.path, &mount)?;
        areas.push(mount);
    }
    let terminal = devices::build(&mut tree, plan)?;
    if plan.is_away(Wall::MinimalRoot) {
        for path in ["/proc", "/sys"].map(Path::new) {
            tree.place(path, &host_folder(path)?, true)?;
        }
    } else {
        tree.place(Path::new("/proc"), process_files, true)?;
        devices::mask_process_files(&tree)?;
    }
    for source in sources {
        let without_execution = plan.programs.forbids_execution_at(&source.mount.target);
        let overlay = plan.overlays.iter().find(|overlay| overlay.target == source.mount.target);
        let mount = match overlay {
            Some(overlay) => overlay::lay(source, overlay, without_execution)?,
            None => source.detach(without_execution)?,
        };
        tree.place(&source.mount.target, &mount, source.is_folder)?;
    }
    covers::lay(&tree, plan)?;
    for file in &plan.files {
        tree.write(&file.path, &file.content)?;
    }
    tree.write_as(Path::new(CANARY), b"", CANARY_MODE)?;
    enter(&tree, plan.is_away(Wall::MinimalRoot))?;
    let (guards, file_bytes_max) = (Guards::new(&plan.guards), plan.limits.file_bytes_max);
    let (second_places, fixed) = (second_places(sources), fixed(plan));
    Ok(Root { host_proc, terminal, areas, devices: tree.into_devices(), guards, file_bytes_max, second_places, fixed })
}

fn fixed(plan: &Plan) -> Vec<PathBuf> {
    let mounts = plan.mounts.iter().map(|mount| &mount.target);
    mounts.chain(plan.private.iter().map(|area| &area.path)).chain(plan.files.iter().map(|file| &file.path)).cloned().collect()
}

fn second_places(sources: &[Pinned]) -> Vec<(PathBuf, PathBuf)> {
    let is_shown = |place: &Path| sources.iter().any(|one| one.canonical == one.mount.target && place.starts_with(&one.canonical));
    let second = sources.iter().filter(|one| one.canonical != one.mount.target && is_shown(&one.canonical));
    second.map(|one| (one.mount.target.clone(), one.canonical.clone())).collect()
}

/// Makes the tree the root of this process and its siblings in the mount namespace, and lets go of the old one.
fn enter(tree: &tree::Tree, is_writable: bool) -> Result<(), Error> {
    let mut set = libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;
    if !is_writable {
        set |= libc::MOUNT_ATTR_RDONLY;
    }
    mount_setattr(tree.root(), c"", libc::AT_EMPTY_PATH, set, NOTHING).map_err(Error::system("make the new root read-only"))?;
    rustix::process::fchdir(tree.root()).map_err(missing_root)?;
    rustix::process::pivot_root(c".", c".").map_err(missing_root)?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH).map_err(missing_root)?;
    rustix::process::chdir(c"/").map_err(missing_root)
}

/// A folder of the host, for a test that takes this wall away.
fn host_folder(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    open_tree(CWD, path, flags).map_err(Error::path("take a mount of", path))
}

fn missing_root(errno: rustix::io::Errno) -> Error {
    Error::WallMissing { wall: Wall::MinimalRoot, found: errno.to_string() }
}

/// A procfs of the caller's pid namespace, detached. Read-only: as root, the host's kernel settings could be written otherwise.
pub(crate) fn process_files() -> Result<OwnedFd, Error> {
    let context = fsopen(c"proc", FsOpenFlags::FSOPEN_CLOEXEC).map_err(missing_root)?;
    fsconfig_create(&context).map_err(missing_root)?;
    let flags = MountAttrFlags::MOUNT_ATTR_RDONLY
        | MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags).map_err(missing_root)
}

fn memory_area(bytes: u64, mode: &str, flags: MountAttrFlags) -> Result<OwnedFd, Error> {
    let area = || {
        let context = fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, c"mode", mode)?;
        fsconfig_set_string(&context, c"size", bytes.to_string())?;
        fsconfig_set_string(&context, c"nr_inodes", (bytes / 4096).clamp(1024, 1 << 20).to_string())?;
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags)
    };
    area().map_err(Error::errno("make a file system in memory"))
}

fn attach(mount: &OwnedFd, folder: BorrowedFd<'_>, path: &std::ffi::CStr) -> rustix::io::Result<()> {
    let mut flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    if path.is_empty() {
        flags |= MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    }
    move_mount(mount, c"", folder, path, flags)
}

fn open_path(path: &Path) -> Result<OwnedFd, Error> {
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(Error::path("open", path))
}

/// Refuses paths that a plan must not have.
pub(crate) fn check(plan: &Plan) -> Result<(), Error> {
    let refuse = |problem, path: &Path| Err(Error::Plan { problem, path: path.to_owned() });
    let inside = plan.mounts.iter().map(|mount| &mount.target);
    let inside = inside.chain(plan.files.iter().map(|file| &file.path)).chain(plan.private.iter().map(|area| &area.path));
    for path in inside.chain([&plan.program, &plan.cwd]) {
        if !path.is_absolute() || path.components().any(|part| part == std::path::Component::ParentDir) {
            return refuse("a path inside must be absolute and have no ..", path);
        }
    }
    if plan.private.len() > AREAS_MAX {
        return refuse("there are too many private areas", Path::new("/"));
    }
    check_guards(plan)?;
    let is_writable = |path: &Path| plan.mounts.iter().any(|mount| mount.target == path && mount.access == Access::ReadWrite);
    if let Some(overlay) = plan.overlays.iter().find(|overlay| !is_writable(&overlay.target)) {
        return refuse("an overlay needs a writable mount at its place", &overlay.target);
    }
    for mount in &plan.mounts {
        let source = std::fs::canonicalize(&mount.source).map_err(|source| Error::Path {
            attempt: "find".into(),
            path: mount.source.clone(),
            source,
        })?;
        for kernel in ["/proc", "/sys", "/dev"] {
            if Path::new(kernel).starts_with(&source) || source.starts_with(kernel) {
                return refuse("a mount may not hold the host's /proc, /sys or /dev", &mount.source);
            }
        }
        if mount.target == Path::new("/") || mount.target.starts_with("/proc") || mount.target.starts_with("/dev") {
            return refuse("a mount may not stand at /, /proc or /dev", &mount.target);
        }
    }
    Ok(())
}

/// Guards that could not hold.
fn check_guards(plan: &Plan) -> Result<(), Error> {
    let refuse = |problem, path: &Path| Err(Error::Plan { problem, path: path.to_owned() });
    let Some(first) = plan.guards.first() else { return Ok(()) };
    if !plan.observe_files {
        return refuse("paths can be guarded only where files are observed", &first.folder);
    }
    if plan.guards.len() > GUARDS_MAX {
        return refuse("there are too many guarded paths", &first.folder);
    }
    let stands = |folder: &Path| plan.mounts.iter().any(|mount| mount.target == folder);
    match plan.guards.iter().find(|guard| !stands(&guard.folder)) {
        Some(guard) => refuse("paths can be guarded below a mount only", &guard.folder),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
