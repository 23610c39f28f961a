//! The lines of `log.jsonl`, and entries wherever they stand, read strictly: every byte is hashed, signed, or the only one that may stand
//! there.

use crate::{Reason, checkpoint};
use schema::{Event, Timestamp, bounds};
use std::io::{BufRead, Read};

/// Longest event in a log, in bytes.
pub const EVENT_BYTES_MAX: usize = bounds::EVENT_BYTES_MAX + 1024;
/// Longest entry, in bytes.
pub const ENTRY_BYTES_MAX: usize = bounds::EVENT_BYTES_MAX + 2048;
/// Longest line with its line feed, in bytes.
pub const LINE_BYTES_MAX: usize = ENTRY_BYTES_MAX + 1;
/// The format that this verifier knows.
pub const FORMAT: &str = "bailiwick-log-v2";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) origin: String,
    /// Index of the first entry that follows; all before are in tiles.
    pub(crate) first: u64,
}

impl Head {
    /// Reads the first line, without its line feed.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Reason> {
        let text = str::from_utf8(line).map_err(|_| Reason::NotAHead)?;
        let (format, rest) =
            text.strip_prefix(r#"{"format":""#).and_then(|rest| rest.split_once(r#"","origin":""#)).ok_or(Reason::NotAHead)?;
        if format != FORMAT {
            return Err(Reason::Format);
        }
        let (origin, rest) = rest.split_once(r#"","first":"#).ok_or(Reason::NotAHead)?;
        let first = rest.strip_suffix('}').and_then(checkpoint::number).ok_or(Reason::NotAHead)?;
        if checkpoint::is_origin(origin) { Ok(Self { origin: origin.to_owned(), first }) } else { Err(Reason::NotAHead) }
    }
}

/// A line after the first.
pub(crate) enum Line<'a> {
    Entry(&'a [u8]),
    /// The text of a signed note.
    Checkpoint(String),
}

const CHECKPOINT_LEAD: &[u8] = br#"{"checkpoint":""#;

impl<'a> Line<'a> {
    /// Reads a line, without its line feed.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Reason> {
        let Some(rest) = bytes.strip_prefix(CHECKPOINT_LEAD) else { return Ok(Self::Entry(bytes)) };
        let escaped = rest.strip_suffix(br#""}"#).and_then(|text| str::from_utf8(text).ok()).ok_or(Reason::NotACheckpoint)?;
        // The only escape that a note needs.
        let text = escaped.replace(r"\n", "\n");
        if text.contains(['\\', '"']) || escaped.contains('\n') { Err(Reason::NotACheckpoint) } else { Ok(Self::Checkpoint(text)) }
    }

    /// Whether a line begins as a checkpoint does.
    pub(crate) fn looks_like_checkpoint(bytes: &[u8]) -> bool {
        bytes.starts_with(CHECKPOINT_LEAD)
    }
}

/// Reads entries; keeps a buffer from one to the next.
#[derive(Default)]
pub(crate) struct Entries {
    written: Vec<u8>,
}

impl Entries {
    /// Reads an entry's frame and event. Unknown, missing and repeated fields are refused, at every depth: what the event says must be
    /// all that the bytes say.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<(Timestamp, Event), Reason> {
        let rest = bytes.strip_prefix(br#"{"time":"#).ok_or(Reason::NotARecord)?;
        let digits = rest.iter().position(|byte| !byte.is_ascii_digit()).ok_or(Reason::NotARecord)?;
        let (time, rest) = rest.split_at_checked(digits).ok_or(Reason::NotARecord)?;
        let unix_ms = str::from_utf8(time).ok().and_then(checkpoint::number).ok_or(Reason::NotARecord)?;
        let raw = rest.strip_prefix(br#","event":"#).and_then(|rest| rest.strip_suffix(b"}")).ok_or(Reason::NotARecord)?;
        if raw.len() > EVENT_BYTES_MAX || bytes.len() > ENTRY_BYTES_MAX {
            return Err(Reason::LineTooLong);
        }
        let event: Event = serde_json::from_slice(raw).map_err(|_| Reason::Event)?;
        self.written.clear();
        serde_json::to_writer(&mut self.written, &event).map_err(|_| Reason::Event)?;
        if self.written == raw { Ok((Timestamp { unix_ms }, event)) } else { Err(Reason::Event) }
    }
}

/// Reads up to and including the next line feed into `line`, at most [`LINE_BYTES_MAX`] bytes. Returns how many; 0 at the end.
pub(crate) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    reader.take(LINE_BYTES_MAX as u64).read_until(b'\n', line)
}
