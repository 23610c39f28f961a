//! Numbers written in groups: `4539 1488 0343 6467`, `078-05-1120`, `12/345/678`.

use crate::text::Text;

/// Most digits that are read from one start.
pub(crate) const DIGITS_MAX: usize = 24;
const GROUPS_MAX: usize = 10;

/// The digits from one start on, with single separators between groups.
#[derive(Clone, Copy)]
pub(crate) struct Number {
    digits: [u8; DIGITS_MAX],
    ends: [usize; DIGITS_MAX],
    count: usize,
    groups: [usize; GROUPS_MAX],
    group_count: usize,
    separator: u8,
    mixed: bool,
}

impl Number {
    /// Reads from the digit at `start`. Past its bounds a number is cut; what needs more digits does not exist.
    pub(crate) fn read(text: Text<'_>, start: usize) -> Self {
        let mut number = Self {
            digits: [0; DIGITS_MAX],
            ends: [0; DIGITS_MAX],
            count: 0,
            groups: [0; GROUPS_MAX],
            group_count: 1,
            separator: 0,
            mixed: false,
        };
        let mut place = start;
        loop {
            let byte = text.at(place);
            if byte.is_ascii_digit() {
                if !number.push(byte - b'0', place + 1) {
                    break;
                }
            } else if matches!(byte, b' ' | b'-' | b'.' | b'/') && text.at(place + 1).is_ascii_digit() && number.group_count < GROUPS_MAX {
                number.mixed |= number.separator != 0 && number.separator != byte;
                number.separator = byte;
                number.group_count += 1;
            } else {
                break;
            }
            place += 1;
        }
        number
    }

    fn push(&mut self, digit: u8, end: usize) -> bool {
        let (Some(slot), Some(place)) = (self.digits.get_mut(self.count), self.ends.get_mut(self.count)) else { return false };
        (*slot, *place) = (digit, end);
        self.count += 1;
        if let Some(group) = self.groups.get_mut(self.group_count - 1) {
            *group += 1;
        }
        true
    }

    /// All digits read.
    pub(crate) fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or(&[])
    }

    /// The first `count` digits, if there are as many and a group ends there.
    pub(crate) fn first(&self, count: usize) -> Option<(&[u8], &[usize], usize)> {
        let mut sum = 0;
        let groups = self.groups().iter().position(|size| {
            sum += size;
            sum >= count
        })?;
        if sum != count {
            return None;
        }
        let end = *self.ends.get(count.checked_sub(1)?)?;
        Some((self.digits.get(..count)?, self.groups.get(..=groups)?, end))
    }

    /// The sizes of the groups.
    pub(crate) fn groups(&self) -> &[usize] {
        self.groups.get(..self.group_count).unwrap_or(&[])
    }

    /// The separator last seen; NUL if there is none.
    pub(crate) fn separator(&self) -> u8 {
        self.separator
    }

    /// Whether different separators occur.
    pub(crate) fn is_mixed(&self) -> bool {
        self.mixed
    }
}

/// The check digit rule of ISO/IEC 7812-1 annex B.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit);
            if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The digits as one number; `None` if one is no digit.
pub(crate) fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, digit| sum.wrapping_mul(10).wrapping_add(u64::from(*digit)))
}

/// Fills `compact` with letters (in upper case) and digits from `start` on, single spaces, dashes or dots between them left out; returns where they end.
pub(crate) fn compact_into(text: Text<'_>, start: usize, compact: &mut [u8]) -> Option<usize> {
    let mut place = start;
    let mut separable = false;
    for slot in compact {
        if separable && matches!(text.at(place), b' ' | b'-' | b'.') {
            place += 1;
        }
        let byte = text.at(place);
        if !byte.is_ascii_alphanumeric() {
            return None;
        }
        *slot = byte.to_ascii_uppercase();
        separable = true;
        place += 1;
    }
    Some(place)
}
