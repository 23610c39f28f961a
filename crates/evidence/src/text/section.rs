use super::{COLUMNS_MAX, Style};
use std::fmt::Write;

/// Characters before a section's text.
const LABEL_COLUMNS: usize = 10;
const TEXT_COLUMNS: usize = COLUMNS_MAX - LABEL_COLUMNS;

/// How a section looks in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Plain,
    Good,
    /// Something to look at.
    Bad,
}

/// A label and a few lines of text.
pub(super) struct Section {
    label: &'static str,
    mood: Mood,
    lines: Vec<String>,
}

impl Section {
    pub(super) fn new(label: &'static str, mood: Mood) -> Self {
        Self { label, mood, lines: Vec::new() }
    }

    /// Adds a line.
    pub(super) fn line(mut self, text: &str) -> Self {
        self.lines.push(fit(text, TEXT_COLUMNS));
        self
    }

    /// Adds each text as a line, at most `lines_max`; the last tells how many are left out.
    pub(super) fn lines(mut self, mut texts: Vec<String>, lines_max: usize) -> Self {
        if texts.len() > lines_max {
            let more = texts.len() - (lines_max - 1);
            texts.truncate(lines_max - 1);
            texts.push(format!("and {more} more"));
        }
        self.lines.extend(texts.iter().map(|text| fit(text, TEXT_COLUMNS)));
        self
    }

    /// Adds words with commas between them, at most `lines_max` lines; the last tells how many are left out.
    pub(super) fn wrapped(self, words: Vec<String>, lines_max: usize) -> Self {
        self.flow(words, ", ", lines_max)
    }

    /// Adds words with spaces between them.
    pub(super) fn spaced(self, words: Vec<String>, lines_max: usize) -> Self {
        self.flow(words, " ", lines_max)
    }

    fn flow(mut self, words: Vec<String>, between: &str, lines_max: usize) -> Self {
        let (first, total) = (self.lines.len(), words.len());
        for (place, word) in words.into_iter().enumerate() {
            let is_last_line = self.lines.len() - first >= lines_max;
            let is_last_word = place + 1 == total;
            // On the last line, room stays for saying how much is left out.
            let columns = match (is_last_word, is_last_line) {
                (true, _) => TEXT_COLUMNS,
                (false, true) => TEXT_COLUMNS - MORE_COLUMNS,
                (false, false) => TEXT_COLUMNS - between.len(),
            };
            let word = fit(&word, if is_last_word { TEXT_COLUMNS } else { TEXT_COLUMNS - MORE_COLUMNS });
            let is_fresh = self.lines.len() == first;
            match self.lines.last_mut().filter(|_| !is_fresh) {
                Some(line) if line.chars().count() + between.len() + word.chars().count() <= columns => {
                    line.push_str(between);
                    line.push_str(&word);
                }
                Some(line) if is_last_line => {
                    let _ok = write!(line, "{between}and {} more", total - place);
                    break;
                }
                Some(line) => {
                    line.push_str(between.trim_end());
                    self.lines.push(word);
                }
                None => self.lines.push(word),
            }
        }
        self
    }

    pub(super) fn write(&self, style: Style, out: &mut String) {
        for (place, line) in self.lines.iter().enumerate() {
            let label = if place == 0 { self.label } else { "" };
            let (on, off) = match (style.color, self.mood) {
                (false, _) => ("", ""),
                (true, Mood::Plain) => ("\x1b[1m", "\x1b[0m"),
                (true, Mood::Good) => ("\x1b[1;32m", "\x1b[0m"),
                (true, Mood::Bad) => ("\x1b[1;31m", "\x1b[0m"),
            };
            let _ok = writeln!(out, "{on}{label:<LABEL_COLUMNS$}{off}{line}");
        }
    }
}

/// Columns of `, and N more` and a trailing comma.
const MORE_COLUMNS: usize = 24;

/// `text` without anything that could control a terminal or override the direction of writing, cut to `columns`.
fn fit(text: &str, columns: usize) -> String {
    let mut shown = String::new();
    let mut taken = 0;
    for character in text.chars() {
        let is_known_sign = matches!(character, '\u{2192}' | '\u{d7}' | ' '..='~') || character.is_alphanumeric();
        let piece = if is_known_sign { character.to_string() } else { character.escape_unicode().to_string() };
        let length = piece.chars().count();
        if taken + length > columns.saturating_sub(1) {
            shown.push('\u{2026}');
            break;
        }
        shown.push_str(&piece);
        taken += length;
    }
    shown
}
