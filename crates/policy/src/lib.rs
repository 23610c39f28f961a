//! Decides, as a pure function, what may go where.
//!
//! A [`Policy`] is made from a TOML file ([`Policy::parse`]), or from a built-in profile ([`builtin`]). [`decide`] takes content whose data classes
//! are known and either mints a [`Cleared`] with the one upstream that may receive it, or a [`Refusal`]. No I/O, no clock, no randomness.
#![forbid(unsafe_code)]

mod cleared;
mod connection;
mod decide;
pub mod document;
mod files;
mod keys;
mod policy;
mod profile;
mod programs;
mod reading;
mod refusal;
mod rules;
mod session;
#[cfg(test)]
mod tests;
mod upstream;

pub use cleared::Cleared;
pub use connection::{ConnectionDecision, ConnectionFacts, decide_connection, decide_name};
pub use decide::{CallFacts, Decision, decide};
pub use keys::{POLICY as DOCUMENT, WALLS};
pub use policy::{Policy, USER_UPSTREAMS_MAX};
pub use profile::{BUILTIN, builtin, reference};
pub use programs::{AgentFacts, AgentPin, AllowedProgram, ProgramRules};
pub use refusal::Refusal;
pub use rules::{GuardedFiles, PrivateAreas, SessionLimits, SessionRules, SnapshotRules};
pub use session::{decide_agent, decide_session};
pub use upstream::{Address, AddressError, ArgumentError, KeySource, URL_BYTES_MAX, Upstream};
