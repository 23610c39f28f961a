//! Checks evidence offline: a second implementation of the log's format that shares no code with its writer (crate `evidence`) and none
//! of its cryptography.
//!
//! What it proves: the records up to the last seal are the ones that the holder of the signing key wrote, in that order, complete from
//! the first on, and they make sense together. What it cannot prove: that nothing was cut off at a seal (give [`Head`] for that), and,
//! without a key from elsewhere, that the log's keeper did not write it anew.
#![forbid(unsafe_code)]

mod chain;
mod error;
mod hex;
mod key;
mod line;
mod meaning;
mod reason;
mod report;
mod text;
mod verification;
mod verify;

pub use error::Error;
pub use key::{KEY_FILE, PublicKey};
pub use line::{EVENT_BYTES_MAX, FORMAT_VERSION, LINE_BYTES_MAX};
pub use meaning::{CALLS_OPEN_MAX, REQUESTS_MAX, SESSIONS_MAX};
pub use reason::Reason;
pub use report::{LOGS_MAX, Report, Unreadable, verify_all};
pub use text::{render, render_report};
pub use verification::{BadRecord, CallPlace, KeySource, LISTED_MAX, Listed, Meaning, Proven, SealingKey, Standing, Tail, Verification};
pub use verify::{BATCH_RECORDS_MAX, Head, LOG_FILE, verify, verify_against};
