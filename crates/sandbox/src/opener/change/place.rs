//! What a place is: a name in a folder that was found, or a file that was found.

use super::asked::{Said, Way};
use crate::opener::attempt::Attempt;
use crate::opener::request::Request;
use crate::opener::target::Target;
use crate::opener::{canonical, path_of};
use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) enum Place {
    Entry(Entry),
    Object(Object),
}

/// A name in a folder, there or not.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) folder: OwnedFd,
    /// As it was written, with slashes that follow it.
    pub(super) last: CString,
    /// The canonical path, inside; of `.`, `..` and `/` that of the folder.
    pub(super) path: PathBuf,
    /// False for `.`, `..` and `/`, which the kernel never makes, removes or renames.
    pub(super) is_name: bool,
}

/// A file that was found.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) file: OwnedFd,
    /// Where it is; none for what has no name.
    pub(super) path: Option<PathBuf>,
    /// Whether this is the caller's own descriptor, not a way to the file.
    pub(super) is_descriptor: bool,
}

impl Place {
    pub(super) fn resolve(said: &Said, target: Target<'_>) -> Result<Self, Errno> {
        match said {
            Said::Entry(way) => Entry::resolve(way, target).map(Self::Entry),
            Said::Object(way) => {
                if way.request.path.is_empty() {
                    return Err(Errno::NOENT);
                }
                let attempt = Attempt { target, request: &way.request, base: way.base.as_ref() };
                let file = attempt.find(way.request.how).map_err(|failure| failure.errno)?;
                Object::new(file, false, target).map(Self::Object)
            }
            Said::Descriptor(file) => Object::new(copy(file)?, true, target).map(Self::Object),
            Said::Held(file) => Object::new(copy(file)?, false, target).map(Self::Object),
        }
    }

    /// Where it is; empty for what has no name.
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Entry(entry) => entry.path.clone(),
            Self::Object(object) => object.path.clone().unwrap_or_default(),
        }
    }
}

impl Entry {
    fn resolve(way: &Way, target: Target<'_>) -> Result<Self, Errno> {
        let path = way.request.path.as_bytes();
        if path.is_empty() {
            return Err(Errno::NOENT);
        }
        let (before, last) = split(path);
        let folder = match &way.base {
            Some(base) if before.is_empty() => copy(base)?,
            Some(_) | None => {
                let request = Request::folder(CString::new(before).map_err(|_| Errno::INVAL)?);
                let attempt = Attempt { target, request: &request, base: way.base.as_ref() };
                attempt.find(request.how).map_err(|failure| failure.errno)?
            }
        };
        let folder_path = path_of(target.host_proc, folder.as_fd())?;
        let name = last.split(|byte| *byte == b'/').next().unwrap_or_default();
        let is_name = ![&b""[..], b".", b".."].contains(&name);
        let path = if is_name { folder_path.join(OsStr::from_bytes(name)) } else { folder_path };
        Ok(Self { folder, last: CString::new(last).map_err(|_| Errno::INVAL)?, path, is_name })
    }

    /// The name without what follows it.
    pub(super) fn name(&self) -> &OsStr {
        self.path.file_name().filter(|_| self.is_name).unwrap_or(OsStr::new("."))
    }

    /// What kind of file has the name; links are not followed.
    pub(super) fn kind(&self) -> Result<FileType, Errno> {
        Ok(FileType::from_raw_mode(statat(&self.folder, self.name(), AtFlags::SYMLINK_NOFOLLOW)?.st_mode))
    }
}

impl Object {
    fn new(file: OwnedFd, is_descriptor: bool, target: Target<'_>) -> Result<Self, Errno> {
        let path = canonical(target.host_proc, &file)?;
        Ok(Self { file, path, is_descriptor })
    }

    pub(super) fn kind(&self) -> Result<FileType, Errno> {
        Ok(FileType::from_raw_mode(rustix::fs::fstat(&self.file)?.st_mode))
    }

    /// The path, if it has one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// A path's folder (with its slash) and its last name (with slashes that follow).
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let trimmed = path.iter().rposition(|byte| *byte != b'/').map_or(0, |place| place + 1);
    let start = path.get(..trimmed).and_then(|part| part.iter().rposition(|byte| *byte == b'/')).map_or(0, |place| place + 1);
    // Nothing but slashes: the root, in itself.
    if trimmed == 0 { (b"/", path) } else { path.split_at_checked(start).unwrap_or((b"", path)) }
}

fn copy(file: &OwnedFd) -> Result<OwnedFd, Errno> {
    rustix::io::fcntl_dupfd_cloexec(file, 3)
}

#[cfg(test)]
mod tests;
