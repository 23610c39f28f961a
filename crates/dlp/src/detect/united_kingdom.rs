//! National insurance numbers (HMRC NIM39110) and NHS numbers (NHS data dictionary, modulus 11).

use super::number::Number;
use crate::{Kind, finding::Sink, text::Text};

const NINO_WORDS: &[&str] = &["nino", "national insurance", "national_insurance", "ni number", "ni_number", "ni no", "insurance number"];
const NHS_WORDS: &[&str] = &["nhs", "health service", "patient", "nhs_number"];

/// Looks at the digits that start at `digits`: two letters stand before them, maybe with a space between.
pub(crate) fn detect_nino(text: Text<'_>, digits: usize, sink: &mut Sink) {
    let gap = usize::from(matches!(text.before(digits, 1), b' ' | b'-'));
    let Some(start) = digits.checked_sub(2 + gap) else { return };
    let prefix = [text.at(start), text.at(start + 1)];
    if !text.opens(start) || !is_nino_prefix(prefix.map(|letter| letter.to_ascii_uppercase())) {
        return;
    }
    let number = Number::read(text, digits);
    let Some((_, [6] | [2, 2, 2], end)) = number.first(6) else { return };
    let suffix = end + usize::from(matches!(text.at(end), b' ' | b'-'));
    let has_suffix = matches!(text.at(suffix).to_ascii_uppercase(), b'A'..=b'D') && text.closes(suffix + 1);
    let upper = prefix.iter().chain([&text.at(suffix)]).all(u8::is_ascii_uppercase);
    if has_suffix && (upper || text.has_context(start, suffix + 1, NINO_WORDS)) {
        sink.push(start, suffix + 1, Kind::UkNino);
    } else if text.closes_number(end) && text.has_context(start, end, NINO_WORDS) {
        sink.push(start, end, Kind::UkNino);
    }
}

fn is_nino_prefix([first, second]: [u8; 2]) -> bool {
    first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && !matches!(&[first, second], b"BG" | b"GB" | b"KN" | b"NK" | b"NT" | b"TN" | b"ZZ")
}

/// Looks at the digits that start at `start`. One number in eleven passes the check, so context is needed.
pub(crate) fn detect_nhs(text: Text<'_>, start: usize, number: &Number, sink: &mut Sink) {
    let Some((digits, [10] | [3, 3, 4], end)) = number.first(10) else { return };
    if is_nhs(digits) && text.closes_number(end) && text.has_context(start, end, NHS_WORDS) {
        sink.push(start, end, Kind::UkNhs);
    }
}

fn is_nhs(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().zip((2..=10).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let check = (11 - sum % 11) % 11;
    let varied = digits.iter().any(|digit| digits.first() != Some(digit));
    varied && digits.last().is_some_and(|last| u32::from(*last) == check)
}
