//! The long way to a file, one name after the other, for paths that depend on who asks: `/proc/self`, `/proc/thread-self` and the links
//! of procfs that lead to what a process has open. Where the kernel followed such a link for the warden, it would be the warden's own.

use super::request::{How, lookup};
use super::target::{Target, path_of};
use crate::kernel::open_how;
use libc::{RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, fstatfs, openat, readlinkat};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// How many links a path may lead through, as in the kernel. It bounds the walk, since each link's text has a bound too.
const LINKS_MAX: u32 = 40;
/// The root of a procfs (`PROC_ROOT_INO`).
const PROC_ROOT: u64 = 1;
const PROC_MAGIC: i64 = 0x9fa0;
const NAME_ONLY: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

/// Why a path could not be opened, and where on the way.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) errno: Errno,
    /// The place that the path came to, with the names that were left.
    pub(super) place: Option<PathBuf>,
}

/// What a name in a folder is.
enum Found {
    /// A link with this text.
    Link(Vec<u8>),
    /// A link that leads to what a process has open.
    Magic,
    /// Anything else, or nothing.
    Other,
}

/// A walk and what is left of it.
struct Walk<'a> {
    target: Target<'a>,
    how: How,
    folder: OwnedFd,
    names: VecDeque<Vec<u8>>,
    /// Whether the path ended in a slash.
    wants_folder: bool,
    links: u32,
}

/// Opens `path` from `base` (or the root).
pub(super) fn open(target: Target<'_>, base: Option<&OwnedFd>, path: &[u8], how: How) -> Result<OwnedFd, Failure> {
    let early = |errno| Failure { errno, place: None };
    let folder = match base {
        Some(base) if !path.starts_with(b"/") => base.try_clone().map_err(|_| early(Errno::MFILE))?,
        _ => root().map_err(early)?,
    };
    let mut walk = Walk { target, how, folder, names: VecDeque::new(), wants_folder: false, links: 0 };
    walk.put(path);
    walk.finish().map_err(|errno| Failure { errno, place: walk.place() })
}

fn root() -> Result<OwnedFd, Errno> {
    openat(CWD, c"/", NAME_ONLY, Mode::empty())
}

impl Walk<'_> {
    /// Puts the names of a path before those that are left.
    fn put(&mut self, path: &[u8]) {
        if self.names.is_empty() {
            self.wants_folder |= path.ends_with(b"/") || path.ends_with(b"/.");
        }
        for name in path.split(|byte| *byte == b'/').rev() {
            if !name.is_empty() && name != b"." {
                self.names.push_front(name.to_owned());
            }
        }
    }

    fn finish(&mut self) -> Result<OwnedFd, Errno> {
        loop {
            let Some(name) = self.names.pop_front() else {
                return open_how(self.folder.as_fd(), c".", &self.how.at_once(RESOLVE_NO_MAGICLINKS));
            };
            let is_last = self.names.is_empty();
            let text = CString::new(name.clone()).map_err(|_| Errno::INVAL)?;
            let found = if name == b".." { Found::Other } else { self.look(&text).inspect_err(|_| self.names.push_front(name.clone()))? };
            let follows = !is_last || self.wants_folder || self.how.follows();
            let step = match found {
                Found::Link(body) if follows => self.follow(&body).map(|()| None),
                Found::Magic if follows => self.jump(&text, is_last),
                Found::Link(_) | Found::Magic | Found::Other if is_last => self.last(&text).map(Some),
                Found::Link(_) | Found::Magic | Found::Other => self.enter(&text).map(|()| None),
            };
            match step {
                Ok(None) => {}
                Ok(Some(file)) => return Ok(file),
                // What was no link a moment ago is one by now: look again.
                Err(Errno::LOOP) if follows && self.count().is_ok() => self.names.push_front(name),
                Err(errno) => {
                    self.names.push_front(name);
                    return Err(errno);
                }
            }
        }
    }

    fn look(&self, name: &CString) -> Result<Found, Errno> {
        let file = match openat(&self.folder, name.as_c_str(), NAME_ONLY | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(Found::Other),
            Err(errno) => return Err(errno),
        };
        if !FileType::from_raw_mode(fstat(&file)?.st_mode).is_symlink() {
            return Ok(Found::Other);
        }
        if is_procfs(file.as_fd())? {
            if fstat(&self.folder)?.st_ino == PROC_ROOT && [&b"self"[..], b"thread-self"].contains(&name.as_bytes()) {
                let (process, thread) = self.target.numbers()?;
                let own = if name.as_bytes() == b"self" { process } else { format!("{process}/task/{thread}") };
                return Ok(Found::Link(own.into_bytes()));
            }
            if open_how(self.folder.as_fd(), name, &lookup(0, RESOLVE_NO_MAGICLINKS)).err() == Some(Errno::LOOP) {
                return Ok(Found::Magic);
            }
        }
        Ok(Found::Link(readlinkat(&file, c"", Vec::new())?.into_bytes()))
    }

    fn follow(&mut self, body: &[u8]) -> Result<(), Errno> {
        self.count()?;
        if body.starts_with(b"/") {
            self.folder = root()?;
        }
        self.put(body);
        Ok(())
    }

    /// Follows a link of procfs. The kernel checks whether the warden, which has no capability in effect, may look at that process.
    fn jump(&mut self, name: &CString, is_last: bool) -> Result<Option<OwnedFd>, Errno> {
        if self.how.resolve & RESOLVE_NO_MAGICLINKS != 0 {
            return Err(Errno::LOOP);
        }
        self.count()?;
        if is_last && !self.wants_folder {
            return open_how(self.folder.as_fd(), name, &self.how.at_once(0)).map(Some);
        }
        self.folder = openat(&self.folder, name.as_c_str(), NAME_ONLY, Mode::empty())?;
        Ok(None)
    }

    fn enter(&mut self, name: &CString) -> Result<(), Errno> {
        let how = lookup(libc::O_DIRECTORY, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        self.folder = open_how(self.folder.as_fd(), name, &how)?;
        Ok(())
    }

    fn last(&self, name: &CString) -> Result<OwnedFd, Errno> {
        let mut text = name.as_bytes().to_vec();
        if self.wants_folder {
            text.push(b'/');
        }
        let text = CString::new(text).map_err(|_| Errno::INVAL)?;
        let resolve = if self.how.follows() || self.wants_folder { RESOLVE_NO_SYMLINKS } else { 0 };
        open_how(self.folder.as_fd(), &text, &self.how.at_once(resolve | RESOLVE_NO_MAGICLINKS))
    }

    fn count(&mut self) -> Result<(), Errno> {
        self.links += 1;
        if self.links > LINKS_MAX { Err(Errno::LOOP) } else { Ok(()) }
    }

    fn place(&self) -> Option<PathBuf> {
        let mut place = path_of(self.target.host_proc, self.folder.as_fd()).ok()?;
        place.extend(self.names.iter().map(|name| OsStr::from_bytes(name)));
        Some(place)
    }
}

/// Whether a file is one of procfs.
pub(super) fn is_procfs(file: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(fstatfs(file)?.f_type == PROC_MAGIC)
}
