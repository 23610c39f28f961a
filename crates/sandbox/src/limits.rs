//! Bounds of each process, and of the session as a whole where the host lends a control group.

use crate::plan::Limits;
use rustix::process::{Resource, Rlimit};

/// How many resources are bounded.
const COUNT: usize = 7;
/// With one byte, neither a file nor a pipe to the host's crash handler gets a core dump (core(5)).
const CORE_BYTES: u64 = 1;

/// Resource limits, ready to be set between fork and exec.
pub(crate) type Table = [(Resource, Rlimit); COUNT];

/// The limits of the plan, never above what the caller itself may have.
pub(crate) fn table(limits: &Limits) -> Table {
    [
        entry(Resource::Data, Some(limits.memory_bytes_max)),
        entry(Resource::Nproc, Some(limits.processes_max)),
        entry(Resource::Nofile, Some(limits.open_files_max)),
        entry(Resource::Fsize, Some(limits.file_bytes_max)),
        entry(Resource::Cpu, limits.cpu_seconds_max),
        entry(Resource::Core, Some(CORE_BYTES)),
        entry(Resource::Rtprio, Some(0)),
    ]
}

fn entry(resource: Resource, wanted: Option<u64>) -> (Resource, Rlimit) {
    let allowed = rustix::process::getrlimit(resource).maximum;
    let value = match (wanted, allowed) {
        (Some(wanted), Some(allowed)) => Some(wanted.min(allowed)),
        (one, other) => one.or(other),
    };
    (resource, Rlimit { current: value, maximum: value })
}
