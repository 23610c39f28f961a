//! A policy's rules, as types.

use schema::{Boundary, PathPattern, Region, Token, Trust};

/// Which upstreams may receive a data class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassRule {
    pub(crate) boundaries: Vec<Boundary>,
    /// `None`: any.
    pub(crate) regions: Option<Vec<Region>>,
    pub(crate) hold: bool,
}

impl ClassRule {
    /// Whether a region is covered: the same name, or a part of it (`eu-de` of `eu`).
    pub(crate) fn accepts_region(&self, region: Option<&Region>) -> bool {
        let Some(regions) = &self.regions else { return true };
        let Some(region) = region else { return false };
        regions.iter().any(|accepted| {
            let rest = region.as_str().strip_prefix(accepted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }
}

/// Whether a user may name upstreams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserUpstreams {
    pub(crate) accepted: bool,
    pub(crate) boundaries: Vec<Boundary>,
    pub(crate) accepts_pseudonymised: bool,
}

/// What a session must have before its agent starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// Who must keep the record, at least.
    pub trust_minimum: Trust,
    /// Whether a purpose must be named.
    pub purpose_required: bool,
    /// Walls that may be missing, from [`crate::WALLS`].
    pub danger_allow_missing: Vec<Token>,
    /// The most that its processes may use.
    pub limits: SessionLimits,
    /// Sizes of its private areas.
    pub private: PrivateAreas,
    /// Paths of the workspace that are not the agent's.
    pub files: GuardedFiles,
    /// How the workspace's state is kept.
    pub snapshot: SnapshotRules,
    /// Which programs may run.
    pub programs: crate::ProgramRules,
    /// Agents that may be started; none named: any.
    pub agents: Vec<crate::AgentPin>,
    /// How often, in seconds, the walls are probed while the agent runs.
    pub probe_period_seconds: u64,
}

/// Paths of the workspace that are not the agent's, whether they are there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardedFiles {
    /// May be read, and are not changed or made.
    pub protected: Vec<PathPattern>,
    /// Are not shown.
    pub hidden: Vec<PathPattern>,
    /// Are shown without their values, and are not changed or made.
    pub masked: Vec<PathPattern>,
}

/// How the workspace's state is kept before a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRules {
    /// Whether nothing is kept.
    pub danger_none: bool,
    /// What may be copied for one session.
    pub bytes_max: u64,
    /// Files, folders and links of the workspace.
    pub files_max: u64,
    /// How long a state is kept.
    pub keep_days_max: u64,
    /// How many states are kept.
    pub keep_sessions_max: u64,
}

/// The most that a session's processes may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Memory.
    pub memory_bytes_max: u64,
    /// Processes and threads at once.
    pub processes_max: u64,
    /// Open descriptors of each process.
    pub open_files_max: u64,
    /// Size of the largest file written.
    pub file_bytes_max: u64,
    /// Processor time of each process.
    pub cpu_seconds_max: u64,
    /// Processor time of all processes together.
    pub cpu_total_seconds_max: u64,
    /// How long it may last.
    pub wall_clock_seconds_max: u64,
    /// By how much the workspace may grow.
    pub workspace_growth_bytes_max: u64,
    /// How much stays free on the file system that the workspace lies on.
    pub disk_free_bytes_min: u64,
    /// What it may write to standard output and error where they are not a terminal.
    pub output_bytes_max: u64,
    /// How fast it may write to standard output and error.
    pub output_bytes_per_second_max: u64,
}

/// Sizes of a session's areas in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateAreas {
    /// The agent's home folder.
    pub home_bytes_max: u64,
    /// `/tmp` and `/var/tmp`.
    pub tmp_bytes_max: u64,
    /// `/dev/shm`.
    pub shared_memory_bytes_max: u64,
    /// `/run`.
    pub run_bytes_max: u64,
}
