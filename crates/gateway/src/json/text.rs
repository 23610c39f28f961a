use std::borrow::Cow;
use std::fmt::Write as _;

/// Decodes the inside of a JSON string that the scanner has accepted. Anything else is kept as it stands.
pub fn decode(inner: &str) -> Cow<'_, str> {
    let Some(first) = inner.find('\\') else { return Cow::Borrowed(inner) };
    let mut out = String::with_capacity(inner.len());
    let (head, mut rest) = inner.split_at(first);
    out.push_str(head);
    while let Some(escape) = rest.strip_prefix('\\') {
        let (decoded, length) = decode_escape(escape);
        match decoded {
            Some(character) => out.push(character),
            None => out.push('\\'),
        }
        let tail = escape.get(length..).unwrap_or_default();
        let stop = tail.find('\\').unwrap_or(tail.len());
        let (plain, next) = tail.split_at(stop);
        out.push_str(plain);
        rest = next;
    }
    Cow::Owned(out)
}

/// The character that one escape stands for, given without its backslash.
pub(crate) fn decode_one(escape: &str) -> Option<char> {
    decode_escape(escape).0
}

/// The character that an escape (given without its backslash) stands for, and how many bytes of it were read.
fn decode_escape(escape: &str) -> (Option<char>, usize) {
    let simple = |character| (Some(character), 1);
    match escape.as_bytes().first() {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'"') => simple('"'),
        Some(b'\\') => simple('\\'),
        Some(b'/') => simple('/'),
        Some(b'u') => unicode_escape(escape),
        _ => (None, 0),
    }
}

/// Reads `uXXXX`, or `uXXXX\uXXXX` for a surrogate pair.
fn unicode_escape(escape: &str) -> (Option<char>, usize) {
    let Some(unit) = escape.get(1..5).and_then(hex) else { return (None, 0) };
    if let Some(character) = char::from_u32(unit) {
        return (Some(character), 5);
    }
    let low = escape.get(5..7).filter(|mark| *mark == "\\u").and(escape.get(7..11)).and_then(hex);
    match low {
        Some(low) if (0xD800..0xDC00).contains(&unit) && (0xDC00..0xE000).contains(&low) => {
            (char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), 11)
        }
        _ => (None, 0),
    }
}

pub(super) fn hex(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// Appends `content` as a JSON string with its quotes.
pub fn encode(content: &str, out: &mut String) {
    out.push('"');
    encode_inner(content, out);
    out.push('"');
}

/// Appends `content` as it stands inside a JSON string.
pub fn encode_inner(content: &str, out: &mut String) {
    let mut rest = content;
    while let Some(stop) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        let (plain, tail) = rest.split_at(stop);
        out.push_str(plain);
        let mut characters = tail.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}
