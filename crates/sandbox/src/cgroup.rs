//! A control group of the session's own, where the host lends one: bounds on all its processes together.
//!
//! The supervisor makes it and holds a lock on it; the warden moves in before it leaves the host's namespaces. When the supervisor is
//! gone, however it went, the lock is too, and the next session removes the group.

mod hierarchy;

use crate::plan::Limits;
use crate::{Error, kernel};
use hierarchy::{Controller, Hierarchy};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How a session's group is called, before its random part.
const PREFIX: &str = "bailiwick-";
/// How often another name is tried when another process removes the new group before it is locked.
const ATTEMPTS_MAX: usize = 4;
/// Most entries that are looked at, and most groups of ended sessions that one start removes.
const ENTRIES_MAX: usize = 4096;
const STALE_MAX: usize = 64;
/// How often, with which pause, a group is removed whose last process is still on its way out.
const REMOVALS_MAX: usize = 50;
const REMOVAL_PAUSE: std::time::Duration = std::time::Duration::from_millis(2);
/// Longest content of a file that holds one number.
const NUMBER_BYTES: usize = 32;
/// Longest file of counts that is read.
const COUNTS_BYTES: usize = 1024;

/// The session's group, in each hierarchy that has a controller for it. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Group {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    folder: PathBuf,
    controllers: Vec<Controller>,
    is_unified: bool,
    /// Tells the next session that this one lives.
    _lock: OwnedFd,
}

impl Group {
    /// A new group with the plan's bounds, or none if the host lends none.
    pub(crate) fn make(limits: &Limits) -> Option<Self> {
        let places: Vec<Place> = hierarchy::find().iter().filter_map(|hierarchy| Place::make(hierarchy, limits)).collect();
        if places.is_empty() { None } else { Some(Self { places }) }
    }

    /// What the kernel counts at the group's bounds, to be read back by the supervisor while the group is there.
    pub(crate) fn counters(&self) -> Counters {
        let mut counters = Counters { is_unified: self.places.iter().all(|place| place.is_unified), ..Counters::default() };
        for place in &self.places {
            let open = |file: &str| File::open(place.folder.join(file)).ok();
            if place.is_unified {
                counters.processor = open("cpu.stat");
            }
            for controller in &place.controllers {
                match controller {
                    Controller::Pids => counters.processes = open("pids.events"),
                    Controller::Memory => counters.memory = open(if place.is_unified { "memory.events" } else { "memory.oom_control" }),
                }
            }
        }
        counters
    }

    /// Moves the calling process in, and with it what it will fork. Returns what can be read back later, from anywhere.
    pub(crate) fn enter(&self) -> Result<Gauge, Error> {
        let mut gauge = Gauge::default();
        for place in &self.places {
            place.enter(&mut gauge).map_err(Error::system("enter the session's control group"))?;
        }
        Ok(gauge)
    }
}

impl Place {
    fn make(hierarchy: &Hierarchy, limits: &Limits) -> Option<Self> {
        remove_stale(&hierarchy.folder);
        (0..ATTEMPTS_MAX).find_map(|_| {
            let folder = hierarchy.folder.join(format!("{PREFIX}{}", kernel::random_name().ok()?));
            std::fs::create_dir(&folder).ok()?;
            let (controllers, is_unified) = (hierarchy.controllers.clone(), hierarchy.is_unified);
            let place = lock(&folder).map(|lock| Self { folder: folder.clone(), controllers, is_unified, _lock: lock });
            let place = place.filter(|place| place.bound(limits, hierarchy.is_unified).is_ok());
            if place.is_none() {
                // Somebody else's cleaning came first, or the bounds were refused.
                let _gone = rustix::fs::rmdir(&folder);
            }
            place
        })
    }

