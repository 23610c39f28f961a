//! The grammar of placeholders: `BW_<KIND>_<n>_<8 base32 characters>`, only `[A-Z0-9_]`, so that they survive JSON, shells and paths.

use aws_lc_rs::hmac;

use crate::Kind;

/// How every placeholder starts.
pub(super) const PREFIX: &str = "BW_";
const NUMBER_DIGITS_MAX: usize = 6;
const CHECK_CHARS: usize = 8;
/// RFC 4648 base32.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The placeholder of the `number`th value of `kind`.
pub(super) fn mint(key: &hmac::Key, kind: Kind, number: u32, value: &str) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(kind.tag().as_bytes());
    context.update(b"|");
    context.update(value.as_bytes());
    let bits = context.sign().as_ref().iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let mut placeholder = format!("{PREFIX}{}_{number}_", kind.tag());
    placeholder.extend((0..CHECK_CHARS).rev().map(|place| {
        let digit = usize::try_from(bits >> (5 * place) & 31).unwrap_or(0);
        char::from(ALPHABET.get(digit).copied().unwrap_or(b'A'))
    }));
    placeholder
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Something shaped like a placeholder, of that many bytes.
    Whole(usize),
    /// The bytes end before it can be told.
    Partial,
    /// No placeholder.
    Other,
}

/// Reads what `bytes` begin with. Looks at a bounded number of bytes.
pub(super) fn read(bytes: &[u8]) -> Reading {
    let Some(rest) = bytes.strip_prefix(PREFIX.as_bytes()) else {
        return if PREFIX.as_bytes().starts_with(bytes) { Reading::Partial } else { Reading::Other };
    };
    let mut reading = Reading::Other;
    for kind in Kind::ALL {
        match read_kind(rest, kind.tag().as_bytes()) {
            Reading::Whole(length) => return Reading::Whole(PREFIX.len() + length),
            Reading::Partial => reading = Reading::Partial,
            Reading::Other => {}
        }
    }
    reading
}

fn read_kind(bytes: &[u8], tag: &[u8]) -> Reading {
    let Some(rest) = bytes.strip_prefix(tag) else {
        return if tag.starts_with(bytes) { Reading::Partial } else { Reading::Other };
    };
    let Some((b'_', rest)) = rest.split_first() else {
        return if rest.is_empty() { Reading::Partial } else { Reading::Other };
    };
    let digits = rest.iter().take(NUMBER_DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > NUMBER_DIGITS_MAX || rest.first() == Some(&b'0') {
        return Reading::Other;
    }
    let Some((b'_', rest)) = rest.get(digits..).and_then(<[u8]>::split_first) else {
        return if rest.len() == digits { Reading::Partial } else { Reading::Other };
    };
    let check = rest.iter().take(CHECK_CHARS).take_while(|byte| ALPHABET.contains(byte)).count();
    if digits == 0 {
        Reading::Other
    } else if check == CHECK_CHARS {
        Reading::Whole(tag.len() + 1 + digits + 1 + CHECK_CHARS)
    } else if check == rest.len() {
        Reading::Partial
    } else {
        Reading::Other
    }
}
