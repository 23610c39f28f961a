//! Checks evidence offline: a second implementation of the log's format that shares no code with its writer (crate `evidence`) and none
//! of its cryptography.
//!
//! What it proves: the entries up to the last checkpoint are the ones that the holder of the signing key wrote, in that order, complete from
//! the first on, and they make sense together. What it cannot prove by itself: that nothing was cut off at a checkpoint, that there is no
//! other history with the same key (give [`Anchors`] for that), and, without a key from elsewhere, that the log's keeper did not write it anew.
#![forbid(unsafe_code)]

mod base64;
mod checkpoint;
mod course;
mod error;
mod gzip;
mod hex;
mod key;
mod line;
mod live;
mod meaning;
mod note;
mod reason;
mod report;
mod stored;
mod stray;
mod text;
mod tile;
mod tree;
mod verification;
mod verify;

pub use checkpoint::{Anchors, NotedCheckpoint};
pub use course::LOG_FILE;
pub use error::Error;
pub use key::{KEY_FILE, PublicKey, WitnessKey};
pub use line::{ENTRY_BYTES_MAX, EVENT_BYTES_MAX, FORMAT, LINE_BYTES_MAX};
pub use live::{BATCH_ENTRIES_MAX, ROTATED_ENTRIES_MAX};
pub use meaning::{CALLS_OPEN_MAX, REQUESTS_MAX, SESSIONS_MAX};
pub use reason::Reason;
pub use report::{LOGS_MAX, Report, Unreadable, verify_all, verify_all_against};
pub use text::{render, render_report};
pub use verification::{
    BadRecord, CallPlace, KeySource, LISTED_MAX, Listed, Meaning, Proven, SigningKey, Standing, Tail, Verification, Witnessed,
};
pub use verify::{verify, verify_against};
