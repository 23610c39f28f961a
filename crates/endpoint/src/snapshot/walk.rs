//! Looks through a workspace.

use super::Error;
use super::entry::{Entry, Kind};
use super::manifest::Manifest;
use super::tree::{Tree, names};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Longest path in a workspace, in bytes; whatever lies deeper is noted as one entry.
const PATH_BYTES_MAX: usize = 3500;

/// Lists everything in the tree. `known` is an earlier state: of what has not changed since, content and attributes are taken from there.
///
/// # Errors
/// [`Error::TooMuch`] beyond `entries_max`; [`Error::Io`] where something cannot be looked at.
pub(super) fn walk(tree: &Tree, known: &Manifest, entries_max: u64) -> Result<Manifest, Error> {
    let mut found = Manifest::default();
    let root = tree.entry(Path::new(""))?;
    found.entries.extend(root.map(|entry| (PathBuf::new(), entry)));
    let mut waiting = vec![PathBuf::new()];
    while let Some(folder) = waiting.pop() {
        for (path, entry) in list(tree, &folder, known)? {
            if found.entries.len() as u64 >= entries_max {
                return Err(Error::TooMuch { path: tree.path().to_owned(), what: "more entries" });
            }
            if entry.is_folder() {
                waiting.push(path.clone());
            }
            found.entries.insert(path, entry);
        }
    }
    Ok(found)
}

fn list(tree: &Tree, folder: &Path, known: &Manifest) -> Result<Vec<(PathBuf, Entry)>, Error> {
    let opened = tree.folder(folder)?;
    let mut listed = Vec::new();
    for name in names(opened.as_fd()).map_err(Error::errno("list", &tree.host(folder)))? {
        let path = folder.join(&name);
        let stat = match rustix::fs::statat(&opened, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // It went away in between.
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(Error::errno("look at", &tree.host(&path))(errno)),
        };
        let mut entry = tree.describe(opened.as_fd(), &name, &stat, known.get(&path))?;
        if entry.is_folder() && path.as_os_str().len() > PATH_BYTES_MAX {
            entry.kind = Kind::Special;
        }
        listed.push((path, entry));
    }
    Ok(listed)
}
