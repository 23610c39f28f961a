//! Makes a tree what a state says, step by step. Each step leaves a path as it was or as it is to be, so that after a loss of power or a
//! kill the same call goes on where the other stopped.

use super::compare::{Change, Difference};
use super::entry::{Entry, Kind};
use super::manifest::Manifest;
use super::objects::{self, Objects};
use super::tree::{Tree, names, set_mode, through};
use super::{Digest, Error};
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use std::collections::{BTreeSet, HashMap};
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::Seek;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Begins the names of files that are being written in the tree.
const PARTIAL: &str = ".bailiwick-part-";

/// Whether a name in the tree is one of ours that a kill left behind.
pub(super) fn is_partial(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(PARTIAL.as_bytes()))
}

/// A tree that is to become what `target` says.
pub(super) struct Restore<'a> {
    pub(super) tree: &'a Tree,
    pub(super) objects: &'a Objects,
    /// How it is now.
    pub(super) current: &'a Manifest,
    /// How it is to be.
    pub(super) target: &'a Manifest,
    /// Whether folders in which something was restored get back their own times too.
    pub(super) is_whole: bool,
}

impl Restore<'_> {
    /// Does what `selected` says, a part of all the `changes` from the current state to the target.
    pub(super) fn apply(&self, changes: &[Change], selected: &BTreeSet<PathBuf>) -> Result<(), Error> {
        let mine = || changes.iter().filter(|change| selected.contains(&change.path));
        let partials = self.current.entries.keys().filter(|path| is_partial(path) && self.target.get(path).is_none());
        let gone = mine().filter(|change| matches!(change.difference, Difference::Deleted | Difference::Retyped));
        let gone: BTreeSet<&PathBuf> = gone.map(|change| &change.path).chain(partials).collect();
        gone.into_iter().rev().try_for_each(|path| self.remove(path))?;
        let leaders = self.target.leaders();
        let all: BTreeSet<&Path> = changes.iter().map(|change| change.path.as_path()).collect();
        for change in mine() {
            let Some(entry) = self.target.get(&change.path) else { continue };
            // A name that shares the file of another needs that other to be right by now.
            let is_right = |leader: &&&Path| selected.contains(**leader) || !all.contains(**leader);
            let leader = leaders.get(change.path.as_path()).filter(is_right).copied();
            self.make(change, entry, leader)?;
        }
        self.settle_folders(selected)?;
        let root = self.tree.folder(Path::new(""))?;
        let opened = rustix::fs::openat(&root, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        opened.and_then(rustix::fs::syncfs).map_err(Error::errno("make durable", self.tree.path()))
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        let failed = Error::errno("remove", &self.tree.host(path));
        let (folder, name) = match self.tree.parent(path) {
            Err(Error::Io { source, .. }) if super::tree::is_absent(&source) => return Ok(()),
            other => other?,
        };
        match rustix::fs::unlinkat(&folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(Errno::ISDIR | Errno::PERM) => match rustix::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => Ok(()),
                Err(Errno::NOTEMPTY | Errno::EXIST) if self.is_deep(path) => remove_all(folder.as_fd(), name).map_err(failed),
                Err(errno) => Err(failed(errno)),
            },
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Whether a folder is one that was not looked into.
    fn is_deep(&self, path: &Path) -> bool {
        self.current.get(path).is_some_and(|entry| entry.kind == Kind::Special) || is_partial(path)
    }

    fn make(&self, change: &Change, entry: &Entry, leader: Option<&Path>) -> Result<(), Error> {
        let path = change.path.as_path();
        match (&entry.kind, change.difference) {
            (Kind::Folder, Difference::Added | Difference::Retyped) => {
                let (folder, name) = self.tree.parent(path)?;
                match rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o700)) {
                    Ok(()) | Err(Errno::EXIST) => Ok(()),
                    Err(errno) => Err(Error::errno("make the folder", &self.tree.host(path))(errno)),
                }
            }
            // Folders are done last, when nothing in them changes any more.
            (_, Difference::Deleted) | (Kind::Special | Kind::Folder, _) => Ok(()),
            (Kind::File { .. }, Difference::Mode | Difference::Time) => self.set(path, entry),
            (Kind::File { digest, .. }, _) => self.replace(path, |folder, name| match (leader, digest) {
                (Some(leader), _) => self.link(leader, folder, name),
                (None, Some(digest)) => self.write(path, entry, *digest, (folder, name)),
                (None, None) => Err(Error::Damaged {
                    id: super::shown(path),
                    what: "the content of this path was not kept, since nothing of Bailiwick's changed it".to_owned(),
                }),
            }),
            (Kind::Link { target }, _) => self.replace(path, |folder, name| {
                let failed = Error::errno("make the link", &self.tree.host(path));
                rustix::fs::symlinkat(target, folder, name).map_err(failed)?;
                set_times(folder, name, entry).map_err(Error::errno("set the times of", &self.tree.host(path)))?;
                self.set_owner(folder, name, entry, path)
            }),
        }
    }

    /// Makes something new beside a path, then gives it the path's name.
    fn replace(&self, path: &Path, make: impl FnOnce(BorrowedFd<'_>, &OsStr) -> Result<(), Error>) -> Result<(), Error> {
        let (folder, name) = self.tree.parent(path)?;
        let partial = partial_name().map_err(Error::errno("name a new file for", &self.tree.host(path)))?;
        let replaced = make(folder.as_fd(), &partial).and_then(|()| {
            rustix::fs::renameat(&folder, partial.as_os_str(), &folder, name).map_err(Error::errno("put in place", &self.tree.host(path)))
        });
        replaced.inspect_err(|_| {
            // The next rollback takes it away if this does not.
            let _left = rustix::fs::unlinkat(&folder, partial.as_os_str(), AtFlags::empty());
        })
    }

    fn link(&self, leader: &Path, folder: BorrowedFd<'_>, name: &OsStr) -> Result<(), Error> {
        let (from, leader_name) = self.tree.parent(leader)?;
        let failed = Error::errno("make another name of", &self.tree.host(leader));
        rustix::fs::linkat(&from, leader_name, folder, name, AtFlags::empty()).map_err(failed)
    }

    fn write(&self, path: &Path, entry: &Entry, digest: Digest, place: (BorrowedFd<'_>, &OsStr)) -> Result<(), Error> {
        let (folder, name) = place;
        let host = self.tree.host(path);
        let damaged = |what: &str| Error::Damaged { id: super::shown(path), what: what.to_owned() };
        let mut kept = self.objects.open(digest).map_err(|_| damaged("its kept content is gone"))?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(0o600)).map_err(Error::errno("write", &host))?;
        let mut made = File::from(made);
        let written = if rustix::fs::ioctl_ficlone(&made, &kept).is_ok() {
            made.rewind().and_then(|()| objects::copy(&mut made, &mut std::io::sink()))
        } else {
            objects::copy_to_file(&mut kept, &mut made)
        };
        if written.map_err(Error::io("write", &host))? != digest {
            return Err(damaged("its kept content was altered"));
        }
        self.set_all(folder, name, entry, path)
    }

    /// Gives a file or folder that is in place its mode, owner, attributes and times.
    fn set(&self, path: &Path, entry: &Entry) -> Result<(), Error> {
        if path.as_os_str().is_empty() {
            let root = self.tree.folder(path)?;
            return self.set_all(root.as_fd(), OsStr::new("."), entry, path);
        }
        let (folder, name) = self.tree.parent(path)?;
        self.set_all(folder.as_fd(), name, entry, path)
    }

    fn set_all(&self, folder: BorrowedFd<'_>, name: &OsStr, entry: &Entry, path: &Path) -> Result<(), Error> {
        self.set_owner(folder, name, entry, path)?;
        let host = self.tree.host(path);
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let found = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(Error::errno("look at", &host))?;
        let stat = rustix::fs::fstat(&found).map_err(Error::errno("look at", &host))?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            return Err(Error::errno("set the mode of", &host)(Errno::LOOP));
        }
        // Attributes need the right to write, which the mode may take away.
        let now = self.tree.describe(folder, name, &stat, None)?;
        if now.attributes != entry.attributes {
            set_mode(found.as_fd(), entry.mode | 0o600).map_err(Error::errno("set the mode of", &host))?;
            set_attributes(found.as_fd(), &now, entry).map_err(Error::errno("set the attributes of", &host))?;
        }
        set_mode(found.as_fd(), entry.mode).map_err(Error::errno("set the mode of", &host))?;
        set_times(folder, name, entry).map_err(Error::errno("set the times of", &host))
    }

    fn set_owner(&self, folder: BorrowedFd<'_>, name: &OsStr, entry: &Entry, path: &Path) -> Result<(), Error> {
        let failed = Error::errno("give back to its owner", &self.tree.host(path));
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(errno) => return Err(failed(errno)),
        };
        if (stat.st_uid, stat.st_gid) == entry.owner {
            return Ok(());
        }
        let (user, group) = (Uid::from_raw(entry.owner.0), Gid::from_raw(entry.owner.1));
        rustix::fs::chownat(folder, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW).map_err(failed)
    }

    /// Gives folders what is theirs: every change in a folder changes its time.
    fn settle_folders(&self, selected: &BTreeSet<PathBuf>) -> Result<(), Error> {
        let mut touched: BTreeSet<&Path> = selected.iter().filter_map(|path| path.parent()).collect();
        touched.extend(selected.iter().map(PathBuf::as_path));
        for path in touched.into_iter().rev() {
            let is_asked = self.is_whole || selected.contains(path) || self.current.get(path).is_none();
            let Some(entry) = self.target.get(path).filter(|entry| entry.is_folder() && is_asked) else { continue };
            if self.tree.entry(path)?.is_none_or(|now| Entry { stamp: entry.stamp, ..now } != *entry) {
                self.set(path, entry)?;
            }
        }
        Ok(())
    }
}

