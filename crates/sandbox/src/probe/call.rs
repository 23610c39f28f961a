use super::Outcome;
use crate::kernel;
use crate::seccomp::Table;
use libc::{EAGAIN, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, c_long};
use rustix::io::Errno;

/// A system call that the filter refuses with an error number that the kernel would not give for these arguments: another answer came
/// from the kernel, so the call got through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    number: c_long,
    arguments: [c_long; 3],
    refusal: i32,
}

impl Call {
    /// Refused as forbidden. Pointers among the arguments are null.
    pub(super) const fn forbidden(number: c_long, arguments: [c_long; 3]) -> Self {
        Self { number, arguments, refusal: libc::EPERM }
    }

    /// Refused as one that the kernel does not have.
    pub(super) const fn absent(number: c_long, arguments: [c_long; 3]) -> Self {
        Self { number, arguments, refusal: libc::ENOSYS }
    }

    /// Refused as an option that the kernel does not have.
    pub(super) const fn without_option(number: c_long, arguments: [c_long; 3]) -> Self {
        Self { number, arguments, refusal: libc::ENOPROTOOPT }
    }

    /// A socket that is refused with this error number.
    pub(super) const fn socket(family: i32, kind: i32, protocol: i32, refusal: i32) -> Self {
        Self { number: libc::SYS_socket, arguments: [family as c_long, kind as c_long, protocol as c_long], refusal }
    }

    /// How the lists of this session refuse it: a list that does not hold here refuses in another way.
    pub(super) fn refusal(&self, calls: &Table) -> i32 {
        let [first, second, third] = self.arguments.map(c_long::cast_unsigned);
        i32::try_from(self.number).map_or(self.refusal, |number| calls.refusal(number, &[first, second, third, 0, 0, 0]))
    }

    pub(super) fn attempt(&self, listed: i32) -> Outcome {
        match kernel::attempt(self.number, self.arguments) {
            Ok(_) => Outcome::Succeeded,
            Err(errno) => judge(errno, &[self.refusal, listed]),
        }
    }
}

/// Errors that say nothing about walls: the session has used up what the attempt needs.
const NO_ROOM: [i32; 6] = [ENOMEM, ENOBUFS, EMFILE, ENFILE, EAGAIN, EINTR];

fn judge(errno: i32, refusals: &[i32]) -> Outcome {
    if refusals.contains(&errno) {
        Outcome::Refused
    } else if NO_ROOM.contains(&errno) {
        Outcome::Unsure
    } else {
        Outcome::Succeeded
    }
}

/// What a result says that must be one of these refusals.
#[expect(clippy::needless_pass_by_value, reason = "whatever the attempt got ends here")]
pub(super) fn refused<T>(result: Result<T, Errno>, refusals: &[Errno]) -> Outcome {
    match result {
        Err(errno) if refusals.contains(&errno) => Outcome::Refused,
        Err(errno) => judge(errno.raw_os_error(), &[]),
        Ok(_) => Outcome::Succeeded,
    }
}
