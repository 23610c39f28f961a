//! Looks through a workspace.

use super::Error;
use super::entry::{Entry, Kind};
use super::manifest::{MANIFEST_BYTES_MAX, Manifest};
use super::tree::{Tree, names};
use rustix::fs::AtFlags;
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Longest path in a workspace, in bytes; whatever lies deeper is noted as one entry.
const PATH_BYTES_MAX: usize = 3500;
/// More than a list begins with, the line of the workspace itself included.
const HEADER_BYTES_MAX: u64 = 1 << 20;

/// What a list may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) entries: u64,
    /// Of the list as text: one that is longer could not be read again.
    pub(super) bytes: u64,
}

impl Room {
    /// Takes room for some more, if there is as much.
    fn take(&mut self, listed: &Listed) -> bool {
        let left = (self.entries.checked_sub(listed.entries.len() as u64), self.bytes.checked_sub(listed.bytes));
        match left {
            (Some(entries), Some(bytes)) => {
                *self = Self { entries, bytes };
                true
            }
            _ => false,
        }
    }
}

/// Lists everything in the tree. `known` is an earlier state: of what has not changed since, content and attributes are taken from there.
/// Where a tree is to be repaired, a folder that holds more than there is room for is noted as one entry, as one that lies too deep: whoever
/// filled it must not stand in the way of the rest. Folders of the earlier state come first.
///
/// # Errors
/// [`Error::TooMuch`] beyond `entries_max` or [`MANIFEST_BYTES_MAX`]; [`Error::Io`] where something cannot be looked at.
pub(super) fn walk(tree: &Tree, known: &Manifest, entries_max: u64) -> Result<Manifest, Error> {
    walk_within(tree, known, Room { entries: entries_max, bytes: MANIFEST_BYTES_MAX - HEADER_BYTES_MAX })
}

/// The same, with another room.
pub(super) fn walk_within(tree: &Tree, known: &Manifest, mut room: Room) -> Result<Manifest, Error> {
    let mut found = Manifest::default();
    let top = tree.entry(Path::new(""))?;
    found.entries.extend(top.map(|entry| (PathBuf::new(), entry)));
    room.entries = room.entries.saturating_sub(found.entries.len() as u64);
    let (mut waiting, mut strange) = (vec![PathBuf::new()], Vec::new());
    while let Some(folder) = waiting.pop().or_else(|| strange.pop()) {
        let listed = list(tree, &folder, known, room)?;
        let Some(listed) = listed.filter(|listed| room.take(listed)) else {
            match found.entries.get_mut(&folder).filter(|_| tree.is_for_repair() && !folder.as_os_str().is_empty()) {
                Some(entry) => entry.kind = Kind::Special,
                None => return Err(Error::TooMuch { path: tree.path().to_owned(), what: "more entries, or longer names," }),
            }
            continue;
        };
        for (path, entry) in listed.entries {
            if entry.is_folder() {
                let is_known = known.get(&path).is_some_and(Entry::is_folder);
                if is_known { waiting.push(path.clone()) } else { strange.push(path.clone()) }
            }
            found.entries.insert(path, entry);
        }
    }
    Ok(found)
}

/// What a folder holds.
struct Listed {
    entries: Vec<(PathBuf, Entry)>,
    bytes: u64,
}

/// What a folder holds; none if that is more than there is room for.
fn list(tree: &Tree, folder: &Path, known: &Manifest, room: Room) -> Result<Option<Listed>, Error> {
    let opened = tree.folder(folder)?;
    let mut listed = Listed { entries: Vec::new(), bytes: 0 };
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
        listed.bytes += entry.encoded_bytes_most(&path);
        listed.entries.push((path, entry));
        if listed.bytes > room.bytes || listed.entries.len() as u64 > room.entries {
            return Ok(None);
        }
    }
    Ok(Some(listed))
}
