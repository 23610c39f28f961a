//! Starts sessions on a machine: finds the agent's program, lists what of the host stands inside its walls, starts the processes that
//! guard it, and records what it does until it ends.
//!
//! Process order is fixed (`docs/decisions/0001-process-order.md`): wardens are forked while this process has one thread, then the
//! gateway and the door, and only then does the thread that writes evidence start. The gateway itself is handed in as a function: this
//! crate does not know it.
#![forbid(unsafe_code)]

mod account;
mod adapter;
mod admission;
mod alarm;
mod claim;
mod directories;
mod error;
mod layout;
mod limit;
mod model;
mod observer;
mod outflow;
mod preview;
mod program;
mod programs;
mod relay;
mod roles;
mod session;
pub mod snapshot;
mod spec;
mod supervise;
mod version;
mod watcher;

pub use account::Account;
pub use adapter::{GATEWAY_PORT, PROXY_PORT};
pub use claim::ClaimError;
pub use directories::Directories;
pub use error::Error;
pub use limit::EndedBy;
pub use observer::path_class;
pub use preview::{Preview, preview};
pub use program::{Measurement, Program};
pub use roles::GatewayHandover;
pub use sandbox::Timeline;
pub use session::{Outcome, SessionClock, Timelines, file_id, run};
pub use spec::{ModelCommand, SessionSpec};
