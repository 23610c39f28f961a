use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use std::collections::BTreeSet;
use std::ffi::CStr;
use std::os::fd::OwnedFd;

/// Most entries and deepest folder that a count takes in. A session with more cannot be counted.
const ENTRIES_MAX: u64 = 4 << 20;
const DEPTH_MAX: usize = 256;
/// Bytes of a block as stat(2) counts them.
const BLOCK_BYTES: u64 = 512;

/// A count, under way, of what the files below a folder take that were changed since a time: the change time is the kernel's, and nobody
/// sets it. Follows no link.
pub(super) struct Walk {
    count: Count,
    open: Vec<Dir>,
}

impl Walk {
    /// Begins at a folder; counts what lies on its device and was changed since `start` (seconds since 1970).
    pub(super) fn new(top: &OwnedFd, device: u64, start: i64) -> Result<Self, Uncounted> {
        let count = Count { device, start, entries: 0, bytes: 0, linked: BTreeSet::new() };
        Ok(Self { count, open: vec![Dir::read_from(top).map_err(|_| Uncounted)?] })
    }

    /// What was counted so far.
    pub(super) fn bytes(&self) -> u64 {
        self.count.bytes
    }

    /// Goes through some more entries; the bytes once there are no more.
    pub(super) fn go_on(&mut self, entries: usize) -> Result<Option<u64>, Uncounted> {
        for _ in 0..entries {
            let Some(folder) = self.open.last_mut() else { return Ok(Some(self.count.bytes)) };
            let Some(entry) = folder.next() else {
                self.open.pop();
                continue;
            };
            let entry = entry.map_err(|_| Uncounted)?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            if let Some(below) = self.count.take(folder, name)? {
                self.open.push(below);
            }
            if self.open.len() > DEPTH_MAX {
                return Err(Uncounted);
            }
        }
        Ok(None)
    }
}

/// It cannot be told what a folder holds, or there is too much to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uncounted;

struct Count {
    device: u64,
    start: i64,
    entries: u64,
    bytes: u64,
    /// Files with several names that were counted.
    linked: BTreeSet<u64>,
}

impl Count {
    /// Counts one entry; a folder is given back to be gone through.
    fn take(&mut self, folder: &Dir, name: &CStr) -> Result<Option<Dir>, Uncounted> {
        self.entries += 1;
        if self.entries > ENTRIES_MAX {
            return Err(Uncounted);
        }
        let folder = folder.fd().map_err(|_| Uncounted)?;
        // Gone again, and with it what it held.
        let Ok(stat) = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { return Ok(None) };
        if stat.st_dev != self.device {
            return Ok(None);
        }
        let is_changed = stat.st_ctime >= self.start;
        if is_changed && (stat.st_nlink < 2 || is_folder(&stat) || self.linked.insert(stat.st_ino)) {
            self.bytes = self.bytes.saturating_add(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(BLOCK_BYTES));
        }
        if !is_folder(&stat) {
            return Ok(None);
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(folder, name, flags, Mode::empty()).and_then(Dir::new) {
            Ok(below) => Ok(Some(below)),
            // Replaced or removed meanwhile.
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => Ok(None),
            // One that was shut before the session holds nothing of its own; one that the session shut may hold anything.
            Err(_) if !is_changed => Ok(None),
            Err(_) => Err(Uncounted),
        }
    }
}

fn is_folder(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_dir()
}

#[cfg(test)]
mod tests;
