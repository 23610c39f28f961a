//! Stands in until the system call filter lands: there is none, and every session says so.

use std::io;
use std::os::fd::OwnedFd;

pub(crate) fn install_with_listener(_filter: &[libc::sock_filter]) -> io::Result<OwnedFd> {
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
}
