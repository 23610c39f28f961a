//! Telephone numbers: ITU-T E.164 with a country code; national forms by their print or by context.

use crate::{Kind, finding::Sink, text::Text};

const WORDS: &[&str] = &[
    "tel",
    "telephone",
    "telefon",
    "teléfono",
    "telefono",
    "téléphone",
    "telefoon",
    "phone",
    "mobile",
    "mobil",
    "cell",
    "cellphone",
    "fax",
    "handy",
    "whatsapp",
    "sms",
    "call me",
    "call us",
    "can call",
    "ring me",
    "reach me",
    "text me",
    "answering at",
    "messages to",
    "office",
    "desk",
    "hotline",
    "portable",
    "rufnummer",
    "durchwahl",
];
const REACH: (usize, usize) = (28, 12);
const DIGITS_MAX: usize = 15;

/// Looks at the digits that start at `digits`; a plus sign or bracket may stand before them.
pub(crate) fn detect(text: Text<'_>, digits: usize, sink: &mut Sink) {
    let mut start = digits;
    if text.before(start, 1) == b'(' {
        start -= 1;
    }
    let plus = text.before(digits, 1) == b'+' || text.before(start, 1) == b'+';
    if plus {
        start = start.min(digits) - 1;
    }
    let Some(line) = Line::read(text, digits) else { return };
    let (found, is_phone) = if plus { line.international(0) } else { line.exit_code(text, digits) };
    let (found, is_phone) = if is_phone || plus { (found, is_phone) } else { line.national(text, start) };
    if !is_phone {
        return;
    }
    let end = extension(text, found);
    if text.closes(end) && !(matches!(text.at(end), b'-' | b'_') && text.at(end + 1).is_ascii_digit()) {
        sink.push(start, end, Kind::Phone);
    }
}

/// Past an extension: `x123`, ` ext. 12`.
fn extension(text: Text<'_>, end: usize) -> usize {
    let after = text.slice(end, end + 6);
    let skip = [&b" ext. "[..], b" ext ", b" x", b"x"].iter().find(|word| after.starts_with(word)).map_or(0, |word| word.len());
    let tail = text.span(end + skip, 6, |byte| byte.is_ascii_digit());
    if skip > 0 && tail > end + skip { tail } else { end }
}

/// Digits in groups as telephone numbers are typed.
struct Line {
    digits: [u8; DIGITS_MAX],
    count: usize,
    /// For each group: how many digits up to its end, where it ends, and the byte after it.
    groups: [(usize, usize, u8); 8],
    group_count: usize,
}

impl Line {
    fn read(text: Text<'_>, start: usize) -> Option<Self> {
        let mut line = Self { digits: [0; DIGITS_MAX], count: 0, groups: [(0, 0, 0); 8], group_count: 0 };
        let mut place = start;
        loop {
            let end = text.span(place, DIGITS_MAX + 1, |byte| byte.is_ascii_digit());
            let Some(room) = line.digits.get_mut(line.count..line.count + (end - place)) else { break };
            room.copy_from_slice(text.slice(place, end));
            line.count += end - place;
            *line.groups.get_mut(line.group_count)? = (line.count, end, text.at(end));
            line.group_count += 1;
            place = text.span(end, 3, |byte| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')'));
            if place == end
                || !text.at(place).is_ascii_digit()
                || line.group_count == line.groups.len()
                || text.slice(end, place).starts_with(b"--")
            {
                break;
            }
        }
        (line.count > 0).then_some(line)
    }

    fn groups(&self) -> &[(usize, usize, u8)] {
        self.groups.get(..self.group_count).unwrap_or(&[])
    }

    fn sizes(&self) -> impl Iterator<Item = usize> {
        self.groups().iter().scan(0, |before, group| Some(group.0 - std::mem::replace(before, group.0)))
    }

    /// The last group that ends with at least `min` and at most `max` digits.
    fn ending(&self, min: usize, max: usize) -> (usize, bool) {
        self.groups().iter().rev().find(|group| (min..=max).contains(&group.0)).map_or((0, false), |group| (group.1, true))
    }

    /// After a plus sign: a country code and as many digits as its numbering plan has. `(0)` may be among them.
    fn international(&self, skip: usize) -> (usize, bool) {
        let Some((min, max)) = plan(self.digits.get(skip..self.count).unwrap_or(&[])) else { return (0, false) };
        self.ending(skip + min, (skip + max).min(DIGITS_MAX))
    }

    /// `00` before a country code.
    fn exit_code(&self, text: Text<'_>, start: usize) -> (usize, bool) {
        let continues = !text.opens_number(start) || (text.before(start, 1) == b' ' && text.before(start, 2).is_ascii_digit());
        if !continues && self.digits.starts_with(b"00") && self.groups().first().is_some_and(|group| group.0 >= 3) {
            self.international(2)
        } else {
            (0, false)
        }
    }

    fn national(&self, text: Text<'_>, start: usize) -> (usize, bool) {
        if !text.opens_number(start) {
            return (0, false);
        }
        let sizes: Vec<usize> = self.sizes().collect();
        let separator = self.groups().first().map_or(0, |group| group.2);
        let american = sizes.starts_with(&[3, 3, 4]) && matches!(self.digits.first(), Some(b'2'..=b'9'));
        if american && matches!(separator, b'-' | b'.' | b')') && self.groups().get(1).is_some_and(|group| matches!(group.2, b'-' | b'.')) {
            return self.groups().get(2).map_or((0, false), |group| (group.1, true));
        }
        let date = matches!(sizes.as_slice(), [4, 2, 2, ..] | [2, 2, 4, ..]) && separator != b' ';
        let postcode = sizes == [5, 4] && separator == b'-';
        let address = separator == b'.' && sizes.len() == 4 && sizes.iter().all(|size| *size <= 3);
        let (end, fits) = self.ending(6, 12);
        let plain = sizes.len() == 1 && self.count < 7;
        if !fits || date || postcode || address || plain || self.digits.starts_with(b"000") {
            return (0, false);
        }
        (end, text.has_context_within(REACH, start, end, WORDS))
    }
}

/// How many digits a number has, its country code included: least and most.
fn plan(digits: &[u8]) -> Option<(usize, usize)> {
    Some(match digits {
        [b'1' | b'7', ..] => (11, 11),
        [b'3', b'1' | b'3' | b'4', ..] | [b'4', b'1' | b'8', ..] | [b'6', b'1', ..] => (11, 12),
        [b'3', b'2' | b'6', ..] => (10, 12),
        [b'4', b'4', ..] => (11, 13),
        [b'4', b'5' | b'7', ..] => (10, 10),
        [b'4', b'6', ..] => (9, 13),
        [b'4', b'3' | b'9', ..] => (8, 15),
        [b'2', b'0' | b'7', ..] => (10, 13),
        [b'3', b'0' | b'9', ..] => (8, 14),
        [b'5', b'1'..=b'8', ..] | [b'6', b'0' | b'2'..=b'6', ..] | [b'8', b'1' | b'2' | b'4' | b'6', ..] => (9, 14),
        [b'9', b'0'..=b'5' | b'8', ..] => (10, 14),
        [b'2' | b'3' | b'4' | b'5' | b'6' | b'8' | b'9', b'0'..=b'9', b'0'..=b'9', ..] => (9, 15),
        _ => return None,
    })
}
