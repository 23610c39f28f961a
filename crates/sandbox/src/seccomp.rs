//! The system call filter: what the agent may ask of the kernel, by a list. Everything else is refused, and the warden is told.

#[cfg(any(test, fuzzing))]
pub(crate) mod hostile;
mod listener;
mod number;
mod program;
mod table;

pub(crate) use listener::{Listener, Notification, Reply};
pub(crate) use number::Number;
pub(crate) use program::{Watch, Watched, build, build_role, is_available};
pub(crate) use table::{ATTACH, DATA, EVERYONE, LIBRARIES, LOCAL, REMOTE, RoleRule, Rule, SEIZE, SET_ID, Table, name};

use crate::kernel::checked;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Installs the filter in this thread and returns its listener. Allocates nothing.
pub(crate) fn install_with_listener(filter: &[libc::sock_filter]) -> io::Result<OwnedFd> {
    let length = u16::try_from(filter.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut() };
    // A call that the warden already works on is cut short by a deadly signal only: none is carried out twice. Linux before 5.19 lacks it.
    let wanted = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    match install(&program, wanted) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => install(&program, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER),
        other => other,
    }
}

fn install(program: &libc::sock_fprog, flags: libc::c_ulong) -> io::Result<OwnedFd> {
    // SAFETY: the kernel reads `len` instructions from `filter`, which the caller's slice keeps alive.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, std::ptr::from_ref(program)) };
    let number = RawFd::try_from(checked(result)?).map_err(|_| io::Error::from_raw_os_error(libc::EBADF))?;
    // SAFETY: the kernel just made this descriptor for us; nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
