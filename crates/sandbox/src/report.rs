use crate::Error;
use schema::event::FileMode;
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Longest report as a datagram. A path in it has at most two times `PATH_MAX` bytes: that of a folder, and the one that was asked for.
pub const REPORT_BYTES_MAX: usize = 2 * PATH_BYTES_MAX + 64;
/// `PATH_MAX` of Linux.
pub(crate) const PATH_BYTES_MAX: usize = 4096;
/// How many different files a journal remembers, and how long their paths may be together. What does not fit is reported every time.
const SEEN_MAX: usize = 32_768;
const SEEN_BYTES_MAX: usize = 8 << 20;

/// What the warden saw an agent do. It arrives before the agent goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A file (or a folder, for listing it) is about to be opened for the agent.
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
    },
    /// A system call was refused; once for each call.
    SystemCallRefused {
        /// Its name, `call_NUMBER` if it is unknown.
        name: String,
    },
}

impl Report {
    /// As a datagram.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::FileOpened { path, mode } => text(b'o', *mode, 0, path.as_os_str().as_bytes()),
            Self::FileRefused { path, mode, errno } => text(b'r', *mode, *errno, path.as_os_str().as_bytes()),
            Self::SystemCallRefused { name } => text(b's', FileMode::Read, 0, name.as_bytes()),
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
            b'r' => Ok(Self::FileRefused { path: path(), mode, errno: i32::from_le_bytes([a, b, c, d]) }),
            b's' => String::from_utf8(rest.to_vec())
                .map(|name| Self::SystemCallRefused { name })
                .map_err(|_| problem("a report's name is not text")),
            _ => Err(problem("a report's kind is unknown")),
        }
    }
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
    seen: HashSet<(PathBuf, FileMode, i32)>,
    seen_bytes: usize,
    calls: BTreeSet<i32>,
    seen_max: usize,
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
        Self { sink, seen: HashSet::new(), seen_bytes: 0, calls: BTreeSet::new(), seen_max: SEEN_MAX }
    }

    /// Reports an opened file. When this returns, the supervisor's queue holds it.
    pub(crate) fn opened(&mut self, path: &Path, mode: FileMode) -> Result<(), Error> {
        self.once(path, mode, 0, |path, mode, _| Report::FileOpened { path, mode })
    }

    /// Reports a refused file.
    pub(crate) fn refused(&mut self, path: &Path, mode: FileMode, errno: i32) -> Result<(), Error> {
        self.once(path, mode, errno, |path, mode, errno| Report::FileRefused { path, mode, errno })
    }

    /// Reports a refused call.
    pub(crate) fn call(&mut self, number: i32) -> Result<(), Error> {
        // An agent cannot make the set grow past its bound by inventing numbers.
        if self.calls.contains(&number) || self.calls.len() >= self.seen_max {
            return Ok(());
        }
        self.send(Report::SystemCallRefused { name: crate::seccomp::name(number) })?;
        self.calls.insert(number);
        Ok(())
    }

    /// The way to the supervisor.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        match &self.sink {
            Sink::Supervisor(socket) => Some(socket.as_fd()),
            Sink::Trial(_) => None,
        }
    }

    /// Whether a file was reported as opened.
    pub(crate) fn has_opened(&self, path: &Path) -> bool {
        matches!(&self.sink, Sink::Trial(kept) if kept.iter().any(|report| matches!(report, Report::FileOpened { path: one, .. } if one == path)))
    }

    fn once(
        &mut self,
        path: &Path,
        mode: FileMode,
        errno: i32,
        report: impl FnOnce(PathBuf, FileMode, i32) -> Report,
    ) -> Result<(), Error> {
        let key = (path.to_owned(), mode, errno);
        if self.seen.contains(&key) {
            return Ok(());
        }
        self.send(report(path.to_owned(), mode, errno))?;
        let bytes = self.seen_bytes + path.as_os_str().len();
        if self.seen.len() < self.seen_max && bytes <= SEEN_BYTES_MAX {
            self.seen_bytes = bytes;
            self.seen.insert(key);
        }
        Ok(())
    }

    fn send(&mut self, report: Report) -> Result<(), Error> {
        match &mut self.sink {
            Sink::Supervisor(socket) => crate::descriptors::send_fds(socket.as_fd(), &report.encode(), &[]),
            Sink::Trial(kept) => {
                if kept.len() < self.seen_max {
                    kept.push(report);
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
