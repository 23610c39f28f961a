//! The walls around an agent on Linux: namespaces, a minimal root, Landlock, a seccomp allow-list, limits, and a network that leads to
//! one door.
//!
//! Synchronous, knows no policy: it is handed a [`Plan`]. All `unsafe` of the product lives here, one operation a block. Nothing is
//! allocated between the agent's fork and its exec. Every wall is tried from inside before the agent starts ([`Ready::observed`]);
//! one that is missing refuses the session unless the plan names it in `danger_allow_missing`.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "system calls that no crate wraps: fork, seccomp, mount attributes, descriptor passing")]

mod agent;
mod bpf;
mod cgroup;
mod confine;
mod descriptors;
mod destination;
mod error;
mod guard;
#[cfg(any(test, fuzzing))]
pub mod hostile;
mod identity;
mod init;
mod kernel;
mod limits;
mod message;
mod meter;
mod netlink;
mod network;
mod opener;
mod plan;
mod probe;
mod profile;
mod programs;
mod ptrace;
mod report;
mod role;
mod root;
mod rules;
mod seccomp;
mod session;
mod signals;
mod survey;
mod timeline;
mod wall;
mod warden;
mod weaken;

pub use confine::{Confinement, Role, confine};
pub use descriptors::{DESCRIPTORS_MAX, Received, inherited, recv_fds, recv_fds_at_once, send_fds, socketpair_seqpacket};
pub use destination::original_destination;
pub use error::Error;
pub use guard::{Guard, GuardKind};
pub use meter::{AreaUse, Keeper, Meter, Usage};
pub use plan::{Access, Calls, Layer, Limits, Mount, Network, Overlay, Plan, PrivateArea, Stdio, SyntheticFile};
pub use probe::{Occasion, Outcome, Probe, Round};
pub use programs::{FileIdentity, ListedProgram, ProgramRefusal, Programs};
pub use report::{Arguments, CallRequest, Execution, REPORT_BYTES_MAX, Report};
pub use role::{Child, fork_role, scrub_arguments};
pub use session::{DoorSockets, Ready, Warden, spawn};
pub use signals::Signals;
pub use survey::{StandIn, Survey, WallStatus, kernel_release, read_start_values, survey};
pub use timeline::Timeline;
pub use wall::{Observation, Wall};
#[cfg(feature = "danger-weaken")]
pub use weaken::Weakened;
