//! Base64 (RFC 4648 section 4) with padding, in one spelling only.

/// The bytes of `text`; none if it is not the one spelling that they have.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    let (last, whole) = groups.split_last()?;
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(groups.len() * 3);
    for group in whole {
        bytes.extend(three(*group)?);
    }
    let [a, b, c, d] = *last;
    let (padded, kept) = match (c, d) {
        (b'=', b'=') => ([a, b, b'A', b'A'], 1),
        (_, b'=') => ([a, b, c, b'A'], 2),
        _ => (*last, 3),
    };
    let decoded = three(padded)?;
    let (kept, spare) = decoded.split_at(kept);
    // Bits that stand for nothing are zero, or the same bytes had several spellings.
    if spare.iter().any(|byte| *byte != 0) {
        return None;
    }
    bytes.extend(kept);
    Some(bytes)
}

fn three(group: [u8; 4]) -> Option<[u8; 3]> {
    let mut bits = 0;
    for character in group {
        bits = bits << 6 | u32::from(value(character)?);
    }
    let [_, a, b, c] = bits.to_be_bytes();
    Some([a, b, c])
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// The text of `bytes`.
#[cfg(test)]
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| group.get(at).copied().unwrap_or(0));
        let bits = u32::from_be_bytes([0, a, b, c]);
        for place in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