    fn bound(&self, limits: &Limits, is_unified: bool) -> std::io::Result<()> {
        for controller in &self.controllers {
            let (file, bound) = controller.bound(limits, is_unified);
            std::fs::write(self.folder.join(file), bound.to_string())?;
        }
        if self.controllers.contains(&Controller::Memory) {
            let (file, bound) = if is_unified { ("memory.swap.max", 0) } else { ("memory.memsw.limit_in_bytes", limits.memory_bytes_max) };
            match std::fs::write(self.folder.join(file), bound.to_string()) {
                // A kernel that does not account swap has no such file.
                Err(error) if !matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied) => {
                    return Err(error);
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn enter(&self, gauge: &mut Gauge) -> std::io::Result<()> {
        // Zero stands for the writer. To move itself, a thread waits for nobody; to move a whole process, the kernel waits until every
        // processor has taken note (10 ms and more). The warden has one thread. Version 2 moves whole processes only.
        let list = if self.is_unified { "cgroup.procs" } else { "tasks" };
        File::options().write(true).open(self.folder.join(list))?.write_all(b"0")?;
        let name = self.folder.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or(PREFIX);
        if !std::fs::read_to_string("/proc/self/cgroup")?.lines().any(|line| line.ends_with(name)) {
            return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
        }
        for controller in &self.controllers {
            let open = |file: &str| File::open(self.folder.join(file));
            let bound = open(controller.files().0).or_else(|_| open(controller.files().1))?;
            match controller {
                Controller::Pids => gauge.processes = Some((bound, open("pids.current")?)),
                Controller::Memory => gauge.memory = Some(bound),
            }
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for _ in 0..REMOVALS_MAX {
            match rustix::fs::rmdir(&self.folder) {
                Err(Errno::BUSY) => std::thread::sleep(REMOVAL_PAUSE),
                Ok(()) | Err(_) => return,
            }
        }
    }
}

/// Files of the session's group, open since before its processes lost sight of the host.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    processes: Option<(File, File)>,
    memory: Option<File>,
}

impl Gauge {
    /// Whether a group has a bound on processes, and whether one has a bound on memory.
    pub(crate) fn has(&self) -> [bool; 2] {
        [self.processes.is_some(), self.memory.is_some()]
    }

    /// Whether the kernel counts at least `alive` processes of the session, and lets it have no more than `processes_max`.
    pub(crate) fn bounds_processes(&self, alive: u64, processes_max: u64) -> bool {
        let Some((bound, current)) = &self.processes else { return false };
        number(bound).is_some_and(|bound| bound <= processes_max) && number(current).is_some_and(|current| current >= alive)
    }

    /// Whether the kernel lets the session have no more memory than that.
    pub(crate) fn bounds_memory(&self, memory_bytes_max: u64) -> bool {
        self.memory.as_ref().and_then(number).is_some_and(|bound| bound <= memory_bytes_max)
    }
}

/// What the kernel counts at the bounds of a session's group.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) is_unified: bool,
    processes: Option<File>,
    memory: Option<File>,
    /// Only in version 2, where each group has it without a controller.
    processor: Option<File>,
}

impl Counters {
    /// Processor time of all processes that ever were in the group, in seconds; 0 where that is not counted.
    pub(crate) fn cpu_seconds(&self) -> u64 {
        self.processor.as_ref().map_or(0, |file| count(file, "usage_usec") / 1_000_000)
    }

    /// How often a process was refused because there were too many.
    pub(crate) fn processes_refused(&self) -> u64 {
        self.processes.as_ref().map_or(0, |file| count(file, "max"))
    }

    /// How many processes were ended because the session had no more memory.
    pub(crate) fn memory_kills(&self) -> u64 {
        self.memory.as_ref().map_or(0, |file| count(file, "oom_kill"))
    }
}

/// The number behind a name in a file of lines `NAME NUMBER`; 0 if it has none.
fn count(file: &File, name: &str) -> u64 {
    let mut buffer = [0_u8; COUNTS_BYTES];
    let length = file.read_at(&mut buffer, 0).unwrap_or(0);
    let text = buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim_end().parse().ok()).unwrap_or(0)
}

fn number(file: &File) -> Option<u64> {
    let mut buffer = [0_u8; NUMBER_BYTES];
    let length = file.read_at(&mut buffer, 0).ok()?;
    std::str::from_utf8(buffer.get(..length)?).ok()?.trim_end().parse().ok()
}

/// The folder, locked; none if another process has it or it is gone.
fn lock(folder: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = rustix::fs::open(folder, flags, Mode::empty()).ok()?;
    rustix::fs::flock(&open, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(open)
}

/// Removes groups whose supervisor is gone. One that still has a process is left alone by the kernel.
fn remove_stale(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    let ours = entries.take(ENTRIES_MAX).flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for entry in ours.take(STALE_MAX) {
        if let Some(_lock) = lock(&entry.path()) {
            let _in_use = rustix::fs::rmdir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
