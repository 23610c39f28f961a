use crate::Reason;
use schema::{RequestId, SessionId, Timestamp};
use serde::{Serialize, Serializer};
use std::path::PathBuf;

/// Most entries of one list in a result; the total is always told.
pub const LISTED_MAX: usize = 100;

/// What checking one log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The log's directory, or its file if that alone was given.
    pub log: PathBuf,
    /// The log's name, if its head could be read.
    pub origin: Option<String>,
    /// The result in one word.
    pub standing: Standing,
    /// The key that checkpoints were checked with.
    pub key: SigningKey,
    /// What stands proven: everything up to the last good checkpoint before the first thing that does not hold.
    pub proven: Option<Proven>,
    /// What follows the last checkpoint and was never confirmed to anyone as durable.
    pub unconfirmed: Option<Tail>,
    /// What witnesses saw, if witnesses were given.
    pub witnessed: Option<Witnessed>,
    /// The first thing that does not hold. Nothing from there on is looked at.
    pub first_bad: Option<BadRecord>,
    /// What the proven entries say together. Nothing, if what does not hold lies in the tiles.
    pub meaning: Meaning,
}

impl Verification {
    /// Whether every entry of the log holds, up to a checkpoint at its very end, and is witnessed if that was asked for.
    pub fn is_verified(&self) -> bool {
        self.standing == Standing::Verified
    }
}

/// How a log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Every entry holds, and a checkpoint covers the last one.
    Verified,
    /// Every entry holds, but the last ones are not covered by a checkpoint that a quorum of the witnesses given has cosigned.
    Unwitnessed,
    /// Everything holds up to the last checkpoint, but something follows it: a crash, a cut, or a writer that is still at it.
    UnconfirmedTail,
    /// Something does not hold.
    Broken,
    /// There is no entry: nothing is proven.
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

/// The key that checkpoints were checked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SigningKey {
    /// The key, 64 hex digits.
    pub public_key: String,
    /// Where it came from.
    pub source: KeySource,
}

/// The part of a log that stands proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// How many entries, from the first.
    pub entries: u64,
    /// Root of their tree, 64 hex digits.
    pub root: String,
    /// The signed checkpoint: what to note elsewhere so that a later cut or another history shows.
    pub checkpoint: String,
    /// Time of the first entry.
    #[serde(serialize_with = "rfc3339")]
    pub first_time: Timestamp,
    /// Time of the last entry.
    #[serde(serialize_with = "rfc3339")]
    pub last_time: Timestamp,
}

/// What follows the last checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tail {
    /// Whole entries.
    pub entries: u64,
    /// Bytes, those of a last unfinished line included, and without the zero bytes at the end.
    pub bytes: u64,
    /// Whether the last line is unfinished.
    pub ends_within_line: bool,
}

/// What a quorum of witnesses saw of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witnessed {
    /// How many witnesses must have cosigned.
    pub quorum: usize,
    /// How many entries, from the first, are covered by a checkpoint that a quorum cosigned.
    pub entries: u64,
    /// How many proven entries are not.
    pub unwitnessed: u64,
    /// Who cosigned the newest such checkpoint.
    pub witnesses: Vec<String>,
    /// When the quorum was reached for it, in milliseconds since 1970, as the witnesses say.
    pub time: Option<Timestamp>,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRecord {
    /// Index of the first entry that is in doubt for it.
    pub index: u64,
    /// How many entries from there on are: 1 where it is known which, 0 if it is none, as with a file beside the log.
    pub entries: u64,
    /// In which file it shows, below the log's directory, or the name of what was given.
    pub file: String,
    /// Its line in `log.jsonl`, from 1.
    pub line: Option<u64>,
    /// Where its line begins, in bytes from the start of the file.
    pub offset: Option<u64>,
    /// Whether a crash could have left it so: it lies in the last batch of `log.jsonl`, which was perhaps never confirmed, or in a tile that
    /// is derived anew when the log is next opened.
    pub could_be_torn: bool,
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

/// A call and the entry that authorised it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallPlace {
    /// Which call.
    pub request_id: RequestId,
    /// Whose session.
    pub session_id: SessionId,
    /// Index of its `call.authorised`.
    pub index: u64,
}

/// What proven entries say together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// Sessions that started.
    pub sessions: u64,
    /// Of these, kept by the user's own processes, which could have altered what happened before it was signed.
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
    /// How often an unconfirmed tail was cut off after a crash, and how many bytes each time.
    pub recoveries: Listed<u64>,
    /// Indices of entries whose time lies before that of the entry before.
    pub times_backwards: Listed<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn rfc3339<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}
