//! A folder that is to be renamed takes all below it along: nothing guarded may leave its place that way, or come to one.

use super::Refused;
use super::place::Entry;
use crate::guard::{Guards, Standing};
use crate::kernel::open_how;
use crate::opener::request::listing;
use rustix::fs::{Dir, FileType};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most files and folders that are looked through.
const ENTRIES_MAX: usize = 65_536;

/// Looks through all that a folder takes along.
pub(super) fn check(guards: &Guards, from: &Entry, to: &Path) -> Result<(), Refused> {
    let name = CString::new(from.name().as_bytes()).map_err(|_| Errno::INVAL)?;
    let root = open(from.folder.as_fd(), &name).map_err(|errno| unseen(from, errno))?;
    let mut folders = VecDeque::from([PathBuf::new()]);
    let mut seen = 0;
    while let Some(folder) = folders.pop_front() {
        for (name, kind) in list(&root, &folder).map_err(|errno| unseen(from, errno))? {
            seen += 1;
            if seen > ENTRIES_MAX {
                // As between file systems: whoever moves something then copies it, name by name.
                return Err(Refused { errno: Errno::XDEV, path: Some(from.path.clone()), is_guarded: true });
            }
            let path = folder.join(OsStr::from_bytes(&name));
            for place in [from.path.join(&path), to.join(&path)] {
                match guards.standing(&place) {
                    Standing::Free => {}
                    Standing::Leads if kind == FileType::Directory => {}
                    Standing::Leads | Standing::Guarded(_) => return Err(Refused::guarded(place)),
                }
            }
            if kind == FileType::Directory {
                folders.push_back(path);
            }
        }
    }
    Ok(())
}

/// What cannot be looked through is not moved.
fn unseen(from: &Entry, errno: Errno) -> Refused {
    let is_guarded = errno == Errno::ACCESS;
    Refused { errno, path: Some(from.path.clone()), is_guarded }
}

fn list(root: &OwnedFd, folder: &Path) -> Result<Vec<(Vec<u8>, FileType)>, Errno> {
    let path = CString::new(folder.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)?;
    let opened = if path.as_bytes().is_empty() { open(root.as_fd(), c".") } else { open(root.as_fd(), &path) }?;
    let mut entries = Vec::new();
    for entry in Dir::new(opened)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let mut kind = entry.file_type();
        if kind == FileType::Unknown {
            let stat = rustix::fs::statat(root, folder.join(OsStr::from_bytes(name)), rustix::fs::AtFlags::SYMLINK_NOFOLLOW)?;
            kind = FileType::from_raw_mode(stat.st_mode);
        }
        entries.push((name.to_owned(), kind));
        if entries.len() > ENTRIES_MAX {
            break;
        }
    }
    Ok(entries)
}

/// Opens a folder for listing, without following any link.
fn open(folder: std::os::fd::BorrowedFd<'_>, path: &std::ffi::CStr) -> Result<OwnedFd, Errno> {
    open_how(folder, path, &listing())
}
