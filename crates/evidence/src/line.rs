//! The lines of a log's live file: its head, entries, and the checkpoints that confirm them.

use crate::Error;
use schema::{Event, Record, Timestamp, bounds::EVENT_BYTES_MAX};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{BufRead, Read};

/// Longest line, in bytes: an event and its frame.
pub(crate) const LINE_BYTES_MAX: usize = EVENT_BYTES_MAX + 2048;
/// Longest event in the log: what another process sent may grow a little when absent fields are written out.
pub(crate) const LOGGED_EVENT_BYTES_MAX: usize = EVENT_BYTES_MAX + 1024;
pub(crate) const FORMAT: &str = "bailiwick-log-v2";

/// The live file's first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) format: String,
    /// The log's name in its checkpoints.
    pub(crate) origin: String,
    /// Index of the first entry in this file; all before it are in tiles.
    pub(crate) first: u64,
}

/// A line with a checkpoint.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmed {
    pub(crate) checkpoint: String,
}

#[derive(Serialize)]
struct EntryOut<'a> {
    time: Timestamp,
    event: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryIn {
    time: Timestamp,
    event: Event,
}

/// What a line after the first is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// An entry, as the tree's leaf holds it.
    Entry(&'a [u8]),
    /// A signed checkpoint.
    Checkpoint(String),
}

impl<'a> Line<'a> {
    /// Reads a line without its line feed. An entry's inside is not looked at.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.starts_with(br#"{"time":"#) {
            return Some(Self::Entry(bytes));
        }
        serde_json::from_slice::<Confirmed>(bytes).ok().map(|line| Self::Checkpoint(line.checkpoint))
    }
}

impl Head {
    /// Reads the first line, with its line feed.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let head: Self = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
        (head.format == FORMAT && head.first.is_multiple_of(crate::tile::WIDTH as u64)).then_some(head)
    }

    /// The line, with its line feed.
    pub(crate) fn line(&self) -> Result<Vec<u8>, Error> {
        written(self)
    }
}

/// A checkpoint's line, with its line feed.
pub(crate) fn checkpoint(note: String) -> Result<Vec<u8>, Error> {
    written(&Confirmed { checkpoint: note })
}

/// Appends an entry's line, without its line feed.
pub(crate) fn write_entry(time: Timestamp, event: &RawValue, out: &mut Vec<u8>) -> Result<(), Error> {
    serde_json::to_writer(out, &EntryOut { time, event }).map_err(|_| Error::Malformed)
}

/// An entry and its place.
pub(crate) fn record(index: u64, entry: &[u8]) -> Option<Record> {
    let EntryIn { time, event } = serde_json::from_slice(entry).ok()?;
    Some(Record { index, time, event })
}

/// An event's bytes, at most `bytes_max`.
pub(crate) fn encode(event: &Event, bytes_max: usize) -> Result<Box<RawValue>, Error> {
    let raw = serde_json::value::to_raw_value(event).map_err(|_| Error::Malformed)?;
    let bytes = raw.get().len();
    if bytes > bytes_max { Err(Error::TooLarge { bytes }) } else { Ok(raw) }
}

fn written(line: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec(line).map_err(|_| Error::Malformed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads up to and including the next line feed into `line`, at most [`LINE_BYTES_MAX`] bytes. Returns how many; 0 at the end.
pub(crate) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    reader.take(LINE_BYTES_MAX as u64).read_until(b'\n', line)
}
