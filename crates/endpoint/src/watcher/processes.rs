use super::period::Period;
use sandbox::{Keeper, Usage};
use std::time::{Duration, Instant};

/// How long a session may stay at its bound of processes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at meanwhile.
const CLOSER: Duration = Duration::from_millis(250);
/// Processes of the session that its procfs does not show (the warden), or that come and go by themselves.
const UNSEEN: u64 = 4;

/// Whether a session has as many processes as it may.
#[derive(Debug)]
pub(super) struct Crowd {
    processes_max: u64,
    keeper: Keeper,
    refused_before: u64,
    /// Since when every look found it so.
    since: Option<Instant>,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) was_refused: bool,
    pub(super) is_too_long: bool,
}

impl Crowd {
    pub(super) fn new(processes_max: u64, keeper: Keeper) -> Self {
        Self { processes_max, keeper, refused_before: 0, since: None }
    }

    pub(super) fn look(&mut self, usage: &Usage, now: Instant, next: &mut Period) -> Found {
        let was_refused = match self.keeper {
            // The kernel counts what it refused.
            Keeper::CgroupV1 | Keeper::CgroupV2 => usage.processes_refused > self.refused_before,
            Keeper::Watcher => usage.tasks + UNSEEN >= self.processes_max,
        };
        self.refused_before = usage.processes_refused;
        if !was_refused {
            self.since = None;
            return Found { was_refused, is_too_long: false };
        }
        next.at_most(CLOSER);
        let since = *self.since.get_or_insert(now);
        Found { was_refused, is_too_long: now.saturating_duration_since(since) >= PATIENCE }
    }
}
