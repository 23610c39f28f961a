//! Payment cards: ISO/IEC 7812 issuer prefixes, lengths, and the Luhn check digit.

use super::number::{Number, luhn, value};
use crate::{Kind, finding::Sink, text::Text};

const WORDS: &[&str] = &[
    "card",
    "credit",
    "debit",
    "pan",
    "visa",
    "mastercard",
    "amex",
    "maestro",
    "discover",
    "carte",
    "karte",
    "kreditkarte",
    "kartennummer",
    "tarjeta",
    "carta",
    "cc",
    "credit_card",
];

/// Looks at the digits that start at `start`.
pub(crate) fn detect(text: Text<'_>, start: usize, number: &Number, sink: &mut Sink) {
    if number.digits().len() < 12 || number.is_mixed() || !matches!(number.separator(), 0 | b' ' | b'-' | b'.') {
        return;
    }
    for length in (12..=19).rev() {
        let Some((digits, groups, end)) = number.first(length) else { continue };
        if !fits(groups) || !luhn(digits) || digits.iter().all(|digit| digits.first() == Some(digit)) || !text.closes_number(end) {
            continue;
        }
        match issuer(digits) {
            Issuer::Exact => {}
            Issuer::Wide if text.has_context(start, end, WORDS) => {}
            Issuer::Wide | Issuer::None => continue,
        }
        sink.push(start, end, Kind::Card);
        return;
    }
}

enum Issuer {
    /// A prefix and length of a scheme.
    Exact,
    /// A range so wide that the number needs context.
    Wide,
    None,
}

fn issuer(digits: &[u8]) -> Issuer {
    let prefix = value(digits.get(..6).unwrap_or(&[]));
    let length = digits.len();
    let visa = matches!(prefix, 400_000..=499_999);
    let mastercard = matches!(prefix, 510_000..=559_999 | 222_100..=272_099);
    let amex = matches!(prefix, 340_000..=349_999 | 370_000..=379_999);
    let diners = matches!(prefix, 300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999);
    let discover = matches!(prefix, 601_100..=601_199 | 622_126..=622_925 | 644_000..=659_999);
    let jcb = matches!(prefix, 352_800..=358_999);
    let mir = matches!(prefix, 220_000..=220_499);
    let maestro = matches!(prefix, 500_000..=509_999 | 560_000..=699_999);
    let jcb_old = matches!(prefix, 213_100..=213_199 | 180_000..=180_099);
    let jcb_near = matches!(prefix, 350_000..=352_799);
    let troy = matches!(prefix, 979_200..=979_299);
    if (length == 16 && (visa || mastercard || discover || jcb))
        || (length == 15 && amex)
        || (length == 14 && diners)
        || (length == 15 && jcb_old)
    {
        Issuer::Exact
    } else if maestro || (visa && matches!(length, 13 | 19)) || (length >= 16 && (jcb_near || diners || discover || jcb || mir || troy)) {
        Issuer::Wide
    } else {
        Issuer::None
    }
}

/// How cards are printed and typed: in one piece, in fours, or as 4-6-5 and 4-6-4.
fn fits(groups: &[usize]) -> bool {
    match groups {
        [_] | [4, 6, 4 | 5] | [4, 7, 4] | [8, 8] => true,
        [first @ .., last] => first.iter().all(|size| *size == 4) && *last <= 4,
        [] => false,
    }
}
