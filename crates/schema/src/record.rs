use crate::{Event, Timestamp, Token};

/// A SHA-256 digest as 64 lower-case hex digits.
pub type Digest = Token;

/// One entry of an evidence log, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Place in the log, from 0, without gaps.
    pub index: u64,
    /// When the log's writer took the event.
    pub time: Timestamp,
    /// What happened.
    pub event: Event,
}
