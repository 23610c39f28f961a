use crate::{Account, Directories};
use policy::Policy;
use schema::Token;
use std::ffi::OsString;
use std::path::PathBuf;

/// What a user asked for: which agent, on what, under which policy.
#[derive(Clone, Debug)]
pub struct SessionSpec {
    /// What may go where, with the user's own upstreams.
    pub policy: Policy,
    /// The file that the policy was read from, to tell when it changes; none for a built-in one.
    pub policy_file: Option<PathBuf>,
    /// The purpose of processing, if one was named.
    pub purpose: Option<Token>,
    /// On whose behalf.
    pub account: Account,
    /// The home folder that the user's environment names: like the account's, it is never shown whole (a directory service's account
    /// has none on this machine).
    pub home: Option<PathBuf>,
    /// The agent's program and its arguments.
    pub command: Vec<OsString>,
    /// The folder that the agent may write.
    pub workspace: PathBuf,
    /// Whether what the agent writes is kept apart until it is committed.
    pub stage: bool,
    /// Told of the bytes read, and of those there are to read, while the workspace's state is kept.
    pub progress: fn(u64, u64),
    /// Folders that the agent may read.
    pub documents: Vec<PathBuf>,
    /// Further program folders that the agent needs to run, read-only.
    pub programs: Vec<PathBuf>,
    /// Variables for the agent, beside those that every session has.
    pub environment: Vec<(OsString, OsString)>,
    /// Where programs are looked for (`PATH` of the user).
    pub search_path: OsString,
    /// Variables of the user's environment that say how the terminal and texts look (`TERM`, `LANG`, …).
    pub locale: Vec<(OsString, OsString)>,
    /// Where evidence and keys are kept.
    pub directories: Directories,
    /// How a model file is served.
    pub model_command: ModelCommand,
}

/// The program that serves a model file: called with `arguments`, the number of the listening socket's descriptor, and the model's path.
#[derive(Clone, Debug)]
pub struct ModelCommand {
    /// The program, on the host.
    pub program: PathBuf,
    /// What stands before the descriptor's number and the model's path.
    pub arguments: Vec<OsString>,
    /// Its variables, beside `PATH` and `HOME`.
    pub environment: Vec<(OsString, OsString)>,
}
