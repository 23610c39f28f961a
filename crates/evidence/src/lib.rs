//! The evidence of what happened: an append-only log of typed events, a Merkle tree over them with signed checkpoints, durable before
//! anyone is told so, and the only code that writes it.
//!
//! One process writes a log ([`Log`], [`Writer`]); every other process sends it events over a socket pair ([`Client`]) and waits for the
//! durable index. What may go on only after its record is durable carries the proof in its type ([`Recorded`]).
//!
//! Synchronous threads throughout; futures that it returns need no particular runtime.
#![forbid(unsafe_code)]

mod client;
mod digest;
mod error;
mod export;
mod files;
mod keys;
mod line;
mod live;
mod log;
mod nodes;
mod note;
mod read;
mod recorded;
mod recovery;
pub mod text;
mod tile;
mod tree;
pub mod view;
mod wait;
mod wire;
pub mod witness;
mod writer;

pub use client::Client;
pub use digest::{DigestHasher, DigestKey};
pub use error::Error;
pub use export::{Exported, Selection, export, inclusion_proof};
pub use keys::{Keys, PUBLIC_KEY_FILE};
pub use live::LOG_FILE;
pub use log::{BATCH_EVENTS_MAX, DurableIndex, Log};
pub use read::{Records, log_directories, read};
pub use recorded::Recorded;
pub use writer::{Handle, Source, Writer, client_pair};
