//! Social security numbers (SSA POMS RM 10201: what is never assigned) and individual taxpayer identification numbers (IRS).

use super::number::{Number, value};
use crate::{Kind, finding::Sink, text::Text};

const WORDS: &[&str] = &["ssn", "social security", "social_security", "socialsecurity", "itin", "taxpayer", "tax id", "tax_id", "soc sec"];

/// Looks at the digits that start at `start`.
pub(crate) fn detect(text: Text<'_>, start: usize, number: &Number, sink: &mut Sink) {
    let Some((digits, groups, end)) = number.first(9) else { return };
    if !text.closes_number(end) {
        return;
    }
    let Some(kind) = kind(digits) else { return };
    let printed = groups == [3, 2, 4] && matches!(number.separator(), b'-' | b'.') && !number.is_mixed();
    let typed = matches!(groups, [9] | [3, 2, 4] | [3, 6] | [5, 4]);
    if printed || (typed && text.has_context(start, end, WORDS)) {
        sink.push(start, end, kind);
    }
}

fn kind(digits: &[u8]) -> Option<Kind> {
    let area = value(digits.get(..3)?);
    let group = value(digits.get(3..5)?);
    let serial = value(digits.get(5..)?);
    if digits.iter().all(|digit| digits.first() == Some(digit)) {
        return None;
    }
    match area {
        0 | 666 => None,
        900..=999 => matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99).then_some(Kind::UsItin),
        _ => (group != 0 && serial != 0).then_some(Kind::UsSsn),
    }
}
