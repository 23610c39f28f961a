//! One line of a log, read strictly: every byte of it is hashed, signed, or the only one that may stand there.

use crate::{Reason, hex};
use schema::{Digest, Event, Seal, Timestamp, bounds, chain_input};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use std::io::{BufRead, Read};

/// The format that this verifier knows.
pub const FORMAT_VERSION: u32 = 1;
/// Longest event in a log, in bytes.
pub const EVENT_BYTES_MAX: usize = bounds::EVENT_BYTES_MAX + 1024;
/// Longest line with its line feed, in bytes.
pub const LINE_BYTES_MAX: usize = bounds::EVENT_BYTES_MAX + 2048;

/// A record whose event is still the bytes that were written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line<'a> {
    version: u32,
    pub(crate) index: u64,
    pub(crate) time: Timestamp,
    pub(crate) previous: Digest,
    #[serde(borrow)]
    event: &'a RawValue,
    pub(crate) hash: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seal: Option<Seal>,
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

impl<'a> Line<'a> {
    /// Reads the frame of a whole line, without its line feed.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Reason> {
        let Ok(line) = serde_json::from_slice::<Self>(bytes) else {
            return Err(match serde_json::from_slice::<VersionOnly>(bytes) {
                Ok(VersionOnly { version }) if version != FORMAT_VERSION => Reason::Version { found: version },
                _ => Reason::NotARecord,
            });
        };
        if line.version != FORMAT_VERSION {
            return Err(Reason::Version { found: line.version });
        }
        // White space, escapes, another order of fields: the seal does not cover them, so they may not be there.
        if serde_json::to_vec(&line).ok().as_deref() != Some(bytes) {
            return Err(Reason::Form);
        }
        Ok(line)
    }

    /// Whether the hash is that of the index, time, previous hash and the event's bytes.
    pub(crate) fn has_own_hash(&self) -> bool {
        let input = chain_input(self.index, self.time, &self.previous, self.event.get());
        hex::encode(&Sha256::digest(input.as_bytes())) == self.hash.as_str()
    }

    /// The event. Unknown, missing and repeated fields are refused, at every depth: what the event says must be all that the bytes say.
    pub(crate) fn event(&self) -> Result<Event, Reason> {
        let raw = self.event.get();
        let event: Event = serde_json::from_str(raw).map_err(|_| Reason::Event)?;
        let written = serde_json::to_string(&event).map_err(|_| Reason::Event)?;
        if raw.len() > EVENT_BYTES_MAX || written != raw { Err(Reason::Event) } else { Ok(event) }
    }
}

/// Reads up to and including the next line feed into `line`, at most [`LINE_BYTES_MAX`] bytes. Returns how many; 0 at the end.
pub(crate) fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<usize> {
    line.clear();
    reader.take(LINE_BYTES_MAX as u64).read_until(b'\n', line)
}
