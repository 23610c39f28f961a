use crate::{Guard, Programs, Wall};
use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

/// Everything that [`crate::spawn`] needs to know. The sandbox parses no policy: whoever makes the plan has decided.
#[derive(Debug)]
pub struct Plan {
    /// The program, as an absolute path inside the session.
    pub program: PathBuf,
    /// Its arguments, the first one being its own name.
    pub args: Vec<OsString>,
    /// Its complete environment.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory, as an absolute path inside.
    pub cwd: PathBuf,
    /// What of the host stands inside, laid in this order (a later one may lie inside an earlier one).
    pub mounts: Vec<Mount>,
    /// Small files that exist only inside.
    pub files: Vec<SyntheticFile>,
    /// Writable areas that end with the session; laid before the mounts.
    pub private: Vec<PrivateArea>,
    /// Bounds on what the session may use.
    pub limits: Limits,
    /// What the session's network leads to.
    pub network: Network,
    /// Standard input, output and error.
    pub stdio: [Stdio; 3],
    /// Further descriptors for the program, with the number that each gets (3 or above).
    pub pass: Vec<(OwnedFd, RawFd)>,
    /// Whether every opened file is observed and reported.
    pub observe_files: bool,
    /// Which system calls the agent may make.
    pub calls: Calls,
    /// Which programs may run, and what is told of them.
    pub programs: Programs,
    /// Walls that may be missing. Everything else that is missing refuses the session.
    pub danger_allow_missing: Vec<Wall>,
    /// Paths below mounts that are not the agent's. They hold only where files are observed: otherwise the plan is refused.
    pub guards: Vec<Guard>,
    /// Writable mounts whose changes are kept apart from their source.
    pub overlays: Vec<Overlay>,
    /// How often the probes are made again while the agent runs; never if none.
    pub probe_period: Option<std::time::Duration>,
    /// What a test takes away.
    #[cfg(feature = "danger-weaken")]
    pub danger_weakened: crate::Weakened,
}

/// Which system calls the agent may make: layers of the lists in `profiles/seccomp`. What only a layer that is left out names is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The layers; [`Layer::Base`] holds always.
    pub layers: Vec<Layer>,
    /// Calls that the session does without although its layers have them.
    pub without: Vec<String>,
}

impl Default for Calls {
    /// Everything but what only developers' tools need.
    fn default() -> Self {
        Self { layers: vec![Layer::Base, Layer::Files, Layer::Processes, Layer::Network], without: Vec::new() }
    }
}

/// A part of the lists of system calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// What every program does with what it has.
    Base,
    /// Files by their names.
    Files,
    /// Starting programs, looking after processes.
    Processes,
    /// Sockets of one's own.
    Network,
    /// What debuggers and tracers need beside.
    Developer,
}

/// A file or folder of the host that stands inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where it is on the host.
    pub source: PathBuf,
    /// Where it stands inside; absolute, no `..`.
    pub target: PathBuf,
    /// What may be done with it.
    pub access: Access,
}

/// A writable mount of the plan that is laid as an overlay: its source stays as it is, and what the session writes goes elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlay {
    /// The mount's target.
    pub target: PathBuf,
    /// The folder on the host that takes what is written; the target has its mode.
    pub upper: PathBuf,
    /// An empty folder on the same file system, in which the kernel prepares what it writes.
    pub work: PathBuf,
}

/// What the session may do with a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read and execute.
    ReadOnly,
    /// Read, execute and write.
    ReadWrite,
}

/// A small read-only file made from its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticFile {
    /// Where it stands inside; absolute, no `..`.
    pub path: PathBuf,
    /// What it holds.
    pub content: Vec<u8>,
}

/// An empty writable area in memory that ends with the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateArea {
    /// Where it stands inside; absolute, no `..`.
    pub path: PathBuf,
    /// How much it may hold.
    pub size_bytes_max: u64,
}

/// Bounds on what a session may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all processes together, where a control group is at hand. Elsewhere whoever started the session watches over it
    /// ([`crate::Meter`]).
    pub memory_bytes_max: u64,
    /// Private writable memory of each process, by its resource limit. Refused without a trace, so it stands behind the bound above.
    pub data_bytes_max: u64,
    /// Processes and threads at once, the session's own (warden, process 1) included. Where root has no control group, the kernel
    /// bounds process numbers instead: up to 300 more.
    pub processes_max: u64,
    /// Descriptors of each process.
    pub open_files_max: u64,
    /// Size of a file that is written.
    pub file_bytes_max: u64,
    /// Processor time of each process.
    pub cpu_seconds_max: Option<u64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 8 << 30,
            data_bytes_max: 8 << 30,
            processes_max: 512,
            open_files_max: 4096,
            file_bytes_max: 4 << 30,
            cpu_seconds_max: None,
        }
    }
}

/// What the session's network leads to. Either way it is a network of its own with nothing but loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Nothing.
    Isolated,
    /// The door: the gateway, an explicit proxy, a redirect of every other TCP connection, and name queries.
    Door {
        /// The gateway's port on 127.0.0.1.
        gateway_port: u16,
        /// The explicit proxy's port on 127.0.0.1.
        proxy_port: u16,
    },
}

/// Where a standard stream leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// The session's own terminal (one for all three).
    Terminal,
    /// A pipe to the supervisor.
    Pipe,
    /// `/dev/null`.
    Null,
}
