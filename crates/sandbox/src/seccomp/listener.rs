use super::Number;
use crate::kernel::checked;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Wakes the listener on the caller's processor (Linux 6.6).
const SYNC_WAKE_UP: libc::c_ulong = 1;
/// `SECCOMP_USER_NOTIF_FLAG_CONTINUE`.
const GO_ON: u32 = 1;

/// The warden's end of a filter: what it did not allow by itself arrives here and waits for an answer.
#[derive(Debug)]
pub(crate) struct Listener(OwnedFd);

/// A call that waits for an answer. `task` is the calling thread's number in the warden's pid namespace; it is that thread's for as
/// long as the notification [is valid](Listener::is_valid).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notification {
    pub(crate) id: u64,
    pub(crate) task: i32,
    /// Of the machine's own numbering; [`super::number::FOREIGN`] if it is of another one.
    pub(crate) number: i32,
    /// Its number in its own numbering.
    pub(crate) full: Number,
    pub(crate) arguments: [u64; 6],
}

/// What the caller gets.
#[derive(Debug)]
pub(crate) enum Reply<'a> {
    /// Zero.
    Done,
    /// A number, not negative.
    Number(i32),
    /// An error number.
    Error(i32),
    /// What the kernel makes of it: only where what can be swapped does not count, or is looked at afterwards.
    Continue,
    /// A copy of this descriptor, close-on-exec or not.
    Descriptor(BorrowedFd<'a>, bool),
}

impl Listener {
    pub(crate) fn new(descriptor: OwnedFd) -> Self {
        // SAFETY: the request takes a plain number.
        let result = unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, SYNC_WAKE_UP) };
        // Only speed depends on it.
        let _older = checked(result.into());
        Self(descriptor)
    }

    /// Waits for the next call. None if its caller is gone already.
    pub(crate) fn receive(&self) -> io::Result<Option<Notification>> {
        // SAFETY: all fields are plain numbers, for which zero is valid; the kernel demands zeroes.
        let mut raw: libc::seccomp_notif = unsafe { std::mem::zeroed() };
        // SAFETY: the kernel writes one such structure into a live variable.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut raw) };
        match checked(result.into()) {
            Ok(_) => {}
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => return Ok(None),
            Err(error) => return Err(error),
        }
        let task = i32::try_from(raw.pid).unwrap_or_default();
        Ok(Some({
            let full = Number::of(raw.data.arch, raw.data.nr.cast_unsigned());
            Notification { id: raw.id, task, number: full.if_native(), full, arguments: raw.data.args }
        }))
    }

    /// Whether the caller still waits, and its thread number is still its own.
    pub(crate) fn is_valid(&self, id: u64) -> bool {
        // SAFETY: the kernel reads eight bytes from a live variable.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const id) };
        result == 0
    }

    /// Answers a call. A caller that is gone needs no answer.
    pub(crate) fn reply(&self, id: u64, reply: &Reply<'_>) {
        match reply {
            Reply::Done => self.answer(id, (0, 0), 0),
            Reply::Number(number) => self.answer(id, (i64::from(*number), 0), 0),
            Reply::Error(errno) => self.answer(id, (0, -errno), 0),
            Reply::Continue => self.answer(id, (0, 0), GO_ON),
            Reply::Descriptor(descriptor, close_on_exec) => {
                if let Err(error) = self.inject(id, *descriptor, *close_on_exec) {
                    // The caller may have no room for one more descriptor.
                    self.answer(id, (0, -error.raw_os_error().unwrap_or(libc::EMFILE)), 0);
                }
            }
        }
    }

    fn answer(&self, id: u64, (val, error): (i64, i32), flags: u32) {
        let mut response = libc::seccomp_notif_resp { id, val, error, flags };
        // SAFETY: the kernel reads one such structure from a live variable.
        let _gone = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut response) };
    }

    fn inject(&self, id: u64, descriptor: BorrowedFd<'_>, close_on_exec: bool) -> io::Result<()> {
        let flags = if close_on_exec { libc::O_CLOEXEC } else { 0 };
        let request = libc::seccomp_notif_addfd {
            id,
            flags: u32::try_from(libc::SECCOMP_ADDFD_FLAG_SEND).unwrap_or_default(),
            srcfd: number(descriptor),
            newfd: 0,
            newfd_flags: flags.unsigned_abs(),
        };
        // SAFETY: the kernel reads one such structure from a live variable.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw const request) };
        checked(result.into()).map(drop)
    }
}

fn number(descriptor: BorrowedFd<'_>) -> u32 {
    let number: RawFd = descriptor.as_raw_fd();
    number.unsigned_abs()
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
