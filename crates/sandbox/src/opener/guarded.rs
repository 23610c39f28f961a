//! Whether the guards let a file be opened. Asked before, of what may be made or changed by opening alone, and again of what was opened.

use super::attempt::Attempt;
use super::masked;
use super::request::{How, Request};
use super::target::path_of;
use super::walk::Failure;
use super::{Opener, asked};
use crate::guard::{GuardKind, Standing};
use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What is handed over.
#[derive(Debug)]
pub(super) enum Lent {
    /// The file itself.
    Itself,
    /// A copy without values.
    Copy(OwnedFd),
}

impl Opener {
    /// Refuses an open that would make or change what is guarded.
    pub(super) fn admit(&self, attempt: &Attempt<'_>) -> Result<(), Failure> {
        let how = attempt.request.how;
        if self.guards.is_empty() || !how.changes() {
            return Ok(());
        }
        let found = match attempt.find(how.name_only()) {
            Ok(file) => file,
            Err(failure) if failure.errno == Errno::NOENT && how.has(libc::O_CREAT) => {
                let place = missing(self.host_proc.as_fd(), attempt, failure)?;
                return match self.guards.standing(&place) {
                    Standing::Free => Ok(()),
                    Standing::Leads | Standing::Guarded(_) => Err(refused(place)),
                };
            }
            Err(failure) => return Err(failure),
        };
        let at = |errno| Failure { errno, place: None };
        let path = path_of(self.host_proc.as_fd(), found.as_fd()).map_err(at)?;
        match self.guards.standing(&path) {
            Standing::Free => Ok(()),
            Standing::Leads | Standing::Guarded(_) if how.has(libc::O_CREAT) && how.has(libc::O_EXCL) => Err(at(Errno::EXIST)),
            Standing::Leads if is_folder(&found).map_err(at)? => Ok(()),
            Standing::Guarded(GuardKind::Protected | GuardKind::Masked) | Standing::Leads if how.only_reads() => Ok(()),
            Standing::Leads | Standing::Guarded(_) => Err(refused(path)),
        }
    }

    /// Below what is hidden nothing is there; whoever looks for it is refused.
    pub(super) fn of_hidden(&self, failure: Failure, asked: &Path) -> Failure {
        let place = failure.place.as_deref().unwrap_or(asked);
        let is_hidden = failure.errno == Errno::NOENT && self.guards.standing(place) == Standing::Guarded(GuardKind::Hidden);
        if is_hidden { Failure { errno: Errno::ACCESS, ..failure } } else { failure }
    }

    /// What of an opened file may be handed over.
    pub(super) fn lend(&self, path: &Path, how: How, file: &OwnedFd) -> Result<Lent, Errno> {
        if !self.guards.may_hold(path) {
            return Ok(Lent::Itself);
        }
        let writes = how.access() != libc::O_RDONLY;
        match self.guards.standing(path) {
            Standing::Free => Ok(Lent::Itself),
            Standing::Leads | Standing::Guarded(GuardKind::Protected) if !writes => Ok(Lent::Itself),
            Standing::Leads if is_folder(file)? => Ok(Lent::Itself),
            Standing::Guarded(GuardKind::Masked) if !writes => {
                if is_folder(file)? {
                    return Ok(Lent::Itself);
                }
                masked::copy(self.host_proc.as_fd(), path, file).map(Lent::Copy)
            }
            Standing::Leads | Standing::Guarded(_) => Err(Errno::ACCESS),
        }
    }
}

fn refused(place: PathBuf) -> Failure {
    Failure { errno: Errno::ACCESS, place: Some(place) }
}

fn is_folder(file: &OwnedFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(fstat(file)?.st_mode).is_dir())
}

/// Where a file would be made that is not there.
fn missing(host_proc: BorrowedFd<'_>, attempt: &Attempt<'_>, failure: Failure) -> Result<PathBuf, Failure> {
    let request = attempt.request;
    if !request.how.is_bounded() {
        // The long way says where it came to; on the short way there was no link.
        return Ok(failure.place.unwrap_or_else(|| asked(host_proc, attempt.base, request)));
    }
    let at = |errno| Failure { errno, place: None };
    let path = request.path.as_bytes();
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |place| place + 1);
    let (before, name) = path.split_at_checked(start).ok_or(at(Errno::NOENT))?;
    let before = CString::new(if before.is_empty() { b"." } else { before }).map_err(|_| at(Errno::INVAL))?;
    let request = Request { folder: request.folder, path: before, how: request.how.of_folder() };
    let folder = Attempt { target: attempt.target, request: &request, base: attempt.base }.find(request.how)?;
    let name = OsStr::from_bytes(name);
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(&folder, name, flags, rustix::fs::Mode::empty()) {
        // Something is there, and yet it was not found: a link that leads nowhere. Where it would lead is not worked out.
        Ok(_) => Err(at(Errno::ACCESS)),
        Err(Errno::NOENT) => Ok(path_of(host_proc, folder.as_fd()).map_err(at)?.join(name)),
        Err(errno) => Err(at(errno)),
    }
}
