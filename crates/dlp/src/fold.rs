//! Other spellings of plain characters: full-width letters, digits of other scripts, dashes and blanks of typography, and characters that
//! nobody sees. Text that has some is searched once more with the plain ones in their place.

/// A text in plain characters, and where each of its bytes comes from.
pub(crate) struct Folded {
    pub(crate) text: String,
    /// For each byte of `text`, the start of its character in the original; then the original's length.
    origins: Vec<usize>,
}

impl Folded {
    /// `None` if there is nothing to fold.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.is_ascii() || !text.chars().any(|character| !character.is_ascii() && plain(character) != Some(character)) {
            return None;
        }
        let mut folded = Self { text: String::with_capacity(text.len()), origins: Vec::with_capacity(text.len() + 1) };
        for (place, character) in text.char_indices() {
            if let Some(plain) = plain(character) {
                folded.text.push(plain);
                folded.origins.resize(folded.text.len(), place);
            }
        }
        folded.origins.push(text.len());
        Some(folded)
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
