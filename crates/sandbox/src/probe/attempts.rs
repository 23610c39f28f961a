//! Attempts to use more than the session may have.

use super::Outcome;
use super::call::refused;
use super::scene::Look;
use crate::limits;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::CStr;

/// `MFD_EXEC` (Linux 6.3).
const EXECUTABLE: u32 = 16;

/// The limits are at most those of the plan.
pub(super) fn limits_are_in_force(look: &Look<'_>) -> Outcome {
    let below = |now: Option<u64>, bound: Option<u64>| match (now, bound) {
        (Some(now), Some(bound)) => now <= bound,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    let holds = |resource: Resource, bound: Rlimit| {
        let now = getrlimit(resource);
        below(now.current, bound.current) && below(now.maximum, bound.maximum)
    };
    Outcome::held(look.scene.limits.iter().all(|(resource, bound)| holds(*resource, *bound)))
}

pub(super) fn raise_a_limit(_: &Look<'_>) -> Outcome {
    let now = getrlimit(Resource::Data);
    refused(setrlimit(Resource::Data, Rlimit { current: now.current, maximum: None }), &[Errno::PERM])
}

pub(super) fn open_too_many(look: &Look<'_>) -> Outcome {
    let Ok(number) = libc::c_long::try_from(look.scene.open_files_max) else { return Outcome::Unused };
    match crate::kernel::attempt(libc::SYS_fcntl, [0, libc::c_long::from(libc::F_DUPFD_CLOEXEC), number]) {
        Err(errno) => Outcome::held(errno == libc::EINVAL),
        Ok(opened) => {
            let _closed = u32::try_from(opened).is_ok_and(|opened| crate::kernel::close_range(opened, opened).is_ok());
            Outcome::Succeeded
        }
    }
}

pub(super) fn take_too_much_memory(look: &Look<'_>) -> Outcome {
    let Ok(length) = usize::try_from(look.scene.data_bytes_max) else { return Outcome::Unused };
    // The refusal is the same as that of a host without memory: either way, nothing is had.
    Outcome::held(crate::kernel::reserve(length).is_err())
}

/// Whether anything counts the processes is known to the warden where it is not the user's own count.
pub(super) fn start_too_many(look: &Look<'_>) -> Outcome {
    Outcome::held(look.scene.counted || limits::counts_processes())
}

pub(super) fn group_counts_processes(look: &Look<'_>) -> Outcome {
    let [processes, _] = look.scene.has_group;
    if processes { Outcome::Refused } else { Outcome::Unused }
}

pub(super) fn group_counts_memory(look: &Look<'_>) -> Outcome {
    let [_, memory] = look.scene.has_group;
    if memory { Outcome::Refused } else { Outcome::Unused }
}

/// A program that stands inside and is not listed.
pub(super) fn execute_unlisted(look: &Look<'_>) -> Outcome {
    execute(look.scene.unlisted.as_deref())
}

/// The dynamic loader, which would run anything that is named to it.
pub(super) fn execute_loader(look: &Look<'_>) -> Outcome {
    execute(look.scene.loader.as_deref())
}

/// Without a wall, the kernel says `EFAULT`.
fn execute(path: Option<&CStr>) -> Outcome {
    match path.map(crate::kernel::execute_without_arguments) {
        // The user took the program away.
        None | Some(Err(Errno::NOENT)) => Outcome::Unused,
        Some(result) => refused(result, &[Errno::ACCESS]),
    }
}

/// A file in memory that may be executed.
pub(super) fn make_program_in_memory(_: &Look<'_>) -> Outcome {
    let flags = rustix::fs::MemfdFlags::from_bits_retain(EXECUTABLE | libc::MFD_CLOEXEC);
    refused(rustix::fs::memfd_create(c"probe", flags), &[Errno::PERM])
}