fn partial_name() -> rustix::io::Result<OsString> {
    let mut random = [0_u8; 8];
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
    Ok(OsString::from(format!("{PARTIAL}{}", data_encoding::HEXLOWER.encode(&random))))
}

fn set_times(folder: BorrowedFd<'_>, name: &OsStr, entry: &Entry) -> rustix::io::Result<()> {
    let time = Timespec { tv_sec: entry.modified.seconds, tv_nsec: entry.modified.nanoseconds };
    rustix::fs::utimensat(folder, name, &Timestamps { last_access: time, last_modification: time }, AtFlags::SYMLINK_NOFOLLOW)
}

fn set_attributes(file: BorrowedFd<'_>, now: &Entry, entry: &Entry) -> rustix::io::Result<()> {
    let path = through(file, OsStr::new(""));
    let wanted: HashMap<&[u8], &[u8]> = entry.attributes.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect();
    for (name, _) in now.attributes.iter().filter(|(name, _)| !wanted.contains_key(name.as_slice())) {
        rustix::fs::removexattr(&path, CString::new(name.as_slice()).map_err(|_| Errno::INVAL)?)?;
    }
    for (name, value) in wanted {
        rustix::fs::setxattr(&path, CString::new(name).map_err(|_| Errno::INVAL)?, value, XattrFlags::empty())?;
    }
    Ok(())
}

