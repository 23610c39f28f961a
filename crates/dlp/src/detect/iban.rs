//! IBAN: ISO 13616 lengths per country and the check of ISO/IEC 7064 MOD 97-10.

use super::number::compact_into;
use crate::{Kind, finding::Sink, text::Text};

const IBAN_BYTES_MAX: usize = 34;

/// Looks at the check digits at `digits`: two letters stand before them.
pub(crate) fn detect(text: Text<'_>, digits: usize, sink: &mut Sink) {
    let Some(start) = digits.checked_sub(2) else { return };
    if !text.opens(start) || !text.at(digits + 1).is_ascii_digit() {
        return;
    }
    let country = [text.at(start).to_ascii_uppercase(), text.at(start + 1).to_ascii_uppercase()];
    let Some(length) = length_of(country) else { return };
    let mut compact = [0_u8; IBAN_BYTES_MAX];
    let Some(compact) = compact.get_mut(..length) else { return };
    let Some(end) = compact_into(text, start, compact) else { return };
    if text.closes(end) && is_valid(compact) {
        sink.push(start, end, Kind::Iban);
    }
}

/// Whether the remainder is 1 once the first four characters are moved to the end.
fn is_valid(compact: &[u8]) -> bool {
    let (head, tail) = compact.split_at_checked(4).unwrap_or((compact, &[]));
    let remainder = tail.iter().chain(head).fold(0_u32, |remainder, byte| {
        if byte.is_ascii_digit() {
            (remainder * 10 + u32::from(byte - b'0')) % 97
        } else {
            (remainder * 100 + u32::from(byte.wrapping_sub(b'A')) + 10) % 97
        }
    });
    remainder == 1
}

/// The lengths of the IBAN registry (SWIFT, release 99).
fn length_of(country: [u8; 2]) -> Option<usize> {
    Some(match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FK" | b"FI" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"MN" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HN" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    })
}
