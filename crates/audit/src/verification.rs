use crate::Reason;
use schema::{RequestId, SessionId, Timestamp};
use serde::{Serialize, Serializer};
use std::path::PathBuf;

/// Most entries of one list in a result; the total is always told.
pub const LISTED_MAX: usize = 100;

/// What checking one log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The log's file.
    pub log: PathBuf,
    /// The result in one word.
    pub standing: Standing,
    /// The key that the seals were checked with.
    pub key: SealingKey,
    /// What stands proven: everything up to the last good seal before the first bad record.
    pub proven: Option<Proven>,
    /// What follows the last seal and was never confirmed to anyone as durable.
    pub unsealed: Option<Tail>,
    /// The first record that does not hold. Nothing from there on is looked at.
    pub first_bad: Option<BadRecord>,
    /// What the sealed records before the first bad one say together.
    pub meaning: Meaning,
}

impl Verification {
    /// Whether every record of the log holds, up to a seal at its very end.
    pub fn is_verified(&self) -> bool {
        self.standing == Standing::Verified
    }
}

/// How a log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every record holds, and the last one is sealed.
    Verified,
    /// Every whole record holds, but the last ones are not sealed: a crash, a cut, or a writer that is still at it.
    UnsealedTail,
    /// A record does not hold.
    Broken,
    /// There is no record: nothing is proven.
    Empty,
}

/// Where the key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// The caller gave it.
    Given,
    /// It lay beside the log: it proves only that the log is consistent in itself.
    BesideLog,
}

/// The key that seals were checked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SealingKey {
    /// Its name in seals.
    pub id: String,
    /// The key, 64 hex digits.
    pub public_key: String,
    /// Where it came from.
    pub source: KeySource,
}

/// The part of a log that stands proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// How many records, from the first.
    pub records: u64,
    /// Index of the last. With [`Proven::last_hash`], what to note elsewhere so that a later cut shows (`INDEX:HASH`).
    pub last_index: u64,
    /// Hash of the last.
    pub last_hash: String,
    /// Bytes of the file that they fill.
    pub bytes: u64,
    /// Time of the first record.
    #[serde(serialize_with = "rfc3339")]
    pub first_time: Timestamp,
    /// Time of the last record.
    #[serde(serialize_with = "rfc3339")]
    pub last_time: Timestamp,
}

/// Records after the last seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tail {
    /// Whole records.
    pub records: u64,
    /// Bytes, those of a last unfinished line included.
    pub bytes: u64,
    /// Whether the last line is unfinished.
    pub ends_within_line: bool,
}

/// A record that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRecord {
    /// The index that belongs in its place.
    pub index: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: u64,
    /// Why it does not hold.
    pub reason: Reason,
}

/// A bounded list with its true length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// How many there are.
    pub total: u64,
    /// The first of them, at most [`LISTED_MAX`].
    pub first: Vec<T>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { total: 0, first: Vec::new() }
    }
}

impl<T> Listed<T> {
    pub(crate) fn push(&mut self, item: T) {
        self.total += 1;
        if self.first.len() < LISTED_MAX {
            self.first.push(item);
        }
    }
}

/// A call and the record that authorised it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallPlace {
    /// Which call.
    pub request_id: RequestId,
    /// Whose session.
    pub session_id: SessionId,
    /// Index of its `call.authorised`.
    pub index: u64,
}

/// What the sealed records before the first bad one say together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// Sessions that started.
    pub sessions: u64,
    /// Of these, kept by the user's own processes, which could have altered what happened before it was sealed.
    pub sessions_kept_by_user: u64,
    /// Sessions that were refused before they started.
    pub sessions_refused: u64,
    /// Sessions that started and did not end.
    pub sessions_without_end: Listed<SessionId>,
    /// Events of a session after its end.
    pub events_after_end: u64,
    /// Calls that might go out.
    pub calls_authorised: u64,
    /// Calls whose outcome is recorded.
    pub calls_completed: u64,
    /// Calls that were refused.
    pub calls_refused: u64,
    /// Calls without an outcome: whether they were sent is unknown.
    pub calls_unknown: Listed<CallPlace>,
    /// How often an unsealed tail was cut off after a crash, and how many bytes each time.
    pub recoveries: Listed<u64>,
    /// Indices of records whose time lies before that of the record before.
    pub times_backwards: Listed<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
