//! A second wall before what is guarded and there already, kept by the kernel: what is protected is mounted over itself, read-only, and
//! what is hidden is covered by something empty. Nothing is made on the host for it.

use super::tree::Tree;
use super::{NOTHING, attach};
use crate::Error;
use crate::guard::{Guard, GuardKind, Guards, Standing};
use crate::kernel::mount_setattr;
use crate::plan::Plan;
use rustix::fs::{Dir, FileType, OFlags};
use rustix::io::Errno;
use rustix::mount::{OpenTreeFlags, open_tree};
use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most files and folders that are looked through for what is to be hidden.
const ENTRIES_MAX: usize = 100_000;

/// Lays the covers over what is mounted already.
pub(super) fn lay(tree: &Tree, plan: &Plan) -> Result<(), Error> {
    for guard in &plan.guards {
        if let (GuardKind::Protected, Some(path)) = (guard.kind, guard.pattern.plain_path()) {
            protect(tree, &guard.folder.join(path))?;
        }
    }
    let hidden: Vec<Guard> = plan.guards.iter().filter(|guard| guard.kind == GuardKind::Hidden).cloned().collect();
    if hidden.is_empty() {
        return Ok(());
    }
    make_empty(tree)?;
    to_hide(tree, &hidden)?.iter().try_for_each(|path| cover(tree, path))
}

/// Mounts what is there over itself, read-only. Links are left alone: the guards keep the name, and what it leads to has its own.
fn protect(tree: &Tree, path: &Path) -> Result<(), Error> {
    match tree.open(path, OFlags::PATH) {
        Ok(found) => over(&found, &found, path),
        Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::ACCESS) => Ok(()),
        Err(errno) => Err(Error::path("look at", path)(errno)),
    }
}

/// What exists of what is to be hidden, outermost only.
fn to_hide(tree: &Tree, hidden: &[Guard]) -> Result<Vec<PathBuf>, Error> {
    let mut found: Vec<PathBuf> = Vec::new();
    // A path without `*` is entered name by name; for any other, everything is looked at.
    let searches = hidden.iter().any(|guard| guard.pattern.is_anywhere() || guard.pattern.plain_path().is_none());
    let guards = Guards::new(hidden);
    let folders: BTreeSet<PathBuf> = hidden.iter().map(|guard| guard.folder.clone()).collect();
    let mut folders: VecDeque<PathBuf> = folders.into_iter().collect();
    let mut seen = 0;
    while let Some(folder) = folders.pop_front() {
        for (name, kind) in list(tree, &folder)? {
            seen += 1;
            if seen > ENTRIES_MAX {
                let problem = "there are too many files to look for what is to be hidden; name its path without `*`";
                return Err(Error::Plan { problem, path: folder });
            }
            let path = folder.join(OsStr::from_bytes(&name));
            match guards.standing(&path) {
                Standing::Guarded(_) if kind != FileType::Symlink => found.push(path),
                // Without a search, only what leads on is entered.
                standing @ (Standing::Free | Standing::Leads) if kind.is_dir() && (searches || standing == Standing::Leads) => {
                    folders.push_back(path);
                }
                Standing::Free | Standing::Leads | Standing::Guarded(_) => {}
            }
        }
    }
    Ok(found)
}

fn list(tree: &Tree, folder: &Path) -> Result<Vec<(Vec<u8>, FileType)>, Error> {
    let opened = match tree.open(folder, OFlags::RDONLY | OFlags::DIRECTORY) {
        Ok(opened) => opened,
        // Another user's, and so out of the agent's reach too.
        Err(Errno::ACCESS) => return Ok(Vec::new()),
        Err(errno) => return Err(Error::path("list", folder)(errno)),
    };
    let mut entries = Vec::new();
    for entry in Dir::new(opened).map_err(Error::path("list", folder))? {
        let entry = entry.map_err(Error::path("list", folder))?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            entries.push((name.to_owned(), entry.file_type()));
        }
        if entries.len() > ENTRIES_MAX {
            break;
        }
    }
    Ok(entries)
}

/// What covers: an empty folder and an empty file, both in the root itself.
const EMPTY_FOLDER: &str = "/.covers/folder";
const EMPTY_FILE: &str = "/.covers/file";

fn make_empty(tree: &Tree) -> Result<(), Error> {
    tree.write(Path::new(EMPTY_FILE), b"")?;
    tree.folder(Path::new(EMPTY_FOLDER)).map(drop)
}

fn cover(tree: &Tree, path: &Path) -> Result<(), Error> {
    let found = tree.open(path, OFlags::PATH).map_err(Error::path("look at", path))?;
    let stat = rustix::fs::fstat(&found).map_err(Error::path("look at", path))?;
    let empty = Path::new(if FileType::from_raw_mode(stat.st_mode).is_dir() { EMPTY_FOLDER } else { EMPTY_FILE });
    let empty = tree.open(empty, OFlags::PATH).map_err(Error::path("open", empty))?;
    over(&empty, &found, path)
}

/// Mounts `source` over what is at `path`, read-only.
fn over(source: &OwnedFd, found: &OwnedFd, path: &Path) -> Result<(), Error> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::AT_EMPTY_PATH;
    let copy = open_tree(source, c"", flags | OpenTreeFlags::OPEN_TREE_CLOEXEC).map_err(Error::path("take a mount for", path))?;
    let recursive = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    mount_setattr(copy.as_fd(), c"", recursive, libc::MOUNT_ATTR_RDONLY, NOTHING).map_err(|source| Error::Path {
        attempt: "make read-only".into(),
        path: path.to_owned(),
        source,
    })?;
    attach(&copy, found.as_fd(), c"").map_err(Error::path("mount over", path))
}
