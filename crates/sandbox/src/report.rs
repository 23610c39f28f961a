mod programs;
mod tally;

pub(crate) use programs::read_all;
pub use programs::{Arguments, CallRequest, Execution};

use crate::Error;
use crate::probe::Round;
use crate::programs::ProgramRefusal;
use schema::event::{FileChange, FileMode};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Longest report as a datagram. The longest is that of a program: its path, that of a script (a folder's and the one that was asked for),
/// its arguments.
pub const REPORT_BYTES_MAX: usize = 4 * PATH_BYTES_MAX + 128;
/// `PATH_MAX` of Linux.
pub(crate) const PATH_BYTES_MAX: usize = 4096;
/// How many different files are opened in a session, by path and mode. What cannot be remembered would be reported every time, and a log
/// that grows without a bound fills the host's disk: what comes after these is not opened.
const OPENED_MAX: usize = 1 << 20;
/// Reports that a trial keeps.
const TRIAL_MAX: usize = 32_768;

/// What the warden saw an agent do. It arrives before the agent goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A file (or a folder, unless it is opened only to be listed) is about to be opened for the agent.
    FileOpened {
        /// The canonical path, inside, of what was opened: where the descriptor leads, whatever name was asked for.
        path: PathBuf,
        /// How.
        mode: FileMode,
    },
    /// A file was not opened.
    FileRefused {
        /// The absolute path, inside, as it was asked for.
        path: PathBuf,
        /// How it would have been opened.
        mode: FileMode,
        /// The error number that the agent got.
        errno: i32,
        /// How many attempts this report stands for; each attempt is counted in one report only.
        attempts: u64,
    },
    /// A system call was refused.
    SystemCallRefused {
        /// Its name, `call_NUMBER` if it is unknown; with its numbering before it (`i386:20`) if that is not the machine's own.
        name: String,
        /// How many attempts this report stands for; each attempt is counted in one report only.
        attempts: u64,
    },
    /// A name or a file's attributes changed; once for each path and kind of change.
    FileChanged {
        /// The canonical path, inside.
        path: PathBuf,
        /// What became of it.
        change: FileChange,
    },
    /// A program is about to run; the first time with its file, so that it can be measured ([`Execution::take_along`]).
    ProgramExecuted(Execution),
    /// A program was not run.
    ProgramRefused {
        /// Its canonical path inside, or the one that was asked for.
        path: PathBuf,
        /// Why.
        reason: ProgramRefusal,
    },
    /// A system call was let through; once for each call and request.
    SystemCallObserved {
        /// Its name.
        name: String,
        /// What it asked for.
        request: CallRequest,
    },
    /// The probes were made while the agent ran.
    WallsProbed {
        /// What came of each.
        round: Round,
    },
}

impl Report {
    /// As a datagram.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::FileOpened { path, mode } => text(b'o', *mode, 0, path.as_os_str().as_bytes()),
            Self::FileRefused { path, mode, errno, attempts } => {
                text(b'r', *mode, *errno, &counted(*attempts, path.as_os_str().as_bytes()))
            }
            Self::SystemCallRefused { name, attempts } => text(b's', FileMode::Read, 0, &counted(*attempts, name.as_bytes())),
            Self::FileChanged { path, change } => text(b'c', FileMode::Write, number(*change), path.as_os_str().as_bytes()),
            Self::ProgramExecuted(execution) => programs::encode(execution),
            Self::ProgramRefused { path, reason } => programs::encode_refusal(path, *reason),
            Self::SystemCallObserved { name, request } => programs::encode_observed(name, *request),
            Self::WallsProbed { round } => text(b'p', FileMode::Read, 0, &round.encode()),
        }
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// [`Error::Message`] if it is none of the warden's.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let problem = |problem| Error::Message { problem };
        let Some((&[kind, mode, a, b, c, d], rest)) = bytes.split_first_chunk::<6>() else { return Err(problem("a report is too short")) };
        let mode = match mode {
            b'r' => FileMode::Read,
            b'w' => FileMode::Write,
            b'b' => FileMode::ReadWrite,
            _ => return Err(problem("a report has an unknown mode")),
        };
        let path = || PathBuf::from(OsStr::from_bytes(rest));
        match kind {
            b'o' => Ok(Self::FileOpened { path: path(), mode }),
            b'r' => {
                let (attempts, path) = rest.split_first_chunk().ok_or_else(|| problem("a report lacks its count"))?;
                let (path, attempts) = (PathBuf::from(OsStr::from_bytes(path)), u64::from_le_bytes(*attempts));
                Ok(Self::FileRefused { path, mode, errno: i32::from_le_bytes([a, b, c, d]), attempts })
            }
            b'c' => {
                let change = i32::from_le_bytes([a, b, c, d]);
                let change = CHANGES.into_iter().find(|one| number(*one) == change);
                change.map(|change| Self::FileChanged { path: path(), change }).ok_or(problem("a report's change is unknown"))
            }
            b's' => {
                let (attempts, name) = rest.split_first_chunk().ok_or_else(|| problem("a report lacks its count"))?;
                let name = String::from_utf8(name.to_vec()).map_err(|_| problem("a report's name is not text"))?;
                Ok(Self::SystemCallRefused { name, attempts: u64::from_le_bytes(*attempts) })
            }
            b'x' => programs::decode(rest).map(Self::ProgramExecuted).ok_or_else(|| problem("a report of a program is broken")),
            b'n' => programs::decode_refusal(rest).ok_or_else(|| problem("a report of a refused program is broken")),
            b'y' => programs::decode_observed(rest).ok_or_else(|| problem("a report of an observed call is broken")),
            b'p' => Round::decode(rest).map(|round| Self::WallsProbed { round }),
            _ => Err(problem("a report's kind is unknown")),
        }
    }
}

