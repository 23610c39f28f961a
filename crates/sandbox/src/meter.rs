//! What a session uses, as its supervisor sees it: the session's own procfs, its private areas, the counts of its control group.

mod memory;
mod stat;
mod unlinked;

use crate::Error;
use crate::cgroup::Counters;
use memory::{Held, Machine};
use rustix::fs::{Dir, Mode, OFlags};
use stat::Stat;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Most processes that one look takes in: more than any plan allows.
const PROCESSES_SEEN_MAX: usize = 1 << 17;

/// Who bounds the session's processes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The kernel, by a control group of version 2.
    CgroupV2,
    /// The kernel, by control groups of version 1.
    CgroupV1,
    /// Whoever looks at the [`Meter`] and ends the session.
    Watcher,
}

impl Keeper {
    /// As it stands in the session's first record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CgroupV2 => "cgroup-v2",
            Self::CgroupV1 => "cgroup-v1",
            Self::Watcher => "watcher",
        }
    }
}

/// What a session used when it was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processes and threads.
    pub tasks: u64,
    /// Never less than the memory of the session ([`Meter::memory_exceeds`]), often more: what is shared counts for each, and what the
    /// whole machine's shared and swapped memory grew by counts too. 0 where a control group counts.
    pub memory_bytes_most: u64,
    /// Processor time that was seen to be spent, in seconds. Without a control group of version 2, what ends between two looks and is not
    /// waited for by a process of the session is missed.
    pub cpu_seconds: u64,
    /// How often the kernel refused a process for the session's bound (only with a control group).
    pub processes_refused: u64,
    /// How many processes the kernel ended for want of the session's memory (only with a control group).
    pub memory_kills: u64,
}

/// How full a private area is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaUse {
    /// Where it stands inside.
    pub path: PathBuf,
    /// What it holds.
    pub used_bytes: u64,
    /// Neither a byte nor a file fits in any more.
    pub is_full: bool,
}

/// Looks at what a session uses. It needs no right but that of the session's owner, and nothing inside can hide from it: what cannot be
/// looked at more closely counts in full.
#[derive(Debug)]
pub struct Meter {
    processes: OwnedFd,
    areas: Vec<(PathBuf, OwnedFd)>,
    counters: Option<Counters>,
    /// The machine's memory when the session was new.
    machine: Machine,
    /// Own ticks of each process when it was seen last, by its number and start.
    ticks: BTreeMap<(i32, u64), u64>,
    ticks_spent: u64,
    page_bytes: u64,
    ticks_per_second: u64,
}

