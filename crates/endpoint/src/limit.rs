//! The bounds that a policy sets a session, and what is said when it comes to one.

use evidence::Client;
use policy::SessionRules;
use schema::event::{LimitAction, LimitReached, PolicyChanged};
use schema::{Event, SessionId, Token};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// One of the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    Memory,
    Processes,
    Cpu,
    CpuTotal,
    File,
    WallClock,
    WorkspaceGrowth,
    DiskFree,
    Output,
    OutputRate,
    Home,
    Tmp,
    SharedMemory,
    Run,
}

impl Limit {
    /// Every bound.
    pub(crate) const ALL: [Self; 14] = [
        Self::Memory,
        Self::Processes,
        Self::Cpu,
        Self::CpuTotal,
        Self::File,
        Self::WallClock,
        Self::WorkspaceGrowth,
        Self::DiskFree,
        Self::Output,
        Self::OutputRate,
        Self::Home,
        Self::Tmp,
        Self::SharedMemory,
        Self::Run,
    ];

    /// The private area that stands at this path inside.
    pub(crate) fn of_area(path: &Path) -> Option<Self> {
        match path.to_str()? {
            "/tmp" | "/var/tmp" => Some(Self::Tmp),
            crate::layout::HOME => Some(Self::Home),
            "/dev/shm" => Some(Self::SharedMemory),
            "/run" => Some(Self::Run),
            _ => None,
        }
    }

    /// The policy's table and the key that sets it.
    pub(crate) const fn key(self) -> (&'static str, &'static str) {
        const LIMITS: &str = "session.limits";
        const PRIVATE: &str = "session.private";
        match self {
            Self::Memory => (LIMITS, "memory_bytes_max"),
            Self::Processes => (LIMITS, "processes_max"),
            Self::Cpu => (LIMITS, "cpu_seconds_max"),
            Self::CpuTotal => (LIMITS, "cpu_total_seconds_max"),
            Self::File => (LIMITS, "file_bytes_max"),
            Self::WallClock => (LIMITS, "wall_clock_seconds_max"),
            Self::WorkspaceGrowth => (LIMITS, "workspace_growth_bytes_max"),
            Self::DiskFree => (LIMITS, "disk_free_bytes_min"),
            Self::Output => (LIMITS, "output_bytes_max"),
            Self::OutputRate => (LIMITS, "output_bytes_per_second_max"),
            Self::Home => (PRIVATE, "home_bytes_max"),
            Self::Tmp => (PRIVATE, "tmp_bytes_max"),
            Self::SharedMemory => (PRIVATE, "shared_memory_bytes_max"),
            Self::Run => (PRIVATE, "run_bytes_max"),
        }
    }

    pub(crate) const fn bound(self, rules: &SessionRules) -> u64 {
        let (limits, private) = (&rules.limits, &rules.private);
        match self {
            Self::Memory => limits.memory_bytes_max,
            Self::Processes => limits.processes_max,
            Self::Cpu => limits.cpu_seconds_max,
            Self::CpuTotal => limits.cpu_total_seconds_max,
            Self::File => limits.file_bytes_max,
            Self::WallClock => limits.wall_clock_seconds_max,
            Self::WorkspaceGrowth => limits.workspace_growth_bytes_max,
            Self::DiskFree => limits.disk_free_bytes_min,
            Self::Output => limits.output_bytes_max,
            Self::OutputRate => limits.output_bytes_per_second_max,
            Self::Home => private.home_bytes_max,
            Self::Tmp => private.tmp_bytes_max,
            Self::SharedMemory => private.shared_memory_bytes_max,
            Self::Run => private.run_bytes_max,
        }
    }

    /// The cause of a session that is ended for it.
    pub(crate) const fn cause(self) -> &'static str {
        match self {
            Self::Memory => "limit_memory",
            Self::Processes => "limit_processes",
            Self::Cpu | Self::CpuTotal => "limit_cpu",
            Self::WallClock => "wall_clock",
            Self::Output | Self::OutputRate => "limit_output",
            Self::File | Self::WorkspaceGrowth | Self::DiskFree | Self::Home | Self::Tmp | Self::SharedMemory | Self::Run => "limit_disk",
        }
    }
}

/// A bound that a session was ended for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedBy {
    /// The policy's table.
    pub table: &'static str,
    /// The key in it.
    pub key: &'static str,
    /// The bound, in the unit that the key's name ends with.
    pub bound: u64,
}

/// Records each bound once, and tells the user where that disturbs no terminal.
#[derive(Clone)]
pub(crate) struct LimitLog {
    client: Client,
    session_id: SessionId,
    rules: Arc<SessionRules>,
    told: Arc<Mutex<BTreeSet<(Limit, LimitAction)>>>,
    aside: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl LimitLog {
    pub(crate) fn new(client: Client, session_id: SessionId, rules: SessionRules) -> Self {
        Self { client, session_id, rules: Arc::new(rules), told: Arc::default(), aside: Arc::default() }
    }

    /// Lets a thread of its own do that: whoever watches must not wait for a slow disk. False if there is no thread for it.
    pub(crate) fn aside(&self, record: impl FnOnce(&Self) + Send + 'static) -> bool {
        let log = self.clone();
        let thread = Builder::new().name("limit-note".into()).spawn(move || record(&log));
        let is_started = thread.is_ok();
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).extend(thread);
        is_started
    }

    /// Waits until all of that is on record.
    pub(crate) fn finish(&self) {
        let threads = std::mem::take(&mut *self.aside.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has nothing more to tell.
            let _ended = thread.join();
        }
    }

    /// Whether that was recorded, or is about to be.
    pub(crate) fn has_told(&self, limit: Limit, action: LimitAction) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).contains(&(limit, action))
    }

    /// Returns when it is on record. A log that takes nothing more ends the session by itself.
    pub(crate) fn reached(&self, limit: Limit, action: LimitAction) {
        let is_new = self.told.lock().unwrap_or_else(PoisonError::into_inner).insert((limit, action));
        if !is_new {
            return;
        }
        let ((table, key), bound) = (limit.key(), limit.bound(&self.rules));
        let event = LimitReached { session_id: self.session_id.clone(), limit: Token::lossy(key), bound, action };
        let _ended = self.client.append(Event::LimitReached(event));
        let what = match action {
            LimitAction::Refused => "what goes past it is refused",
            LimitAction::Slowed => "it is held up until it is within it again",
            LimitAction::Killed => "a process was ended for it",
            // The command says so, last of all.
            LimitAction::Ended => return,
        };
        if !rustix::termios::isatty(io::stderr()) {
            note(&format!("the session reached {key} ({bound}) of [{table}]: {what}"));
        }
    }

    /// Returns when it is on record.
    pub(crate) fn policy_changed(&self, change: &'static str) {
        let event = PolicyChanged { session_id: self.session_id.clone(), change: Token::lossy(change) };
        let _ended = self.client.append(Event::PolicyChanged(event));
        note(&format!("the policy's file was {change}; this session keeps the policy that it started with"));
    }

    /// The bound for which the session was ended, for whoever started it.
    pub(crate) fn ended_by(&self, limit: Limit) -> EndedBy {
        let (table, key) = limit.key();
        EndedBy { table, key, bound: limit.bound(&self.rules) }
    }
}

/// A line on standard error, also on a terminal that is raw meanwhile.
fn note(text: &str) {
    let _unheard = write!(io::stderr(), "bailiwick: {text}\r\n");
}

#[cfg(test)]
mod tests;
