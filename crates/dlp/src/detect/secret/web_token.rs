//! JSON web tokens: RFC 7519, RFC 7516. The header must decode to JSON that names an algorithm.

use crate::{Kind, finding::Sink, text::Text};

/// Looks at the `eyJ` at `start`.
pub(super) fn detect(text: Text<'_>, start: usize, sink: &mut Sink) {
    if text.slice(start, start + 3) != b"eyJ" || !text.opens(start) || matches!(text.before(start, 1), b'-' | b'_') {
        return;
    }
    let header = part(text, start);
    if text.at(header) != b'.' || !names_algorithm(text.slice(start, header)) {
        return;
    }
    let mut end = header;
    let mut parts = 1;
    while parts < 5 && text.at(end) == b'.' {
        end = part(text, end + 1);
        parts += 1;
    }
    if parts == 3 || parts == 5 {
        sink.push(start, end, Kind::Jwt);
    }
}

fn part(text: Text<'_>, start: usize) -> usize {
    text.span(start, usize::MAX, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn names_algorithm(header: &[u8]) -> bool {
    let decoded = decode(header.get(..header.len().min(1024)).unwrap_or(&[]));
    decoded.first() == Some(&b'{') && decoded.windows(5).any(|part| part == b"\"alg\"")
}

/// Base64url (RFC 4648 §5) without padding; what does not decode is left out.
fn decode(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap_or(0));
        }
    }
    bytes
}
