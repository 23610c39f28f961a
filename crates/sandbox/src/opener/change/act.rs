//! Makes a change that was checked.

use super::Done;
use super::asked::{Asked, OnFile, OnName, What};
use super::place::{Entry, Object, Place};
use crate::kernel;
use crate::opener::request::again;
use crate::opener::target::own;
use rustix::fs::{AtFlags, FileType, Gid, Mode, RenameFlags, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use schema::event::FileChange;
use std::os::fd::{AsFd, BorrowedFd};

/// What a change needs beside its places.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act<'a> {
    pub(super) host_proc: BorrowedFd<'a>,
    pub(super) file_bytes_max: u64,
}

/// What there will be to report once it is done.
pub(super) fn reports(asked: &Asked, first: &Place, second: Option<&Place>) -> Vec<Done> {
    let path = first.path();
    if path.as_os_str().is_empty() {
        return Vec::new();
    }
    let changed = |change| vec![Done::Changed(path.clone(), change)];
    match &asked.what {
        What::Name(OnName::MakeFolder(_)) | What::File(OnFile::Times(_)) => Vec::new(),
        What::Name(OnName::MakeNode { .. }) | What::File(OnFile::Truncate(_)) => vec![Done::Written(path)],
        What::Name(OnName::MakeLink(_)) => changed(FileChange::Linked),
        What::Name(OnName::RemoveFile | OnName::RemoveFolder) => changed(FileChange::Removed),
        What::Rename { .. } => {
            let mut done = changed(FileChange::RenamedAway);
            done.extend(second.map(|place| Done::Changed(place.path(), FileChange::RenamedHere)));
            done
        }
        What::Link(_) => second.map(|place| Done::Changed(place.path(), FileChange::Linked)).into_iter().collect(),
        What::File(_) => changed(FileChange::Attributes),
    }
}

impl Act<'_> {
    pub(super) fn carry_out(self, asked: &Asked, first: &Place, second: Option<&Place>) -> Result<(), Errno> {
        match (&asked.what, first, second) {
            (What::Name(what), Place::Entry(entry), _) => name(what, entry),
            (What::Rename { flags, .. }, Place::Entry(from), Some(Place::Entry(to))) => {
                let flags = RenameFlags::from_bits_retain(*flags);
                rustix::fs::renameat_with(&from.folder, &from.last, &to.folder, &to.last, flags)
            }
            // By the descriptor: the name may lead elsewhere by now.
            (What::Link(_), Place::Object(object), Some(Place::Entry(to))) => {
                rustix::fs::linkat(self.host_proc, own(object.file.as_fd()), &to.folder, &to.last, AtFlags::SYMLINK_FOLLOW)
            }
            (What::File(what), Place::Object(object), _) => self.file(what, object),
            // No call has such places.
            (What::Name(_) | What::Rename { .. } | What::Link(_) | What::File(_), _, _) => Err(Errno::NOSYS),
        }
    }

    fn file(self, what: &OnFile, object: &Object) -> Result<(), Errno> {
        match what {
            OnFile::Truncate(length) => self.truncate(object, *length),
            OnFile::Mode(mode) if object.is_descriptor => rustix::fs::fchmod(&object.file, Mode::from_raw_mode(*mode)),
            OnFile::Mode(mode) => {
                rustix::fs::chmodat(self.host_proc, own(object.file.as_fd()), Mode::from_raw_mode(*mode), AtFlags::empty())
            }
            OnFile::ExactMode(mode) => kernel::change_mode(object.file.as_fd(), *mode),
            OnFile::Owner { user, group } => owner(object, *user, *group),
            OnFile::Times(times) => set_times(object, times),
            OnFile::SetAttribute { name, value, flags } => {
                let flags = XattrFlags::from_bits_retain(*flags);
                if object.is_descriptor {
                    return rustix::fs::fsetxattr(&object.file, name, value, flags);
                }
                self.here(|| rustix::fs::setxattr(own(object.file.as_fd()), name, value, flags))
            }
            OnFile::RemoveAttribute(name) if object.is_descriptor => rustix::fs::fremovexattr(&object.file, name),
            OnFile::RemoveAttribute(name) => self.here(|| rustix::fs::removexattr(own(object.file.as_fd()), name)),
        }
    }

    /// Opens the file for it: the kernel's own call takes a path. It must not wait for whoever holds a lease.
    fn truncate(self, object: &Object, length: u64) -> Result<(), Errno> {
        let kind = object.kind()?;
        if !kind.is_file() {
            return Err(if kind.is_dir() { Errno::ISDIR } else { Errno::INVAL });
        }
        let file = kernel::open_how(self.host_proc, &own(object.file.as_fd()), &again(libc::O_WRONLY))?;
        // The agent's bound is not the warden's.
        if length > self.file_bytes_max { Err(Errno::FBIG) } else { rustix::fs::ftruncate(&file, length) }
    }

    /// Does something in the folder of the host's processes: some calls take no folder.
    fn here(self, attempt: impl FnOnce() -> Result<(), Errno>) -> Result<(), Errno> {
        rustix::process::fchdir(self.host_proc)?;
        let result = attempt();
        if rustix::process::chdir(c"/").is_err() {
            // It must never resolve a path of the agent's in there.
            kernel::exit_now(1);
        }
        result
    }
}

fn name(what: &OnName, Entry { folder, last, .. }: &Entry) -> Result<(), Errno> {
    match what {
        OnName::MakeFolder(mode) => rustix::fs::mkdirat(folder, last, Mode::from_raw_mode(*mode)),
        OnName::MakeNode { mode, device } => {
            let kind = if mode & libc::S_IFMT == 0 { FileType::RegularFile } else { FileType::from_raw_mode(*mode) };
            rustix::fs::mknodat(folder, last, kind, Mode::from_raw_mode(*mode), *device)
        }
        OnName::MakeLink(text) => rustix::fs::symlinkat(text, folder, last),
        OnName::RemoveFile => rustix::fs::unlinkat(folder, last, AtFlags::empty()),
        OnName::RemoveFolder => rustix::fs::unlinkat(folder, last, AtFlags::REMOVEDIR),
    }
}

fn owner(object: &Object, user: u32, group: u32) -> Result<(), Errno> {
    let kept = |id: u32| Some(id).filter(|id| *id != u32::MAX);
    let (user, group) = (kept(user).map(Uid::from_raw), kept(group).map(Gid::from_raw));
    if object.is_descriptor {
        return rustix::fs::fchown(&object.file, user, group);
    }
    rustix::fs::chownat(&object.file, c"", user, group, AtFlags::EMPTY_PATH)
}

fn set_times(object: &Object, times: &Timestamps) -> Result<(), Errno> {
    if object.is_descriptor {
        return rustix::fs::futimens(&object.file, times);
    }
    rustix::fs::utimensat(&object.file, c"", times, AtFlags::EMPTY_PATH)
}
