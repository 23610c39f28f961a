use serde::Serialize;

/// Why a record is bad. Names what was expected, never content of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// The line is longer than any record.
    #[error("the line is longer than any record may be")]
    LineTooLong,
    /// The line is no record of this format.
    #[error("the line is not a record of this format")]
    NotARecord,
    /// Another version of the format.
    #[error("the record has format version {found}; this verifier knows version 1 only")]
    Version {
        /// What it says.
        found: u32,
    },
    /// A record is missing, or stands in another place.
    #[error("the record has index {found} where {expected} must follow: records are missing, repeated or moved")]
    Index {
        /// What must follow.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// It does not continue the record before.
    #[error("the record does not continue the one before it")]
    Previous,
    /// Its hash is not its own.
    #[error("the record was altered: its hash does not fit its index, time and event")]
    Hash,
    /// The line says the same in other bytes.
    #[error("the line is not in the form in which records are written")]
    Form,
    /// The event is unknown, or has unknown, missing or repeated fields.
    #[error("the event is not one of this format, or is not in the form in which events are written")]
    Event,
    /// Sealed by another key.
    #[error("the record is sealed by key {found}, not by key {expected}")]
    SealKey {
        /// Id of the key that verifies.
        expected: String,
        /// Id in the seal.
        found: String,
    },
    /// The signature is wrong.
    #[error("the seal's signature is wrong")]
    Seal,
    /// No seal within the most records that one batch has.
    #[error("no seal follows within {bound} records, more than the writer ever leaves unsealed")]
    NoSeal {
        /// Most records in a batch.
        bound: usize,
    },
    /// The event's session has not started.
    #[error("the event belongs to a session that has not started")]
    BeforeStart,
    /// A session starts for the second time.
    #[error("the session starts for the second time")]
    StartedAgain,
    /// A session ends for the second time.
    #[error("the session ends for the second time")]
    EndedAgain,
    /// A request id is used for the second time.
    #[error("the request id was used before")]
    RequestAgain,
    /// A call completes that was not authorised, or twice, or in another session.
    #[error("a call is completed that was not authorised, was completed before, or belongs to another session")]
    NotAuthorised,
    /// More than the verifier keeps in mind.
    #[error("the log has more open calls, requests or sessions than this verifier keeps in mind; split it at session ends")]
    Bound,
    /// The record differs from the one that was noted elsewhere.
    #[error("the record is not the one that was noted elsewhere for this index: the log was written anew")]
    Head,
    /// The log ends before a record that was noted elsewhere.
    #[error("the log ends before record {expected}, which was noted elsewhere as sealed: it was cut off")]
    Shorter {
        /// The index that was noted.
        expected: u64,
    },
}
