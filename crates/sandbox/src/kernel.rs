//! System calls that rustix does not wrap, each as one small safe function.

use rustix::process::Pid;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fork {
    /// The new process.
    Child,
    /// The old process, with the new one's id.
    Parent(Pid),
}

/// Turns a raw return value into a result.
pub(crate) fn checked(value: libc::c_long) -> io::Result<libc::c_long> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Copies this process. The caller has one thread only, so the child may allocate.
pub(crate) fn fork() -> io::Result<Fork> {
    // SAFETY: fork has no memory preconditions; callers checked that there is one thread, so no lock is copied in a locked state.
    let pid = unsafe { libc::fork() };
    checked(pid.into())?;
    Ok(Pid::from_raw(pid).map_or(Fork::Child, Fork::Parent))
}

/// Ends this process without running destructors or exit handlers of the parent's copy.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit ends the process; nothing runs after it.
    unsafe { libc::_exit(code) }
}

/// Closes every descriptor from `first` to `last` inclusive.
pub(crate) fn close_range(first: u32, last: u32) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: close_range takes numbers only; callers list every descriptor that is still owned outside the range.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    checked(result).map(drop)
}

/// Sets and clears attributes of the mounts at `path` below `dir`.
pub(crate) fn mount_setattr(dir: BorrowedFd<'_>, path: &CStr, flags: i32, set: u64, propagation: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation, userns_fd: 0 };
    // SAFETY: `path` is a C string and `attributes` a live structure of the size that is passed.
    let result = unsafe {
        libc::syscall(libc::SYS_mount_setattr, dir.as_raw_fd(), path.as_ptr(), flags, &raw const attributes, size_of::<libc::mount_attr>())
    };
    checked(result).map(drop)
}

/// Whether this process has exactly one thread.
pub(crate) fn is_single_threaded() -> io::Result<bool> {
    Ok(std::fs::read_dir("/proc/self/task")?.take(2).count() == 1)
}

/// A raw number of a borrowed descriptor, for messages between fork and exec.
pub(crate) fn raw(fd: BorrowedFd<'_>) -> RawFd {
    fd.as_raw_fd()
}

/// Zeroes the process's own argument or environment block.
pub(crate) fn zero(start: usize, length: usize) {
    // SAFETY: the kernel reported the range as this process's own argument or environment block on its stack; one thread runs, and
    // Rust's copies of both (`std::env`) read the block only through pointers that stay valid and now lead to empty strings.
    unsafe { std::ptr::write_bytes(std::ptr::with_exposed_provenance_mut::<u8>(start), 0, length) };
}
