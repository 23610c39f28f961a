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
    /// For how long it was so, less the time for which it was not: letting up for a moment starts nothing anew.
    crowded: Duration,
    looked: Instant,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) was_refused: bool,
    pub(super) is_too_long: bool,
}

impl Crowd {
    pub(super) fn new(processes_max: u64, keeper: Keeper, now: Instant) -> Self {
        Self { processes_max, keeper, refused_before: 0, crowded: Duration::ZERO, looked: now }
    }

    pub(super) fn look(&mut self, usage: &Usage, now: Instant, next: &mut Period) -> Found {
        let was_refused = match self.keeper {
            // The kernel counts what it refused.
            Keeper::CgroupV1 | Keeper::CgroupV2 => usage.processes_refused > self.refused_before,
            Keeper::Watcher => usage.tasks + UNSEEN >= self.processes_max,
        };
        self.refused_before = usage.processes_refused;
        let passed = now.saturating_duration_since(self.looked).min(CLOSER * 2);
        self.looked = now;
        self.crowded = if was_refused { self.crowded + passed } else { self.crowded.saturating_sub(passed) };
        if !self.crowded.is_zero() {
            next.at_most(CLOSER);
        }
        Found { was_refused, is_too_long: self.crowded >= PATIENCE }
    }
}
