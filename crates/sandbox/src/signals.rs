use crate::kernel::checked;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Bytes of one `struct signalfd_siginfo` (signalfd(2)).
const INFO_BYTES: usize = 128;

/// Signals that wait in a descriptor instead of interrupting this process.
#[derive(Debug)]
pub struct Signals {
    descriptor: OwnedFd,
}

impl Signals {
    /// Blocks `numbers` for this thread, and for threads that it starts afterwards, and collects them. Call it while single-threaded:
    /// a thread that does not block a signal takes it away.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn collect(numbers: &[i32]) -> io::Result<Self> {
        let set = numbers.iter().filter(|number| (1..=64).contains(*number)).fold(0_u64, |set, number| set | 1 << (number - 1));
        let (how, no_old) = (libc::SIG_BLOCK, std::ptr::null_mut::<u64>());
        // SAFETY: the kernel reads eight bytes, the size of its signal set, from a live variable, and writes nothing.
        let blocked = unsafe { libc::syscall(libc::SYS_rt_sigprocmask, how, &raw const set, no_old, size_of::<u64>()) };
        checked(blocked)?;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: as above; the call makes a new descriptor.
        let number = unsafe { libc::syscall(libc::SYS_signalfd4, -1, &raw const set, size_of::<u64>(), flags) };
        let number = i32::try_from(checked(number)?).map_err(io::Error::other)?;
        // SAFETY: the kernel just gave this number, and nothing else owns it.
        let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
        Ok(Self { descriptor })
    }

    /// The next signal that waits, if one does.
    pub fn next(&self) -> Option<i32> {
        let mut info = [0_u8; INFO_BYTES];
        let length = rustix::io::read(&self.descriptor, &mut info).ok()?;
        let number = info.first_chunk::<4>().filter(|_| length == INFO_BYTES)?;
        i32::try_from(u32::from_ne_bytes(*number)).ok()
    }
}

impl AsFd for Signals {
    /// Readable when a signal waits.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> i32 {
        self.descriptor.as_raw_fd()
    }
}
