//! Social security numbers (NIR, INSEE): sex, birth year and month, department (Corsica: 2A, 2B), commune, order, key.

use super::number::compact_into;
use crate::{Kind, finding::Sink, text::Text};

const WORDS: &[&str] = &["nir", "sécu", "secu", "sécurité", "securite", "insee", "assuré", "vitale", "sociale"];

/// Looks at the digits that start at `start`.
pub(crate) fn detect(text: Text<'_>, start: usize, sink: &mut Sink) {
    if !matches!(text.at(start), b'1'..=b'4' | b'7' | b'8') {
        return;
    }
    let mut full = [0_u8; 15];
    if let Some(end) = compact_into(text, start, &mut full)
        && text.closes_number(end)
    {
        if is_valid(&full) {
            sink.push(start, end, Kind::FrNir);
        }
        return;
    }
    let mut body = [0_u8; 13];
    if let Some(end) = compact_into(text, start, &mut body)
        && text.closes_number(end)
        && body_value(&body).is_some()
        && text.has_context(start, end, WORDS)
    {
        sink.push(start, end, Kind::FrNir);
    }
}

fn is_valid(full: &[u8; 15]) -> bool {
    let Some((body, key)) = full.split_first_chunk::<13>() else { return false };
    let Some(key) = decimal(key) else { return false };
    body_value(body).is_some_and(|body| key == 97 - body % 97)
}

/// The number that the key is computed of; `None` if the month or the department cannot be.
fn body_value(body: &[u8; 13]) -> Option<u64> {
    let month = decimal(body.get(3..5)?)?;
    if !matches!(month, 1..=12 | 20..=42 | 50..=99) {
        return None;
    }
    let mut digits = *body;
    let department = match body.get(5..7)? {
        b"2A" => 19,
        b"2B" => 18,
        plain => decimal(plain)?,
    };
    if department == 0 {
        return None;
    }
    let (tens, ones) = (u8::try_from(department / 10).ok()?, u8::try_from(department % 10).ok()?);
    digits.get_mut(5..7)?.copy_from_slice(&[b'0' + tens, b'0' + ones]);
    decimal(&digits)
}

fn decimal(bytes: &[u8]) -> Option<u64> {
    bytes.iter().try_fold(0_u64, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
}
