//! A workspace seen through one descriptor: every path is looked up beneath it and through no link, so that nothing that was planted
//! there leads elsewhere.

use super::Error;
use super::entry::{Attributes, Entry, Kind, Moment, Stamp};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// How often a lookup is tried that someone else's renames disturb.
const LOOKUPS_MAX: usize = 16;
/// Most bytes of the names of a file's attributes, and of one value: the kernel's own bounds.
const ATTRIBUTE_BYTES_MAX: usize = 64 * 1024;
/// Attributes that users and their programs set.
const ATTRIBUTE_PREFIX: &[u8] = b"user.";

/// A folder, and everything beneath it.
#[derive(Debug)]
pub(super) struct Tree {
    root: OwnedFd,
    path: PathBuf,
    /// Whether what its owner may not enter or read is opened by changing its mode for a moment.
    opens_locked: bool,
}

impl Tree {
    /// Opens the folder at a path without links.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let root = rustix::fs::openat2(CWD, path, flags, Mode::empty(), resolve).map_err(Error::errno("open the folder", path))?;
        Ok(Self { root, path: path.to_owned(), opens_locked: false })
    }

    /// The same, for one who may change modes.
    pub(super) fn open_for_repair(path: &Path) -> Result<Self, Error> {
        Ok(Self { opens_locked: true, ..Self::open(path)? })
    }

    /// Whether it was opened by one who may change modes.
    pub(super) fn is_for_repair(&self) -> bool {
        self.opens_locked
    }

    /// The folder's own path on the host.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path on the host of something in it, for messages.
    pub(super) fn host(&self, path: &Path) -> PathBuf {
        if path.as_os_str().is_empty() { self.path.clone() } else { self.path.join(path) }
    }

    fn look_up(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let mut tries = 0;
        loop {
            match rustix::fs::openat2(&self.root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) if tries < LOOKUPS_MAX => tries += 1,
                other => return other,
            }
        }
    }

    /// A folder in it, to look names up in.
    pub(super) fn folder(&self, path: &Path) -> Result<Folder, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let failed = |errno| Error::errno("open the folder", &self.host(path))(errno);
        let mut locks = Vec::new();
        let found = match self.look_up(path, flags) {
            Err(Errno::ACCESS) if self.opens_locked => {
                locks = self.unlock_above(path).map_err(failed)?;
                self.look_up(path, flags)
            }
            other => other,
        };
        let found = found.map_err(failed)?;
        if self.opens_locked {
            locks.extend(Lock::open(&found, 0o700).map_err(failed)?);
        }
        Ok(Folder { found, _locks: locks })
    }

    /// Opens every folder above a path, from the top.
    fn unlock_above(&self, path: &Path) -> rustix::io::Result<Vec<Lock>> {
        let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
        above.reverse();
        let mut locks = Vec::new();
        for folder in above {
            let found = self.look_up(folder, OFlags::PATH | OFlags::DIRECTORY)?;
            locks.extend(Lock::open(&found, 0o700)?);
        }
        Ok(locks)
    }

    /// The folder that holds a path, and the path's last name.
    pub(super) fn parent<'a>(&self, path: &'a Path) -> Result<(Folder, &'a OsStr), Error> {
        let name = path.file_name().unwrap_or(OsStr::new("."));
        Ok((self.folder(path.parent().unwrap_or(Path::new("")))?, name))
    }

    /// A regular file, for reading. Never waits, whatever was put in its place.
    pub(super) fn file(&self, path: &Path) -> Result<File, Error> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
        let host = self.host(path);
        let opened = match self.look_up(path, flags) {
            Err(Errno::ACCESS) if self.opens_locked => self.open_locked(path, flags),
            other => other,
        };
        let file = opened.map_err(Error::errno("read", &host))?;
        let stat = rustix::fs::fstat(&file).map_err(Error::errno("look at", &host))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Error::errno("read as a file", &host)(Errno::INVAL));
        }
        Ok(File::from(file))
    }

    fn open_locked(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let _above = self.unlock_above(path)?;
        let found = self.look_up(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let _lock = Lock::open(&found, 0o400)?;
        self.look_up(path, flags)
    }

    /// What is at a path, if something is.
    pub(super) fn entry(&self, path: &Path) -> Result<Option<Entry>, Error> {
        if path.as_os_str().is_empty() {
            let folder = self.folder(path)?;
            let stat = rustix::fs::fstat(&folder).map_err(Error::errno("look at", &self.path))?;
            return self.describe(folder.as_fd(), OsStr::new("."), &stat, None).map(Some);
        }
        let (folder, name) = match self.parent(path) {
            Ok(found) => found,
            Err(Error::Io { source, .. }) if is_absent(&source) => return Ok(None),
            Err(error) => return Err(error),
        };
        match rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => self.describe(folder.as_fd(), name, &stat, None).map(Some),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(Error::errno("look at", &self.host(path))(errno)),
        }
    }

    /// An entry from what the file system says of it; what `known` has is taken from there if it is still the same file, unchanged.
    pub(super) fn describe(&self, folder: BorrowedFd<'_>, name: &OsStr, stat: &Stat, known: Option<&Entry>) -> Result<Entry, Error> {
        let stamp = stamp(stat);
        let path = || self.path.join(name);
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Kind::Folder,
            FileType::RegularFile => Kind::File { size, digest: None },
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(folder, name, Vec::new()).map_err(Error::errno("read the link", &path()))?;
                Kind::Link { target: OsString::from_vec(target.into_bytes()) }
            }
            FileType::Fifo | FileType::Socket | FileType::CharacterDevice | FileType::BlockDevice | FileType::Unknown => Kind::Special,
        };
        let modified = Moment { seconds: stat.st_mtime, nanoseconds: stat.st_mtime_nsec.try_into().unwrap_or(0) };
        let (mode, owner) = (stat.st_mode & 0o7777, (stat.st_uid, stat.st_gid));
        let fresh = Entry { kind, mode, owner, modified, stamp, attributes: Vec::new() };
        if let Some(known) =
            known.filter(|known| known.stamp == stamp && known.looks_like(&fresh) && known.is_folder() == fresh.is_folder())
        {
            return Ok(Entry { kind: known.kind.clone(), attributes: known.attributes.clone(), ..fresh });
        }
        let attributes = match fresh.kind {
            Kind::Folder | Kind::File { .. } => attributes(folder, name).map_err(Error::errno("read the attributes of", &path()))?,
            Kind::Link { .. } | Kind::Special => Vec::new(),
        };
        Ok(Entry { attributes, ..fresh })
    }
}

