use crate::{Event, Timestamp, Token};
use serde::{Deserialize, Serialize};

/// A SHA-256 digest as 64 lower-case hex digits.
pub type Digest = Token;

/// One line of an evidence log, version 1: JSON, UTF-8, ended by a line feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Format version: 1.
    pub version: u32,
    /// Place in the log, from 0, without gaps.
    pub index: u64,
    /// When the log's writer took the event.
    pub time: Timestamp,
    /// Hash of the record before; 64 zeros for the first.
    pub previous: Digest,
    /// What happened.
    pub event: Event,
    /// SHA-256 of [`chain_input`].
    pub hash: Digest,
    /// A signature over this and, through the chain, all earlier records; on the last record of each durable batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
}

/// An Ed25519 signature (RFC 8032) over [`seal_input`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// First 16 hex digits of the SHA-256 of the public key.
    pub key_id: Token,
    /// The 64 bytes as 128 lower-case hex digits.
    pub ed25519: Token,
}

/// The bytes that [`Record::hash`] covers. `event_json` are the bytes of the event *as they stand in the line*.
pub fn chain_input(index: u64, time: Timestamp, previous: &Digest, event_json: &str) -> String {
    format!("bailiwick-record-v1\n{index}\n{}\n{previous}\n{event_json}", time.unix_ms)
}

/// The bytes that a [`Seal`] signs.
pub fn seal_input(index: u64, hash: &Digest) -> String {
    format!("bailiwick-seal-v1\n{index}\n{hash}")
}
