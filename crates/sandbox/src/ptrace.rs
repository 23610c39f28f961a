//! Tracing threads (ptrace(2)) only as far as it takes to see a program before its first instruction.

use crate::kernel::checked;
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// `__WALL`: threads and processes, however they were made.
const ALL: u32 = 0x4000_0000;
/// A stop's number is the signal, with the event above it.
const EVENT: i32 = 8;
// Requests, options and the event (linux/ptrace.h); the C library's crate has them for some systems only.
const DETACH: libc::c_long = 17;
const SEIZE: libc::c_long = 0x4206;
const INTERRUPT: libc::c_long = 0x4207;
const TELL_EXEC: libc::c_long = 1 << 4;
const END_WITH_TRACER: libc::c_long = 1 << 20;
const EVENT_EXEC: i32 = 4;

/// Why a traced thread stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It runs a new program, whose first instruction comes next.
    Executed,
    /// It was asked to stop, or its process is stopped.
    Halted,
    /// This signal is about to be delivered to it.
    Signal(i32),
}

/// Starts to trace a thread, which goes on: it will stop when it has executed a program. It ends with this process.
pub(crate) fn seize(task: i32) -> Result<(), Errno> {
    request(SEIZE, task, TELL_EXEC | END_WITH_TRACER)
}

/// Makes a traced thread stop before it runs any further instruction of its own.
pub(crate) fn interrupt(task: i32) -> Result<(), Errno> {
    request(INTERRUPT, task, 0)
}

/// Lets a stopped thread go on untraced, with this signal (0: none).
pub(crate) fn detach(task: i32, signal: i32) -> Result<(), Errno> {
    request(DETACH, task, libc::c_long::from(signal))
}

fn request(request: libc::c_long, task: i32, data: libc::c_long) -> Result<(), Errno> {
    let no_address = 0_usize;
    // SAFETY: none of the requests of this file reads or writes memory of this process; the kernel checks the thread's number.
    let result = unsafe { libc::syscall(libc::SYS_ptrace, request, libc::c_long::from(task), no_address, data) };
    checked(result).map(drop).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// Why the traced thread or process of that number stopped, if it did since this was asked last. `ECHILD` if nothing of that number is traced.
pub(crate) fn stop_of(task: i32) -> Result<Option<Stop>, Errno> {
    let Some(status) = wait(task, WaitIdOptions::STOPPED)?.and_then(|status| status.trapping_signal()) else { return Ok(None) };
    Ok(Some(match (status >> EVENT, status & ((1 << EVENT) - 1)) {
        (EVENT_EXEC, _) => Stop::Executed,
        (0, signal) => Stop::Signal(signal),
        _ => Stop::Halted,
    }))
}

/// Takes in a traced thread that has ended; false if it has not. `ECHILD` if nothing of that number is traced.
pub(crate) fn has_ended(task: i32) -> Result<bool, Errno> {
    Ok(wait(task, WaitIdOptions::EXITED)?.is_some())
}

fn wait(task: i32, what: WaitIdOptions) -> Result<Option<rustix::process::WaitIdStatus>, Errno> {
    let id = Pid::from_raw(task).ok_or(Errno::CHILD)?;
    rustix::io::retry_on_intr(|| waitid(WaitId::Pid(id), what | WaitIdOptions::NOHANG | WaitIdOptions::from_bits_retain(ALL)))
}
