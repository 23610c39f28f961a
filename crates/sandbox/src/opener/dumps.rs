//! The limit of core dumps, which stays what it is. At one byte there is no dump at all; at zero, the usual wish, the kernel would hand one
//! to the host's crash handler (core(5)): a parser that runs as root.

use super::Opener;
use super::request::low_unsigned;
use crate::Error;
use crate::limits::CORE_BYTES;
use crate::seccomp::{Notification, Reply};

/// One number of the kernel's `struct rlimit`, which has two.
const NUMBER_BYTES: usize = 8;

/// Who wants another limit of core dumps, by which address in its memory.
pub(super) fn wanted(call: &Notification) -> Option<u64> {
    let [first, second, third, fourth, ..] = call.arguments;
    let (resource, limit) = match libc::c_long::from(call.number) {
        libc::SYS_setrlimit => (first, second),
        // Of another process, or with the old limit asked for in the same call: refused like anything else that the lists do not let through.
        libc::SYS_prlimit64 if low_unsigned(first) == 0 && fourth == 0 => (second, third),
        _ => return None,
    };
    (low_unsigned(resource) == libc::RLIMIT_CORE && limit != 0).then_some(limit)
}

impl Opener {
    /// Answers in the kernel's place: who asks for no dump has none, and more is not to be had.
    pub(super) fn keep_from_dumps(&mut self, call: &Notification, limit: u64) -> Result<(), Error> {
        let asked = self.target(call.task).bytes(limit, 2 * NUMBER_BYTES);
        if !self.listener.is_valid(call.id) {
            return Ok(());
        }
        match asked {
            Ok(asked) if is_none(&asked) => {
                self.listener.reply(call.id, &Reply::Done);
                Ok(())
            }
            Ok(_) | Err(_) => self.refuse(call),
        }
    }
}

/// Whether both numbers are at most what the session has.
fn is_none(limit: &[u8]) -> bool {
    let mut numbers = limit.chunks_exact(NUMBER_BYTES).filter_map(|part| part.try_into().ok()).map(u64::from_ne_bytes);
    numbers.all(|number| number <= CORE_BYTES)
}

#[cfg(test)]
mod tests;
