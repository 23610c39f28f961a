//! The number of a call, and in which numbering: a program can leave the machine's own by another gate (`int 0x80`) or by a bit.

use crate::bpf::{NATIVE, X32};

/// `AUDIT_ARCH_I386` and `AUDIT_ARCH_ARM` (linux/audit.h).
const I386: u32 = 0x4000_0003;
const ARM: u32 = 0x4000_0028;
/// A number that no call of the machine's own numbering has: no list names it, so that it is refused.
pub(crate) const FOREIGN: i32 = -1;

/// A call's number in the numbering that it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number {
    architecture: u32,
    number: u32,
}

impl Number {
    /// As the kernel tells it.
    pub(crate) fn of(architecture: u32, number: u32) -> Self {
        Self { architecture, number }
    }

    /// Of the machine's own numbering.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn native(number: u32) -> Self {
        Self::of(NATIVE, number)
    }

    fn is_native(self) -> bool {
        self.architecture == NATIVE && self.number & X32 == 0
    }

    /// The number, if it is of the machine's own numbering; else [`FOREIGN`].
    pub(crate) fn if_native(self) -> i32 {
        if self.is_native() { self.number.cast_signed() } else { FOREIGN }
    }

    /// The call's name; its numbering and number where the lists know no name.
    pub(crate) fn name(self) -> String {
        if self.is_native() {
            return super::name(self.number.cast_signed());
        }
        match self.architecture {
            NATIVE => format!("x32:{}", self.number & !X32),
            I386 => format!("i386:{}", self.number),
            ARM => format!("arm:{}", self.number),
            other => format!("arch{other:x}:{}", self.number),
        }
    }
}

#[cfg(test)]
mod tests;