const CHANGES: [FileChange; 5] =
    [FileChange::Removed, FileChange::RenamedAway, FileChange::RenamedHere, FileChange::Linked, FileChange::Attributes];

fn number(change: FileChange) -> i32 {
    match change {
        FileChange::Removed => 0,
        FileChange::RenamedAway => 1,
        FileChange::RenamedHere => 2,
        FileChange::Linked => 3,
        FileChange::Attributes => 4,
    }
}

fn counted(attempts: u64, rest: &[u8]) -> Vec<u8> {
    [&attempts.to_le_bytes(), rest].concat()
}

fn text(kind: u8, mode: FileMode, errno: i32, rest: &[u8]) -> Vec<u8> {
    let mode = match mode {
        FileMode::Read => b'r',
        FileMode::Write => b'w',
        FileMode::ReadWrite => b'b',
    };
    let mut bytes = vec![kind, mode];
    bytes.extend(errno.to_le_bytes());
    bytes.extend(rest);
    bytes.truncate(REPORT_BYTES_MAX);
    bytes
}

/// Where reports go.
#[derive(Debug)]
enum Sink {
    /// To the supervisor, one datagram each; waits while its queue is full.
    Supervisor(OwnedFd),
    /// Kept: there is no agent yet.
    Trial(Vec<Report>),
}

/// Sends each report once, in order, and only as fast as the supervisor takes them.
#[derive(Debug)]
pub(crate) struct Journal {
    sink: Sink,
    keys: [RandomState; 2],
    opened: HashSet<u128>,
    refusals: tally::Refusals,
    known: programs::Known,
    opened_max: usize,
    sent: u64,
}

impl Journal {
    /// Sends to the supervisor.
    pub(crate) fn new(supervisor: OwnedFd) -> Self {
        Self::with(Sink::Supervisor(supervisor))
    }

    /// Keeps what it is told.
    pub(crate) fn trial() -> Self {
        Self::with(Sink::Trial(Vec::new()))
    }

    fn with(sink: Sink) -> Self {
        let keys = [RandomState::new(), RandomState::new()];
        let (opened, refusals, known) = (HashSet::new(), tally::Refusals::default(), programs::Known::default());
        Self { sink, keys, opened, refusals, known, opened_max: OPENED_MAX, sent: 0 }
    }

    /// Reports an opened file. When this returns true, the supervisor's queue holds it, or held it before; if false, there are too many.
    pub(crate) fn opened(&mut self, path: &Path, mode: FileMode) -> Result<bool, Error> {
        let hash = self.hash((path, mode, 0));
        if self.opened.contains(&hash) {
            return Ok(true);
        }
        if self.opened.len() >= self.opened_max {
            return Ok(false);
        }
        self.send(Report::FileOpened { path: path.to_owned(), mode })?;
        self.opened.insert(hash);
        Ok(true)
    }

    /// Whether a file may still be reported as opened.
    pub(crate) fn may_open(&self, path: &Path, mode: FileMode) -> bool {
        self.opened.len() < self.opened_max || self.opened.contains(&self.hash((path, mode, 0)))
    }

    /// Whether a change may still be reported: it is counted with what is opened.
    pub(crate) fn may_change(&self, path: &Path, change: FileChange) -> bool {
        self.opened.len() < self.opened_max || self.opened.contains(&self.hash((path, change)))
    }

    /// Reports a change that was made and that [`Journal::may_change`].
    pub(crate) fn changed(&mut self, path: &Path, change: FileChange) -> Result<(), Error> {
        let hash = self.hash((path, change));
        if self.opened.contains(&hash) {
            return Ok(());
        }
        self.send(Report::FileChanged { path: path.to_owned(), change })?;
        self.opened.insert(hash);
        Ok(())
    }

    /// How many reports were sent by this process. As long as it stays the same there is as much room for the next as there was.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// The way to the supervisor.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        match &self.sink {
            Sink::Supervisor(socket) => Some(socket.as_fd()),
            Sink::Trial(_) => None,
        }
    }

    /// Reports that what was probed, and how it went, to the supervisor.
    pub(crate) fn probed(supervisor: BorrowedFd<'_>, round: Round) -> Result<(), Error> {
        crate::descriptors::send_fds(supervisor, &Report::WallsProbed { round }.encode(), &[])
    }

    /// Whether it keeps what it is told.
    pub(crate) fn is_trial(&self) -> bool {
        matches!(self.sink, Sink::Trial(_))
    }

    /// What a trial was told.
    pub(crate) fn kept(&self) -> &[Report] {
        match &self.sink {
            Sink::Supervisor(_) => &[],
            Sink::Trial(kept) => kept,
        }
    }

    /// Stands for a report. The keys are not known to the agent, so it finds no two names that share a hash.
    fn hash(&self, report: impl std::hash::Hash) -> u128 {
        let [low, high] = self.keys.each_ref().map(|key| key.hash_one(&report));
        u128::from(high) << 64 | u128::from(low)
    }

    fn send(&mut self, report: Report) -> Result<(), Error> {
        self.send_with(report, &[])
    }

    fn send_with(&mut self, report: Report, along: &[BorrowedFd<'_>]) -> Result<(), Error> {
        self.sent = self.sent.wrapping_add(1);
        match &mut self.sink {
            Sink::Supervisor(socket) => crate::descriptors::send_fds(socket.as_fd(), &report.encode(), along),
            Sink::Trial(kept) => {
                if kept.len() < TRIAL_MAX {
                    kept.push(report);
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