impl Meter {
    /// `processes` is a mount of the session's procfs, which cannot be listed before it is opened.
    pub(crate) fn new(processes: &OwnedFd, areas: Vec<(PathBuf, OwnedFd)>, counters: Option<Counters>) -> Result<Self, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let processes = rustix::fs::openat(processes, c".", flags, Mode::empty()).map_err(Error::errno("open the session's procfs"))?;
        let page_bytes = rustix::param::page_size() as u64;
        let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
        let machine = Machine::read();
        Ok(Self { processes, areas, counters, machine, ticks: BTreeMap::new(), ticks_spent: 0, page_bytes, ticks_per_second })
    }

    /// Who bounds the session's processes together.
    pub fn keeper(&self) -> Keeper {
        match &self.counters {
            Some(counters) if counters.is_unified => Keeper::CgroupV2,
            Some(_) => Keeper::CgroupV1,
            None => Keeper::Watcher,
        }
    }

    /// Looks once: one small file for each process.
    ///
    /// # Errors
    /// [`Error::System`] if the session's processes cannot be listed.
    pub fn look(&mut self) -> Result<Usage, Error> {
        let mut usage = Usage::default();
        let (mut ticks, mut ticks_with_children, mut resident) = (BTreeMap::new(), 0_u64, 0_u64);
        for pid in self.pids()? {
            // One that has ended meanwhile uses nothing.
            let Some(stat) = self.read(pid, "stat").and_then(|text| Stat::parse(&text)) else { continue };
            // One that nobody waited for has no thread left, but takes its place.
            usage.tasks += stat.threads.max(1);
            resident += stat.resident_pages.saturating_mul(self.page_bytes);
            ticks_with_children += stat.ticks + stat.ticks_of_children;
            let before = self.ticks.get(&(pid, stat.start)).copied().unwrap_or(0);
            self.ticks_spent += stat.ticks.saturating_sub(before);
            ticks.insert((pid, stat.start), stat.ticks);
        }
        self.ticks = ticks;
        usage.cpu_seconds = self.ticks_spent.max(ticks_with_children) / self.ticks_per_second;
        if let Some(counters) = &self.counters {
            usage.processes_refused = counters.processes_refused();
            usage.memory_kills = counters.memory_kills();
            usage.cpu_seconds = usage.cpu_seconds.max(counters.cpu_seconds());
        } else {
            let areas = self.areas().iter().map(|area| area.used_bytes).sum::<u64>();
            usage.memory_bytes_most = resident + areas + Machine::read().grown_since(self.machine);
        }
        Ok(usage)
    }

    /// Whether the session's processes and private areas hold more than so many bytes: what processes share counts once. Takes time in
    /// proportion to the memory. Files of private areas that a process has mapped count twice; what only waits in a socket to be received
    /// is not seen. What cannot be counted counts as too much.
    ///
    /// # Errors
    /// [`Error::System`] if the session's processes cannot be listed.
    pub fn memory_exceeds(&self, bytes: u64) -> Result<bool, Error> {
        let pids = self.pids()?;
        let held = pids.iter().map(|pid| {
            let proportional = self.read(*pid, "smaps_rollup").and_then(|text| Held::proportional(&text));
            proportional.or_else(|| self.read(*pid, "status").and_then(|text| Held::resident(&text))).unwrap_or_default()
        });
        let held = held.fold(Held::default(), Held::plus);
        let areas = self.areas().iter().map(|area| area.used_bytes).sum::<u64>();
        let grown = Machine::read().shared_since(self.machine);
        if held.own + held.shared + areas > bytes {
            return Ok(true);
        }
        if held.own + grown.max(held.shared + areas) <= bytes {
            return Ok(false);
        }
        // The machine shares more memory than can be seen so far: is it this session's?
        let Some(device) = unlinked::memory_device() else { return Ok(true) };
        let opened = unlinked::opened_bytes(&self.processes, &pids, device);
        let mapped = unlinked::mapped_bytes(&self.processes, &pids, device);
        let (Some(opened), Some(mapped)) = (opened, mapped) else { return Ok(true) };
        Ok(held.own + areas + held.shared.max(opened).max(mapped.min(grown)) > bytes)
    }

    /// What files without a name take on a device, as far as a process of the session has them open: each counts once. None if there are
    /// too many to count.
    ///
    /// # Errors
    /// [`Error::System`] if the session's processes cannot be listed.
    pub fn unlinked_bytes(&self, device: u64) -> Result<Option<u64>, Error> {
        Ok(unlinked::opened_bytes(&self.processes, &self.pids()?, device))
    }

    /// How full the private areas are.
    pub fn areas(&self) -> Vec<AreaUse> {
        let used = |(path, area): &(PathBuf, OwnedFd)| {
            let stat = rustix::fs::fstatvfs(area).ok()?;
            let used_bytes = stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(stat.f_frsize);
            Some(AreaUse { path: path.clone(), used_bytes, is_full: stat.f_bfree == 0 || stat.f_ffree == 0 })
        };
        self.areas.iter().filter_map(used).collect()
    }

    fn pids(&self) -> Result<Vec<i32>, Error> {
        let folder = Dir::read_from(&self.processes).map_err(Error::errno("list the session's processes"))?;
        let mut pids = Vec::new();
        // A session that is over lists nothing.
        for entry in folder.take(PROCESSES_SEEN_MAX) {
            let entry = entry.map_err(Error::errno("list the session's processes"))?;
            pids.extend(entry.file_name().to_str().ok().and_then(|name| name.parse::<i32>().ok()));
        }
        Ok(pids)
    }

    fn read(&self, pid: i32, name: &str) -> Option<String> {
        read(&self.processes, &format!("{pid}/{name}"), memory::FILE_BYTES_MAX)
    }
}

/// The first bytes of a file of procfs, at most so many.
fn read(processes: &OwnedFd, path: &str, bytes_max: usize) -> Option<String> {
    let file = rustix::fs::openat(processes, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut bytes = Vec::new();
    File::from(file).take(bytes_max as u64).read_to_end(&mut bytes).ok()?;
    // A process chooses its own name, which need not be text.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
