//! Bounds of each process, and of the session as a whole where the host lends a control group.

use crate::kernel::{self, Fork};
use crate::plan::Limits;
use crate::{Error, Wall};
use rustix::process::{Resource, Rlimit};

/// How many resources are bounded.
const COUNT: usize = 7;
/// With one byte, neither a file nor a pipe to the host's crash handler gets a core dump (core(5)).
pub(crate) const CORE_BYTES: u64 = 1;

/// Seconds between the signal that names the limit and the one that only kills.
const CPU_ROOM_SECONDS: u64 = 1;

/// Resource limits, ready to be set between fork and exec.
pub(crate) type Table = [(Resource, Rlimit); COUNT];

/// The limits of the plan, never above what the caller itself may have.
pub(crate) fn table(limits: &Limits) -> Table {
    [
        entry(Resource::Data, Some(limits.data_bytes_max)),
        entry(Resource::Nproc, Some(limits.processes_max)),
        entry(Resource::Nofile, Some(limits.open_files_max)),
        entry(Resource::Fsize, Some(limits.file_bytes_max)),
        with_room(entry(Resource::Cpu, limits.cpu_seconds_max)),
        entry(Resource::Core, Some(CORE_BYTES)),
        entry(Resource::Rtprio, Some(0)),
    ]
}

/// Refuses a host whose handler of core dumps the limit does not keep away.
pub(crate) fn keep_dumps_inside() -> Result<(), Error> {
    const PATTERN: &str = "/proc/sys/kernel/core_pattern";
    let pattern = std::fs::read(PATTERN).map_err(|source| Error::Path { attempt: "read".into(), path: PATTERN.into(), source })?;
    let most = rustix::process::getrlimit(Resource::Core).maximum;
    leak(&pattern, most).map_or(Ok(()), |found| Err(Error::WallMissing { wall: Wall::Rlimits, found: found.to_owned() }))
}

/// How a core dump would reach the host's handler, if it would (core(5)): a socket takes dumps whatever the limit (Linux 6.16), and a program
/// all but those of a process whose limit is one byte, which nobody sets whose own is lower.
fn leak(pattern: &[u8], most: Option<u64>) -> Option<&'static str> {
    match pattern.trim_ascii_start().first() {
        Some(b'@') => Some("kernel.core_pattern sends core dumps to a socket of the host's: name a program or a file there"),
        Some(b'|') if most.is_some_and(|most| most < CORE_BYTES) => Some(
            "kernel.core_pattern starts a program for core dumps, which only a hard limit of 1 or more can prevent (`ulimit -Hc`): raise it from 0",
        ),
        _ => None,
    }
}

fn entry(resource: Resource, wanted: Option<u64>) -> (Resource, Rlimit) {
    let allowed = rustix::process::getrlimit(resource).maximum;
    let value = match (wanted, allowed) {
        (Some(wanted), Some(allowed)) => Some(wanted.min(allowed)),
        (one, other) => one.or(other),
    };
    (resource, Rlimit { current: value, maximum: value })
}

/// Lowers what is in force below the most that may be, so that the kernel's signal says which limit it was before it only kills
/// (setrlimit(2), `RLIMIT_CPU`).
fn with_room((resource, limit): (Resource, Rlimit)) -> (Resource, Rlimit) {
    let current = limit.current.map(|seconds| seconds.saturating_sub(CPU_ROOM_SECONDS).max(1));
    (resource, Rlimit { current, maximum: limit.maximum })
}

/// Whether the kernel counts this user's processes against RLIMIT_NPROC: it does not for the host's root (`user_namespaces(7)`).
///
/// Tried, not asked: with room for one process and more than one alive, a fork must fail. Allocates nothing; puts the limit back.
pub(crate) fn counts_processes() -> bool {
    let before = rustix::process::getrlimit(Resource::Nproc);
    if rustix::process::setrlimit(Resource::Nproc, Rlimit { current: Some(1), ..before }).is_err() {
        return false;
    }
    let is_refused = match kernel::fork() {
        Ok(Fork::Child) => kernel::exit_now(0),
        Ok(Fork::Parent(child)) => {
            let _taken = rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty()));
            false
        }
        Err(error) => error.raw_os_error() == Some(libc::EAGAIN),
    };
    rustix::process::setrlimit(Resource::Nproc, before).is_ok() && is_refused
}

/// The first Linux on which a process namespace has a bound of its own. On an older one the file is the whole host's.
const OWN_NUMBERS: (u32, u32) = (6, 14);
/// Numbers that the kernel does not give out again once it went past them (kernel/pid.c).
const NUMBERS_RESERVED: u64 = 300;

/// What process 1 bounds when nothing else may: the numbers that the kernel gives to processes of its namespace. Coarser than a count:
/// up to 300 processes more than `processes_max`. True if the bound is in force.
pub(crate) fn bound_process_numbers(processes_max: u64) -> bool {
    const FILE: &str = "/proc/sys/kernel/pid_max";
    // As root, the host's own bound could be written otherwise.
    if kernel::release() < OWN_NUMBERS || rustix::process::getpid() != rustix::process::Pid::INIT {
        return false;
    }
    let bound = processes_max.saturating_add(NUMBERS_RESERVED).to_string();
    std::fs::write(FILE, &bound).is_ok() && std::fs::read_to_string(FILE).is_ok_and(|text| text.trim_end() == bound)
}

#[cfg(test)]
mod tests;
