use rustix::fs::{AtFlags, Dir, FileType, MemfdFlags, Mode, OFlags};
use std::collections::BTreeSet;
use std::os::fd::OwnedFd;

/// Most descriptors that are looked at in one process: more than any plan allows.
const DESCRIPTORS_SEEN_MAX: usize = 1 << 20;
/// Bytes of a block as stat(2) counts them.
const BLOCK_BYTES: u64 = 512;

/// The device of files that exist in memory only (memfd_create(2)).
pub(super) fn memory_device() -> Option<u64> {
    let file = rustix::fs::memfd_create(c"device", MemfdFlags::CLOEXEC).ok()?;
    Some(rustix::fs::fstat(&file).ok()?.st_dev)
}

/// What the files without a name that these processes have open take on a device.
pub(super) fn bytes(processes: &OwnedFd, pids: &[i32], device: u64) -> u64 {
    let mut seen = BTreeSet::new();
    let mut total = 0_u64;
    for pid in pids {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(folder) = rustix::fs::openat(processes, format!("{pid}/fd"), flags, Mode::empty()) else { continue };
        let Ok(entries) = Dir::read_from(&folder) else { continue };
        for entry in entries.take(DESCRIPTORS_SEEN_MAX).filter_map(Result::ok) {
            let Ok(stat) = rustix::fs::statat(&folder, entry.file_name(), AtFlags::empty()) else { continue };
            let is_ours = stat.st_dev == device && stat.st_nlink == 0 && FileType::from_raw_mode(stat.st_mode).is_file();
            if is_ours && seen.insert(stat.st_ino) {
                total = total.saturating_add(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(BLOCK_BYTES));
            }
        }
    }
    total
}
