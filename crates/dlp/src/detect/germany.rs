//! Tax identification numbers (§ 139b AO; ISO/IEC 7064 MOD 11,10) and pension insurance numbers (VKVV § 2).

use super::number::{Number, compact_into, value};
use crate::{Kind, finding::Sink, text::Text};

/// Looks at the digits that start at `start`.
pub(crate) fn detect_steuer_id(text: Text<'_>, start: usize, number: &Number, sink: &mut Sink) {
    let Some((digits, [11] | [2, 3, 3, 3], end)) = number.first(11) else { return };
    if is_steuer_id(digits) && text.closes_number(end) {
        sink.push(start, end, Kind::DeSteuerId);
    }
}

/// The first digit is not 0; of the first ten, exactly one occurs twice or three times; the last is the check digit.
fn is_steuer_id(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let mut counts = [0_u8; 10];
    for digit in body {
        if let Some(count) = counts.get_mut(usize::from(*digit)) {
            *count += 1;
        }
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let triple = body.windows(3).any(|window| matches!(window, [a, b, c] if a == b && b == c));
    if body.first() == Some(&0) || repeated != 1 || counts.iter().any(|count| *count > 3) || triple {
        return false;
    }
    let product = body.iter().fold(10_u32, |product, digit| {
        let sum = (u32::from(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    u32::from(*check) == (11 - product) % 10
}

/// Looks at the digits that start at `start`: area, birth date, the name's first letter, serial, check digit.
pub(crate) fn detect_rvnr(text: Text<'_>, start: usize, sink: &mut Sink) {
    let mut compact = [0_u8; 12];
    let Some(end) = compact_into(text, start, &mut compact) else { return };
    if text.closes_number(end) && is_rvnr(&compact) {
        sink.push(start, end, Kind::DeRvnr);
    }
}

fn is_rvnr(compact: &[u8; 12]) -> bool {
    const WEIGHTS: [u32; 12] = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let [a, b, d1, d2, m1, m2, y1, y2, letter, s1, s2, check] = *compact;
    if !letter.is_ascii_uppercase() || [a, b, d1, d2, m1, m2, y1, y2, s1, s2, check].iter().any(|byte| !byte.is_ascii_digit()) {
        return false;
    }
    let pair = |tens: u8, ones: u8| value(&[tens - b'0', ones - b'0']);
    if !matches!(pair(d1, d2), 1..=31 | 51..=81) || !matches!(pair(m1, m2), 1..=12) {
        return false;
    }
    let place = letter - b'A' + 1;
    let digits = [a, b, d1, d2, m1, m2, y1, y2].map(|byte| byte - b'0').into_iter().chain([place / 10, place % 10, s1 - b'0', s2 - b'0']);
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| u32::from(digit) * weight).map(|product| product / 10 + product % 10).sum();
    sum % 10 == u32::from(check - b'0')
}
