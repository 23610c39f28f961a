use serde::Serialize;

/// Why something does not hold. Names what was expected, never content of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// The line is longer than any record.
    #[error("the line is longer than any entry may be")]
    LineTooLong,
    /// The line is neither an entry nor a checkpoint.
    #[error("the line is neither an entry nor a checkpoint of this format")]
    NotARecord,
    /// Zero bytes with something behind them.
    #[error("zero bytes stand here and something follows them; the writer leaves them at the end only")]
    Padding,
    /// The event is unknown, has unknown, missing or repeated fields, or says the same in other bytes.
    #[error("the event is not one of this format, or is not in the form in which events are written")]
    Event,
    /// The first line is no head.
    #[error("the first line is not the head of a log")]
    NotAHead,
    /// Another format.
    #[error("the log has another format; this verifier knows bailiwick-log-v2 only")]
    Format,
    /// The live part cannot begin there.
    #[error("log.jsonl begins at entry {first}, which is no multiple of 256, or whose predecessors in tiles were not given with it")]
    First {
        /// What the head says.
        first: u64,
    },
    /// A checkpoint in another form.
    #[error("the checkpoint is not in the form in which checkpoints are written")]
    NotACheckpoint,
    /// A checkpoint of another log.
    #[error("the checkpoint is of another log than the head says")]
    Origin,
    /// Entries are missing or added before a checkpoint.
    #[error("the checkpoint is of {found} entries where {expected} stand: entries are missing, repeated or added")]
    Size {
        /// How many there are.
        expected: u64,
        /// What it says.
        found: u64,
    },
    /// Signed by another key.
    #[error("the checkpoint is signed by key {found}, not by key {expected}")]
    SignerKey {
        /// Id of the key that verifies.
        expected: String,
        /// Id in the signature.
        found: String,
    },
    /// The signature is wrong.
    #[error("the checkpoint's signature is wrong")]
    Signature,
    /// The entries do not have the root that was signed.
    #[error("the entries are not those that were signed: they have another root than this checkpoint")]
    Root,
    /// A checkpoint that says nothing new.
    #[error("a checkpoint follows another without an entry between them")]
    CheckpointAgain,
    /// No checkpoint within the most entries that one batch has.
    #[error("no checkpoint follows within {bound} entries, more than the writer ever leaves without one")]
    NoCheckpoint {
        /// Most entries in a batch.
        bound: usize,
    },
    /// A tile that must be there is not.
    #[error("the tile is missing")]
    TileMissing,
    /// A tile of another length.
    #[error("the tile has not the length of 256 hashes")]
    TileLength,
    /// An entry, or a tile below, does not have the hash in its tile.
    #[error("the hash in the tile is not that of what it stands for: one of them was altered")]
    TileHash,
    /// The same entry differs.
    #[error("the entry in log.jsonl is not the one in the tiles")]
    Disagreement,
    /// A bundle that is no gzip file of ours.
    #[error("the bundle does not begin as the writer's gzip files do")]
    BundleHeader,
    /// A bundle that cannot be decompressed.
    #[error("the bundle cannot be decompressed, or becomes longer than 256 entries may be")]
    BundleStream,
    /// A bundle whose checksum is wrong.
    #[error("the bundle's checksum or length does not fit its content")]
    BundleChecksum,
    /// Something stands behind a bundle.
    #[error("something follows the bundle's compressed content")]
    BundleTrailing,
    /// Not 256 entries.
    #[error("the bundle does not hold exactly 256 entries")]
    BundleEntries,
    /// A file that belongs to no tile of the log.
    #[error("something stands there that is no tile of this log")]
    StrayFile,
    /// The key beside the log is another, or for another log.
    #[error("the key beside the log is not the key given, or is of another log")]
    KeyBeside,
    /// The lock is not empty.
    #[error("the lock is not empty; the writer never writes into it")]
    Lock,
    /// A witness's cosignature is wrong.
    #[error("the cosignature of a witness given is wrong")]
    Cosignature,
    /// The log differs from what was noted elsewhere.
    #[error("the log has another root than was noted elsewhere for this size: it was written anew, or forked")]
    Fork,
    /// The log ends before what was noted elsewhere.
    #[error("the log ends before entry {expected}, up to which a checkpoint was noted elsewhere: it was cut off")]
    Shorter {
        /// The size that was noted.
        expected: u64,
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
}
