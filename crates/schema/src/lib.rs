//! The nouns that every room of Bailiwick shares: identities, data classes, boundaries, verdicts, refusals, events and bounds.
//!
//! Pure data: no I/O, no clock, no randomness, no threads. Whatever needs time or random bytes takes them as arguments.
#![forbid(unsafe_code)]

mod boundary;
pub mod bounds;
mod class;
mod digest;
pub mod event;
mod identity;
mod pattern;
mod record;
mod refusal;
mod signer;
mod time;
mod token;
mod verdict;

pub use boundary::{Boundary, BoundarySource, Region, UpstreamKind};
pub use class::{Classified, DataClass, DataClasses};
pub use digest::KeyedDigest;
pub use event::Event;
pub use identity::{RequestId, SessionId, Subject, Trust};
pub use pattern::{PATTERN_BYTES_MAX, PATTERN_NAMES_MAX, PathPattern, PatternError, Relation, fold_name, is_short_name};
pub use record::{Digest, Record};
pub use refusal::RefusalCode;
pub use signer::{SignError, SignatureAlgorithm, Signer};
pub use time::{Clock, Timestamp};
pub use token::{Token, TokenError};
pub use verdict::Verdict;
