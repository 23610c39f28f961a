use rustix::fs::{AtFlags, Dir, FileType, MemfdFlags, Mode, OFlags};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

/// Most descriptors, and most bytes about mappings, that one count goes through. A session with more cannot be counted.
const DESCRIPTORS_MAX: usize = 100_000;
const MAPS_BYTES_MAX: usize = 32 << 20;
/// Bytes of a block as stat(2) counts them.
const BLOCK_BYTES: u64 = 512;

/// The device of files that exist in memory only (memfd_create(2), shared memory without a file).
pub(super) fn memory_device() -> Option<u64> {
    let file = rustix::fs::memfd_create(c"device", MemfdFlags::CLOEXEC).ok()?;
    Some(rustix::fs::fstat(&file).ok()?.st_dev)
}

/// What the files without a name that these processes have open take on a device. None if there are too many to count.
pub(super) fn opened_bytes(processes: &OwnedFd, pids: &[i32], device: u64) -> Option<u64> {
    let mut seen = BTreeMap::new();
    let mut left = DESCRIPTORS_MAX;
    for pid in pids {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(folder) = rustix::fs::openat(processes, format!("{pid}/fd"), flags, Mode::empty()) else { continue };
        let Ok(entries) = Dir::read_from(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            left = left.checked_sub(1)?;
            let Ok(stat) = rustix::fs::statat(&folder, entry.file_name(), AtFlags::empty()) else { continue };
            if stat.st_dev == device && stat.st_nlink == 0 && FileType::from_raw_mode(stat.st_mode).is_file() {
                seen.insert(stat.st_ino, u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(BLOCK_BYTES));
            }
        }
    }
    Some(seen.values().sum())
}

/// How long the memory is that these processes share by mappings of a device: never less than what it holds, also where a process let
/// go of the pages and nothing but the mapping tells of them. None if there are too many to count.
pub(super) fn mapped_bytes(processes: &OwnedFd, pids: &[i32], device: u64) -> Option<u64> {
    let device = format!("{:02x}:{:02x}", rustix::fs::major(device), rustix::fs::minor(device));
    let mut longest: BTreeMap<u64, u64> = BTreeMap::new();
    let mut left = MAPS_BYTES_MAX;
    for pid in pids {
        let Some(text) = super::read(processes, &format!("{pid}/maps"), left) else { continue };
        left = left.checked_sub(text.len()).filter(|left| *left > 0)?;
        for (inode, end) in text.lines().filter_map(|line| shared(line, &device)) {
            let known = longest.entry(inode).or_default();
            *known = end.max(*known);
        }
    }
    Some(longest.values().sum())
}

/// Of a line of proc_pid_maps(5) about shared memory of the device: which file, and how far into it the mapping goes.
pub(super) fn shared(line: &str, device: &str) -> Option<(u64, u64)> {
    let mut fields = line.split_ascii_whitespace();
    let (first, last) = fields.next()?.split_once('-')?;
    let is_shared = fields.next()?.ends_with('s');
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    let (offset, of) = (number(fields.next()?)?, fields.next()?);
    let inode = fields.next()?.parse().ok()?;
    let length = number(last)?.checked_sub(number(first)?)?;
    (is_shared && of == device).then(|| (inode, offset.saturating_add(length)))
}
