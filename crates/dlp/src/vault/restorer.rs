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
    restored: u64,
}

impl Restorer {
    pub(super) fn new(values: Arc<Values>, escape: Escape) -> Self {
        Self { values, escape, held: String::new(), restored: 0 }
    }

    /// Takes the next piece; gives back what is certain by now.
    pub fn push(&mut self, piece: &str) -> String {
        if self.held.is_empty() && !piece.as_bytes().contains(&b'B') {
            return piece.to_owned();
        }
        let mut text = std::mem::take(&mut self.held);
        text.push_str(piece);
        let mut out = String::with_capacity(text.len());
        let kept = restore_into(&text, &self.values, self.escape, &mut out);
        self.restored += kept.restored;
        self.held.push_str(text.get(kept.undecided_from..).unwrap_or(""));
        out
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

/// Writes `text` to `out` with every known placeholder replaced, up to where it may still become one.
pub(super) fn restore_into(text: &str, values: &Values, escape: Escape, out: &mut String) -> Progress {
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
                    write(value, escape, out);
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

fn write(value: &str, escape: Escape, out: &mut String) {
    match escape {
        Escape::None => out.push_str(value),
        Escape::Json => escape_json(value, out),
    }
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
