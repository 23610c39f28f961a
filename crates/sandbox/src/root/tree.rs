use super::attach;
use crate::Error;
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path};

/// The new root while it is being filled. Lookups follow no link, so nothing that a mount brings along can lead elsewhere, and mount
/// points are made only in memory, never on the host.
#[derive(Debug)]
pub(crate) struct Tree {
    root: OwnedFd,
    devices: Vec<u64>,
}

impl Tree {
    /// Takes the (attached) mount that is to become the root.
    pub(crate) fn new(root: OwnedFd) -> Result<Self, Error> {
        let device = rustix::fs::fstat(&root).map_err(Error::errno("look at the new root"))?.st_dev;
        Ok(Self { root, devices: vec![device] })
    }

    /// The root itself.
    pub(crate) fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Device numbers of the file systems in memory.
    pub(crate) fn into_devices(self) -> Vec<u64> {
        self.devices
    }

    /// Attaches a mount at `path`, making the mount point if it lies in memory.
    pub(crate) fn place(&self, path: &Path, mount: &OwnedFd, is_folder: bool) -> Result<(), Error> {
        let point = if is_folder { self.folder(path)? } else { self.file(path)? };
        attach(mount, point.as_fd(), c"").map_err(Error::path("mount", path))
    }

    /// Attaches a file system in memory; mount points may be made in it afterwards.
    pub(crate) fn place_private(&mut self, path: &Path, area: &OwnedFd) -> Result<(), Error> {
        self.place(path, area, true)?;
        self.devices.push(rustix::fs::fstat(area).map_err(Error::path("look at", path))?.st_dev);
        Ok(())
    }

    /// Writes a small read-only file.
    pub(crate) fn write(&self, path: &Path, content: &[u8]) -> Result<(), Error> {
        self.write_as(path, content, 0o444)
    }

    /// Writes a small file of that mode.
    pub(crate) fn write_as(&self, path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
        let (parent, name) = self.parent(path)?;
        self.refuse_host(parent.as_fd(), path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644)).map_err(Error::path("make", path))?;
        let mut rest = content;
        while !rest.is_empty() {
            let written = rustix::io::write(&file, rest).map_err(Error::path("write", path))?;
            rest = rest.get(written..).unwrap_or_default();
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(Error::path("make read-only", path))
    }

    /// Makes a symbolic link.
    pub(crate) fn link(&self, path: &Path, target: &str) -> Result<(), Error> {
        let (parent, name) = self.parent(path)?;
        rustix::fs::symlinkat(target, &parent, name).map_err(Error::path("link", path))
    }

    /// Opens what is at `path`, without following any link.
    pub(crate) fn open(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let relative = path.strip_prefix("/").unwrap_or(path);
        let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(&self.root, relative, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
    }

    /// The folder at `path`, made where it is missing.
    pub(crate) fn folder(&self, path: &Path) -> Result<OwnedFd, Error> {
        let mut reached = std::path::PathBuf::from("/");
        let mut folder = self.open(&reached, OFlags::PATH | OFlags::DIRECTORY).map_err(Error::path("open", path))?;
        for part in path.components() {
            let Component::Normal(name) = part else { continue };
            reached.push(name);
            folder = match self.open(&reached, OFlags::PATH | OFlags::DIRECTORY) {
                Ok(next) => next,
                Err(Errno::NOENT) => {
                    self.refuse_host(folder.as_fd(), &reached)?;
                    rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o755)).map_err(Error::path("make", &reached))?;
                    self.open(&reached, OFlags::PATH | OFlags::DIRECTORY).map_err(Error::path("open", &reached))?
                }
                Err(errno) => return Err(Error::path("reach without following links", &reached)(errno)),
            };
        }
        Ok(folder)
    }

    fn file(&self, path: &Path) -> Result<OwnedFd, Error> {
        match self.open(path, OFlags::PATH) {
            Ok(found) => {
                let stat = rustix::fs::fstat(&found).map_err(Error::path("look at", path))?;
                if FileType::from_raw_mode(stat.st_mode).is_dir() {
                    return Err(Error::Plan { problem: "a file cannot be mounted on a folder", path: path.to_owned() });
                }
                Ok(found)
            }
            Err(Errno::NOENT) => {
                self.write(path, b"")?;
                self.open(path, OFlags::PATH).map_err(Error::path("open", path))
            }
            Err(errno) => Err(Error::path("reach without following links", path)(errno)),
        }
    }

    fn parent<'a>(&self, path: &'a Path) -> Result<(OwnedFd, &'a OsStr), Error> {
        let name = path.file_name().ok_or_else(|| Error::Plan { problem: "a file needs a name", path: path.to_owned() })?;
        let parent = self.folder(path.parent().unwrap_or(Path::new("/")))?;
        Ok((parent, name))
    }

    fn refuse_host(&self, folder: BorrowedFd<'_>, path: &Path) -> Result<(), Error> {
        let device = rustix::fs::fstat(folder).map_err(Error::path("look at", path))?.st_dev;
        if self.devices.contains(&device) {
            return Ok(());
        }
        Err(Error::Plan { problem: "a path inside a mount must exist on the host already", path: path.to_owned() })
    }
}

/// Opens a path of the host, for a device that is to stand inside.
pub(crate) fn host_file(path: &str) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
}
