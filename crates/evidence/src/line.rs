//! One record as one line of the log, both ways. The hash covers the event's bytes as they stand in the line.

use crate::Error;
use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use schema::{Digest, Event, Seal, Timestamp, Token, bounds::EVENT_BYTES_MAX, chain_input};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{BufRead, Read};

/// Longest line, in bytes: an event and its frame.
pub(crate) const LINE_BYTES_MAX: usize = EVENT_BYTES_MAX + 2048;
/// Longest event in the log: what another process sent may grow a little when absent fields are written out.
pub(crate) const LOGGED_EVENT_BYTES_MAX: usize = EVENT_BYTES_MAX + 1024;
pub(crate) const FORMAT_VERSION: u32 = 1;

/// A record whose event is still the bytes that were written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line<'a> {
    pub(crate) version: u32,
    pub(crate) index: u64,
    pub(crate) time: Timestamp,
    pub(crate) previous: Digest,
    #[serde(borrow)]
    pub(crate) event: &'a RawValue,
    pub(crate) hash: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<Seal>,
}

impl<'a> Line<'a> {
    /// Links an event to the record before it.
    pub(crate) fn link(index: u64, time: Timestamp, previous: Digest, event: &'a RawValue) -> Self {
        let hash = sha256(&chain_input(index, time, &previous, event.get()));
        Self { version: FORMAT_VERSION, index, time, previous, event, hash, seal: None }
    }

    /// Whether the record follows `previous` at place `index` and its hash is its own.
    pub(crate) fn follows(&self, index: u64, previous: &Digest) -> bool {
        self.version == FORMAT_VERSION
            && self.index == index
            && self.previous == *previous
            && self.hash == sha256(&chain_input(self.index, self.time, &self.previous, self.event.get()))
    }

    /// Appends the line with its line feed.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        serde_json::to_writer(&mut *out, self).map_err(|_| Error::Malformed)?;
        out.push(b'\n');
        Ok(())
    }
}

/// An event's bytes, at most `bytes_max`.
pub(crate) fn encode(event: &Event, bytes_max: usize) -> Result<Box<RawValue>, Error> {
    let raw = serde_json::value::to_raw_value(event).map_err(|_| Error::Malformed)?;
    let bytes = raw.get().len();
    if bytes > bytes_max { Err(Error::TooLarge { bytes }) } else { Ok(raw) }
}

/// The hash that stands before the first record.
pub(crate) fn genesis() -> Digest {
    Token::lossy(&"0".repeat(64))
}

fn sha256(input: &str) -> Digest {
    Token::lossy(&HEXLOWER.encode(digest::digest(&digest::SHA256, input.as_bytes()).as_ref()))
}

/// Reads up to and including the next line feed into `line`, at most [`LINE_BYTES_MAX`] bytes. Returns how many; 0 at the end.
pub(crate) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    reader.take(LINE_BYTES_MAX as u64).read_until(b'\n', line)
}