/// Which file it is, and when it last changed.
pub(super) fn stamp(stat: &Stat) -> Stamp {
    let changed = Moment { seconds: stat.st_ctime, nanoseconds: stat.st_ctime_nsec.try_into().unwrap_or(0) };
    Stamp { device: stat.st_dev, inode: stat.st_ino, changed }
}

/// Whether an error says that there is nothing at a path.
pub(super) fn is_absent(error: &std::io::Error) -> bool {
    let absent = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP];
    absent.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// A folder of the tree. Locks that had to be opened to reach it close when it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    found: OwnedFd,
    _locks: Vec<Lock>,
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.found.as_fd()
    }
}

/// Something whose mode kept its own owner out, until this is dropped.
#[derive(Debug)]
struct Lock {
    locked: OwnedFd,
    mode: u32,
}

impl Lock {
    /// Gives the owner `rights` where they are missing.
    fn open(found: &OwnedFd, rights: u32) -> rustix::io::Result<Option<Self>> {
        let stat = rustix::fs::fstat(found)?;
        let (mode, user) = (stat.st_mode & 0o7777, rustix::process::geteuid());
        // Root enters everywhere; of what belongs to another nobody else may change the mode.
        if mode & rights == rights || user.is_root() || stat.st_uid != user.as_raw() {
            return Ok(None);
        }
        set_mode(found.as_fd(), mode | rights)?;
        Ok(Some(Self { locked: found.try_clone().map_err(|_| Errno::MFILE)?, mode }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It may have been removed meanwhile.
        let _gone = set_mode(self.locked.as_fd(), self.mode);
    }
}

/// Changes the mode of what a descriptor leads to, also where it was opened without any right.
pub(super) fn set_mode(file: BorrowedFd<'_>, mode: u32) -> rustix::io::Result<()> {
    rustix::fs::chmodat(CWD, through(file, OsStr::new("")), Mode::from_raw_mode(mode), AtFlags::empty())
}

/// A path through a descriptor of this process, for calls that know no descriptors; `name` itself is not followed by those that say so.
pub(super) fn through(folder: BorrowedFd<'_>, name: &OsStr) -> PathBuf {
    let folder = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    if name.is_empty() { folder } else { folder.join(name) }
}

fn attributes(folder: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<Attributes> {
    let path = through(folder, name);
    let mut names = [0_u8; 1024];
    let found = match rustix::fs::llistxattr(&path, &mut names) {
        Ok(length) => names.get(..length).unwrap_or_default().to_vec(),
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Err(Errno::RANGE) => {
            let mut names = vec![0; ATTRIBUTE_BYTES_MAX];
            let length = rustix::fs::llistxattr(&path, names.as_mut_slice())?;
            names.truncate(length);
            names
        }
        Err(errno) => return Err(errno),
    };
    let mut attributes = Vec::new();
    for name in found.split(|byte| *byte == 0).filter(|name| name.starts_with(ATTRIBUTE_PREFIX)) {
        let mut value = vec![0; ATTRIBUTE_BYTES_MAX];
        let Ok(key) = CString::new(name) else { continue };
        let length = rustix::fs::lgetxattr(&path, &key, value.as_mut_slice())?;
        value.truncate(length);
        attributes.push((name.to_vec(), value));
    }
    attributes.sort();
    Ok(attributes)
}

/// The names in a folder, sorted.
pub(super) fn names(folder: BorrowedFd<'_>) -> rustix::io::Result<Vec<OsString>> {
    let opened = rustix::fs::openat(folder, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(opened)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort();
    Ok(names)
}
