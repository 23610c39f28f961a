//! Finds, masks and restores sensitive data. Pure: no I/O, no clock, no randomness; the vault's key is handed in.
//!
//! [`Detectors`] find values in a text. A [`Vault`] is one session's memory: it replaces each value by a placeholder, knows every value that it
//! replaced before wherever it stands later, and puts values back. [`inspect`] is the only way to an [`Inspected`] content.
#![forbid(unsafe_code)]

pub mod bounds;
mod detect;
mod detectors;
mod error;
mod finding;
mod fold;
mod inspect;
mod kind;
mod text;
mod vault;

pub use detectors::Detectors;
pub use error::Error;
pub use finding::Finding;
pub use inspect::{Inspectable, Inspected, Masker, inspect};
pub use kind::Kind;
pub use vault::{Escape, MaskReport, Restorer, Vault};