/// Removes a folder and all that is in it, however deep: each folder in it is moved beside the others before it is looked into, so that
/// no path grows.
pub(super) fn remove_all(folder: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<()> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let grave = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let unlock = |fd: BorrowedFd<'_>| set_mode(fd, 0o700);
    let _not_ours = unlock(grave.as_fd());
    loop {
        let mut is_empty = true;
        for inner in names(grave.as_fd())? {
            match rustix::fs::unlinkat(&grave, inner.as_os_str(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::ISDIR | Errno::PERM) => {}
                Err(errno) => return Err(errno),
            }
            is_empty = false;
            let opened = rustix::fs::openat(&grave, inner.as_os_str(), flags, Mode::empty())?;
            let _not_ours = unlock(opened.as_fd());
            for deeper in names(opened.as_fd())? {
                match rustix::fs::unlinkat(&opened, deeper.as_os_str(), AtFlags::empty()) {
                    Ok(()) | Err(Errno::NOENT) => {}
                    Err(Errno::ISDIR | Errno::PERM) => {
                        // A folder can only be moved by one who may write it: its `..` changes.
                        let moved = rustix::fs::openat(&opened, deeper.as_os_str(), flags, Mode::empty())?;
                        let _not_ours = unlock(moved.as_fd());
                        rustix::fs::renameat(&opened, deeper.as_os_str(), &grave, partial_name()?.as_os_str())?;
                    }
                    Err(errno) => return Err(errno),
                }
            }
            rustix::fs::unlinkat(&grave, inner.as_os_str(), AtFlags::REMOVEDIR)?;
        }
        if is_empty {
            break;
        }
    }
    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
}
