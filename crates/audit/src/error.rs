use std::{io, path::PathBuf};

/// Why a log could not be checked at all. A log that was checked and does not hold is no error: see [`crate::Verification`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no log.
    #[error("there is no log at {path}; give a log's directory, its log.jsonl, or a directory of log directories")]
    NoLog {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("could not {attempt} {path}: {source}")]
    Io {
        /// What was attempted (`open`, `read`, …).
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no key to check with.
    #[error("no key was given and there is none at {path}; give the keeper's public key with --key")]
    NoKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Something is not a public key.
    #[error(
        "{origin} is not an Ed25519 key that can be used here; a log's key is 64 lower-case hex digits or a verifier key NAME+ID+BASE64 of kind 1, a witness's is a verifier key of kind 4; this verifier does not check ECDSA"
    )]
    NotAKey {
        /// `the key given`, or the file.
        origin: String,
    },
    /// Something is not a checkpoint.
    #[error("{origin} is not a checkpoint of a log; give the signed note as an earlier check or a witness wrote it")]
    NotACheckpoint {
        /// Where it came from.
        origin: String,
    },
    /// More logs than one run checks.
    #[error("{path} holds more than {bound} logs; check them in parts")]
    TooManyLogs {
        /// The directory.
        path: PathBuf,
        /// Most logs in one run.
        bound: usize,
    },
}

impl Error {
    /// For `map_err`: what was attempted, on what.
    pub(crate) fn io(attempt: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { attempt, path, source }
    }
}
