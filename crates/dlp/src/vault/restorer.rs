use std::collections::HashMap;
use std::sync::Arc;

use super::placeholder::{self, PREFIX, Reading};

/// Placeholders and the values they stand for.
pub(super) type Values = HashMap<Arc<str>, Arc<str>>;

/// How a value is written into the text around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// As it is.
    #[default]
    None,
    /// As the inside of a JSON string (RFC 8259 §7), for text that is itself JSON, such as a tool call's arguments.
    Json,
}

/// Puts values back into a text that arrives in pieces. It holds back no more than what may still become a placeholder.
pub struct Restorer {
    values: Arc<Values>,
    escape: Escape,
    held: String,
    /// The end of what came before: it says into what a value is written.
    before: String,
    restored: u64,
}

impl Restorer {
    pub(super) fn new(values: Arc<Values>, escape: Escape) -> Self {
        Self { values, escape, held: String::new(), before: String::new(), restored: 0 }
    }

    /// Takes the next piece; gives back what is certain by now.
    pub fn push(&mut self, piece: &str) -> String {
        if self.held.is_empty() && !piece.as_bytes().contains(&b'B') {
            self.remember(piece);
            return piece.to_owned();
        }
        let mut text = std::mem::take(&mut self.held);
        text.push_str(piece);
        let mut out = String::with_capacity(text.len());
        let kept = restore_into(&text, &self.before, &self.values, self.escape, &mut out);
        self.restored += kept.restored;
        self.remember(text.get(..kept.undecided_from).unwrap_or(""));
        self.held.push_str(text.get(kept.undecided_from..).unwrap_or(""));
        out
    }

    fn remember(&mut self, text: &str) {
        self.before.push_str(text);
        let cut = self.before.ceil_char_boundary(self.before.len().saturating_sub(BEFORE_BYTES_MAX));
        self.before.drain(..cut);
    }

    /// The text has ended: gives back what was held.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// How many values have been put back so far.
    pub fn restored(&self) -> u64 {
        self.restored
    }
}

impl std::fmt::Debug for Restorer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Restorer").field("escape", &self.escape).field("held_bytes", &self.held.len()).finish_non_exhaustive()
    }
}

/// How far a text could be decided.
pub(super) struct Progress {
    pub(super) restored: u64,
    /// From here on the text may still become a placeholder.
    pub(super) undecided_from: usize,
}

/// How far back the string that a value is written into is looked for, in bytes.
const BEFORE_BYTES_MAX: usize = 32;

/// Writes `text`, which comes after `before`, to `out` with every known placeholder replaced, up to where it may still become one.
pub(super) fn restore_into(text: &str, before: &str, values: &Values, escape: Escape, out: &mut String) -> Progress {
    let bytes = text.as_bytes();
    let (mut written, mut search, mut restored) = (0, 0, 0);
    while let Some(found) = memchr::memchr(b'B', bytes.get(search..).unwrap_or(&[])) {
        let place = search + found;
        match placeholder::read(bytes.get(place..).unwrap_or(&[])) {
            Reading::Partial => {
                out.push_str(text.get(written..place).unwrap_or(""));
                return Progress { restored, undecided_from: place };
            }
            Reading::Whole(length) => match text.get(place..place + length).and_then(|placeholder| values.get(placeholder)) {
                Some(value) => {
                    out.push_str(text.get(written..place).unwrap_or(""));
                    write(value, escape.times(before, text.get(..place).unwrap_or("")), out);
                    restored += 1;
                    (written, search) = (place + length, place + length);
                }
                None => search = place + PREFIX.len(),
            },
            Reading::Other => search = place + 1,
        }
    }
    out.push_str(text.get(written..).unwrap_or(""));
    Progress { restored, undecided_from: text.len() }
}

impl Escape {
    /// How many times a value is escaped after this text: a member of JSON that stands in strings of JSON needs it once for each level
    /// (`{"file": "{\\"key\\": \\"…`), or what the agent writes would be no JSON any more. Everything else needs it as often as the text as such.
    fn times(self, before: &str, text: &str) -> u32 {
        let base = match self {
            Self::None => 0,
            Self::Json => 1,
        };
        let mut near = text.bytes().rev().chain(before.bytes().rev()).take(BEFORE_BYTES_MAX).peekable();
        if near.next() != Some(b'"') {
            return base;
        }
        let mut backslashes = 0_u32;
        while near.next_if_eq(&b'\\').is_some() {
            backslashes += 1;
        }
        let is_member = near.by_ref().find(|byte| *byte != b' ') == Some(b':') && near.find(|byte| *byte != b' ') == Some(b'"');
        // Each level doubles the backslashes and adds one.
        if is_member && (backslashes + 1).is_power_of_two() { base.max((backslashes + 1).ilog2() + 1) } else { base }
    }
}

fn write(value: &str, times: u32, out: &mut String) {
    if times == 0 {
        out.push_str(value);
        return;
    }
    let mut escaped = String::with_capacity(value.len());
    escape_json(value, &mut escaped);
    for _ in 1..times {
        let inner = std::mem::take(&mut escaped);
        escape_json(&inner, &mut escaped);
    }
    out.push_str(&escaped);
}

/// Writes `value` as the inside of a JSON string.
pub(super) fn escape_json(value: &str, out: &mut String) {
    use std::fmt::Write as _;
    for character in value.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
}
