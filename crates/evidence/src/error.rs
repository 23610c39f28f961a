use std::{io, path::PathBuf};

/// Why evidence could not be kept or read. Never repeats content.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("could not {attempt} {path}: {source}; free space or repair the directory, then try again")]
    Io {
        /// What was attempted (`write`, `open`, …).
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others could read a key.
    #[error("{path} has mode {mode:o}, so others could use the key; run chmod go= on it and on its directory, or make new keys")]
    KeyExposed {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file does not hold a key.
    #[error("{path} does not hold a key of its kind; restore it from a backup, or move it away to make a new one")]
    KeyMalformed {
        /// The file.
        path: PathBuf,
    },
    /// The log was begun with another signing key.
    #[error("the log in {path} was begun with another signing key; use that key, or start a new log")]
    KeyChanged {
        /// The log's directory.
        path: PathBuf,
    },
    /// Another process writes the log.
    #[error("another process writes the log in {path}; a log has one writer, so wait for it or choose another directory")]
    Locked {
        /// The log's directory.
        path: PathBuf,
    },
    /// Entries and checkpoints do not fit together: the log was altered, not merely cut short.
    #[error(
        "{path} is damaged at line {line} before its last checkpoint; nothing was changed; run bailiwick-verify on it and start a new log"
    )]
    Damaged {
        /// The log.
        path: PathBuf,
        /// The first line that does not fit, from 1.
        line: u64,
    },
    /// A tile or a bundle of entries is not what it should be.
    #[error("{path} is damaged; nothing was changed; run bailiwick-verify on the log and start a new one")]
    DamagedTile {
        /// The file.
        path: PathBuf,
    },
    /// A log's live file is gone, but not its tiles.
    #[error("{path} is missing though its log has tiles; restore it from a backup, or start a new log")]
    LiveFileMissing {
        /// Where it should be.
        path: PathBuf,
    },
    /// An entry was asked for that the log does not have.
    #[error("the log has {size} entries, so there is nothing at {index}; ask for an earlier one")]
    NoSuchEntry {
        /// What was asked for.
        index: u64,
        /// How many entries there are.
        size: u64,
    },
    /// A witness's name would not fit into a signature line.
    #[error("a witness's name must not be empty nor hold spaces or a plus sign; choose one like witness.example/w1")]
    WitnessName,
    /// A checkpoint was not signed.
    #[error("a checkpoint could not be signed: {0}")]
    Unsigned(#[from] schema::SignError),
    /// An earlier write failed, so the log takes nothing more.
    #[error("an earlier write to the evidence log failed, so it takes nothing more; repair the cause and open the log again")]
    Poisoned,
    /// The log's writer is gone or can no longer write.
    #[error("the evidence log's writer is gone or cannot write, so nothing may cross; free space or repair the log, then start again")]
    Unavailable,
    /// An event is larger than one datagram.
    #[error("an event of {bytes} bytes is larger than the log takes; record fewer identifiers at once")]
    TooLarge {
        /// Its size as JSON.
        bytes: usize,
    },
    /// The writer could not read an event.
    #[error("the evidence log's writer could not read an event; both processes must be of the same version")]
    Malformed,
    /// There was nothing to append, or more than one batch takes.
    #[error("a batch of {events} events is not between one and the batch's bound; split it")]
    BatchSize {
        /// How many were given.
        events: usize,
    },
    /// A source of events failed, so the record would have a gap.
    #[error("a source of events failed ({reason}), so the record would have a gap; end the session")]
    SourceFailed {
        /// A short cause, without content.
        reason: &'static str,
    },
    /// The random generator failed.
    #[error("the system's random generator failed while making keys; try again")]
    Random,
}

impl Error {
    /// For `map_err`: what was attempted, on what.
    pub(crate) fn io(attempt: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { attempt, path, source }
    }
}
