//! Other spellings of plain characters: full-width letters, digits of other scripts, dashes and blanks of typography, and characters that
//! nobody sees. Where a text has some, it is searched once more with the plain ones in their place.

use std::ops::Range;

/// How far around such a character its text is searched once more, in bytes; then on to the next blank, so that nothing is cut in two.
const REACH: usize = 512;

/// A part of a text in plain characters, and where each of its bytes comes from.
pub(crate) struct Folded {
    pub(crate) text: String,
    /// For each byte of `text`, the start of its character in the original; then where the part ends there.
    origins: Vec<usize>,
}

impl Folded {
    /// The parts of `text` that have something to fold, each with its neighbourhood; mostly there are none.
    pub(crate) fn parts(text: &str) -> Vec<Self> {
        // Where such characters stand, those that are near each other together: the start of the first and the end of the last.
        let mut near: Vec<Range<usize>> = Vec::new();
        let mut place = 0;
        while let Some(ahead) = text.as_bytes().get(place..).and_then(|rest| rest.iter().position(|byte| !byte.is_ascii())) {
            place += ahead;
            let Some(character) = text.get(place..).and_then(|rest| rest.chars().next()) else { break };
            let next = place + character.len_utf8();
            if plain(character) != Some(character) {
                match near.last_mut() {
                    Some(last) if place <= last.end + 4 * REACH => last.end = next,
                    _ => near.push(place..next),
                }
            }
            place = next;
        }
        near.into_iter().map(|range| Self::of(text, before(text, range.start)..after(text, range.end))).collect()
    }

    fn of(text: &str, range: Range<usize>) -> Self {
        let mut folded = Self { text: String::with_capacity(range.len()), origins: Vec::with_capacity(range.len() + 1) };
        for (place, character) in text.get(range.clone()).unwrap_or_default().char_indices() {
            if let Some(plain) = plain(character) {
                folded.text.push(plain);
                folded.origins.resize(folded.text.len(), range.start + place);
            }
        }
        folded.origins.push(range.end);
        folded
    }

    /// The range of the original that a range of the folded text stands for, with whatever is unseen inside of it.
    pub(crate) fn original(&self, start: usize, end: usize) -> (usize, usize) {
        let origin = |index: usize| self.origins.get(index).copied().unwrap_or_else(|| self.origins.last().copied().unwrap_or(0));
        let first = origin(start);
        // One past the last byte: where the next character after the last one begins. What is unseen after it stays.
        let last = end.checked_sub(1).map_or(first, origin);
        let next = origin(end);
        (first, next.max(last))
    }
}

/// Where the neighbourhood before `place` begins.
fn before(text: &str, place: usize) -> usize {
    let far = place.saturating_sub(REACH);
    let head = text.as_bytes().get(far.saturating_sub(REACH)..far).unwrap_or_default();
    let blank = head.iter().rposition(u8::is_ascii_whitespace).map_or(head.len(), |blank| head.len() - blank - 1);
    text.floor_char_boundary(far - blank.min(far))
}

/// Where the neighbourhood after `place` ends.
fn after(text: &str, place: usize) -> usize {
    let far = place.saturating_add(REACH).min(text.len());
    let tail = text.as_bytes().get(far..far.saturating_add(REACH).min(text.len())).unwrap_or_default();
    let blank = tail.iter().position(u8::is_ascii_whitespace).unwrap_or(tail.len());
    text.ceil_char_boundary(far + blank)
}

/// The plain character for one that looks like it; `None` for one that is not seen at all.
fn plain(character: char) -> Option<char> {
    Some(match character {
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => return None,
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{ff01}'..='\u{ff5e}' => shifted(character, 0xff01, '!'),
        '\u{660}'..='\u{669}' => shifted(character, 0x660, '0'),
        '\u{6f0}'..='\u{6f9}' => shifted(character, 0x6f0, '0'),
        '\u{966}'..='\u{96f}' => shifted(character, 0x966, '0'),
        '\u{1d7ce}'..='\u{1d7ff}' => shifted_digit(u32::from(character) - 0x1d7ce),
        other => other,
    })
}

fn shifted(character: char, from: u32, to: char) -> char {
    char::from_u32(u32::from(character) - from + u32::from(to)).unwrap_or(character)
}

/// Mathematical digits come in five alphabets one after the other.
fn shifted_digit(offset: u32) -> char {
    char::from_digit(offset % 10, 10).unwrap_or('0')
}

#[cfg(test)]
mod tests;
