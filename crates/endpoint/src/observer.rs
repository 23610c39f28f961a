//! Turns what the warden reports into events, on the thread that writes the log.

mod programs;

use crate::layout::{self, Folders};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use evidence::DigestKey;
use sandbox::{Occasion, REPORT_BYTES_MAX, Report, Round, recv_fds_at_once};
use schema::event::{FileChanged, FileMode, FileOpened, FileRefused, PathClass, ProbeOccasion, SystemCallRefused, WallsProbed};
use schema::{Event, KeyedDigest, RefusalCode, SessionId, Token};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most reports that are taken at once (the bound of [`evidence::Source::drain`]).
const REPORTS_MAX: usize = 4096;
/// Folders inside that end with the session.
const PRIVATE: [&str; 5] = ["/tmp", "/var/tmp", layout::HOME, "/dev/shm", "/run"];

/// Who holds the walls: the user's own processes.
const TIER: &str = "launcher";
/// `ENOENT`.
const NOT_THERE: i32 = 2;
/// Where people keep keys, below their home.
const KEY_PLACES: [&str; 12] = [
    ".ssh",
    ".aws",
    ".gnupg",
    ".kube",
    ".docker",
    ".azure",
    ".config/gcloud",
    ".netrc",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".cargo/credentials.toml",
];

/// A file's id in evidence: the keyed digest of its path inside.
pub(crate) fn file_id(key: &DigestKey, path: &Path) -> KeyedDigest {
    key.digest("path", path.as_os_str().as_bytes())
}

/// Where a path lies in a session with these folders.
pub fn path_class(path: &Path, workspace: &Path, documents: &[PathBuf], programs: &[PathBuf]) -> PathClass {
    let under = |folder: &&PathBuf| path.starts_with(folder);
    // The deepest folder decides: documents may lie in the workspace, and a program too.
    let depth = |folder: &PathBuf| folder.components().count();
    let deepest = |list: &[PathBuf]| list.iter().filter(under).map(depth).max().unwrap_or(0);
    let own = [
        (deepest(programs), PathClass::Program),
        (deepest(documents), PathClass::Documents),
        (if path.starts_with(workspace) { workspace.components().count() } else { 0 }, PathClass::Workspace),
    ];
    match own.into_iter().rev().max_by_key(|(depth, _)| *depth) {
        Some((1.., class)) => class,
        _ if PRIVATE.iter().any(|folder| path.starts_with(folder)) => PathClass::Private,
        _ if layout::is_system(path) || ["/proc", "/dev", "/etc"].iter().any(|folder| path.starts_with(folder)) => PathClass::System,
        _ => PathClass::Outside,
    }
}

/// The reports of one session as a source of events.
pub(crate) struct Observer {
    reports: OwnedFd,
    session_id: SessionId,
    key: DigestKey,
    workspace: PathBuf,
    documents: Vec<PathBuf>,
    programs: Vec<PathBuf>,
    measured: programs::Measured,
    facts: WallFacts,
}

/// What every record of a round of probes repeats.
#[derive(Clone, Debug)]
pub(crate) struct WallFacts {
    session_id: SessionId,
    kernel: Token,
    profile_digest: Token,
}

impl WallFacts {
    /// `profile` is what the walls are made of ([`sandbox::Ready::profile`]).
    pub(crate) fn new(session_id: SessionId, profile: &[u8]) -> Self {
        let profile_digest = Token::lossy(&HEXLOWER.encode(digest(&SHA256, profile).as_ref()));
        Self { session_id, kernel: Token::lossy(&sandbox::kernel_release()), profile_digest }
    }

    /// The event of a round.
    pub(crate) fn event(&self, round: &Round) -> Event {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Event::WallsProbed(WallsProbed {
            session_id: self.session_id.clone(),
            occasion: match round.occasion {
                Occasion::Start => ProbeOccasion::Start,
                Occasion::Periodic => ProbeOccasion::Periodic,
            },
            probes: count(round.made()),
            refused: count(round.refused()),
            failed: round.failed().into_iter().map(Token::lossy).collect(),
            kernel: self.kernel.clone(),
            profile_digest: self.profile_digest.clone(),
            tier: Token::lossy(TIER),
        })
    }
}

