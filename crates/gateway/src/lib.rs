//! The only door to a model, and the only place where content is opened.
//!
//! [`serve`] takes agents' calls, proves who calls, inspects and masks what they carry, asks the policy where it may go, records that,
//! and only then sends it ([`send`]); the answer's placeholders are restored for the agent alone. Every call ends in evidence.
#![forbid(unsafe_code)]

mod addressee;
mod answer;
mod config;
mod crossing;
pub mod dialect;
pub mod echo;
mod error;
mod gate;
mod intake;
pub mod json;
pub mod limits;
mod mask;
mod pipeline;
mod quiet;
pub mod refusal;
mod register;
mod reply;
pub mod restore;
mod secret;
mod server;
mod session;
mod standalone;
mod thoughts;
mod upstream;

pub use config::{Config, Listener, Random, SharedClock, Socket};
pub use error::Error;
pub use pipeline::{Answer, Authenticated, Call, Sendable, send};
pub use secret::Environment;
pub use server::serve;
pub use session::{Caller, Client};
pub use standalone::{Listen, PolicySource, RegisteredClient, STANDALONE, StandaloneFile};
pub use upstream::Upstreams;