impl Observer {
    pub(crate) fn new(reports: OwnedFd, key: DigestKey, folders: &Folders, facts: WallFacts) -> Self {
        let (Folders { workspace, documents, programs }, session_id) = (folders.clone(), facts.session_id.clone());
        let (programs, measured) = (programs.into_iter().collect(), programs::Measured::default());
        Self { reports, session_id, key, workspace, documents, programs, measured, facts }
    }

    fn class(&self, path: &Path) -> PathClass {
        path_class(path, &self.workspace, &self.documents, &self.programs)
    }

    /// What evidence says of a report; nothing of a file that is merely not there where programs look for files of their own.
    fn event(&mut self, report: Report, along: Vec<OwnedFd>) -> Result<Option<Event>, evidence::Error> {
        let session_id = self.session_id.clone();
        Ok(Some(match report {
            Report::FileOpened { path, mode } => {
                Event::FileOpened(FileOpened { session_id, file_id: file_id(&self.key, &path), path_class: self.class(&path), mode })
            }
            Report::FileRefused { path, mode, errno: NOT_THERE, .. } if !self.is_telling(&path, mode) => return Ok(None),
            Report::FileRefused { path, mode, errno, attempts } => Event::FileRefused(FileRefused {
                session_id,
                file_id: file_id(&self.key, &path),
                path_class: self.class(&path),
                mode,
                code: RefusalCode::FileDenied,
                errno: errno_name(errno),
                attempts,
            }),
            Report::FileChanged { path, change } => {
                Event::FileChanged(FileChanged { session_id, file_id: file_id(&self.key, &path), path_class: self.class(&path), change })
            }
            Report::WallsProbed { round } => self.facts.event(&round),
            Report::SystemCallRefused { name, attempts } => Event::SystemCallRefused(SystemCallRefused {
                session_id,
                system_call: Token::lossy(&name),
                code: RefusalCode::SystemCallDenied,
                attempts,
            }),
            Report::ProgramExecuted(execution) => self.program_executed(&execution, along)?,
            Report::ProgramRefused { path, reason } => self.program_refused(&path, reason),
            Report::SystemCallObserved { name, request } => self.call_observed(&name, request),
        }))
    }

    /// Whether looking for a file that is not there tells something: outside of what the session was given, where people keep keys, or to
    /// write it among the system's.
    fn is_telling(&self, path: &Path, mode: FileMode) -> bool {
        match self.class(path) {
            PathClass::Outside => true,
            PathClass::Private => path.strip_prefix(layout::HOME).is_ok_and(|rest| KEY_PLACES.iter().any(|place| rest.starts_with(place))),
            PathClass::System => mode != FileMode::Read,
            PathClass::Workspace | PathClass::Documents | PathClass::Program => false,
        }
    }
}

impl evidence::Source for Observer {
    fn fd(&self) -> BorrowedFd<'_> {
        self.reports.as_fd()
    }

    fn drain(&mut self) -> Result<Vec<Event>, evidence::Error> {
        let mut events = Vec::new();
        let mut buffer = vec![0_u8; REPORT_BYTES_MAX];
        let mut taken = 0;
        while taken < REPORTS_MAX {
            let received = match recv_fds_at_once(self.reports.as_fd(), &mut buffer) {
                Ok(Some(received)) if received.bytes > 0 => received,
                // The warden is gone; all that it reported has been taken.
                Ok(_) => break,
                Err(_) => return Err(evidence::Error::SourceFailed { reason: "the warden's reports cannot be read" }),
            };
            let report = buffer.get(..received.bytes).and_then(|bytes| Report::decode(bytes).ok());
            let report = report.ok_or(evidence::Error::SourceFailed { reason: "a report of the warden was not understood" })?;
            taken += 1;
            events.extend(self.event(report, received.descriptors)?);
        }
        Ok(events)
    }
}

/// The error's name as programs know it.
fn errno_name(errno: i32) -> Token {
    let name = match rustix::io::Errno::from_raw_os_error(errno) {
        rustix::io::Errno::NOENT => "ENOENT",
        rustix::io::Errno::ACCESS => "EACCES",
        rustix::io::Errno::PERM => "EPERM",
        rustix::io::Errno::ROFS => "EROFS",
        rustix::io::Errno::LOOP => "ELOOP",
        rustix::io::Errno::XDEV => "EXDEV",
        rustix::io::Errno::NOTDIR => "ENOTDIR",
        _ => return Token::lossy(&format!("errno-{errno}")),
    };
    Token::lossy(name)
}

#[cfg(test)]
mod tests;
