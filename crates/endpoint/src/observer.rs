//! Turns what the warden reports into events, on the thread that writes the log.

use crate::layout::{self, Folders};
use evidence::DigestKey;
use rustix::net::{RecvFlags, recv};
use sandbox::Report;
use schema::event::{FileOpened, FileRefused, PathClass, SystemCallRefused};
use schema::{Event, KeyedDigest, RefusalCode, SessionId, Token};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most reports that are taken at once (the bound of [`evidence::Source::drain`]).
const REPORTS_MAX: usize = 4096;
/// Longest report: a path and a few words.
const REPORT_BYTES_MAX: usize = 16 * 1024;
/// Folders inside that end with the session.
const PRIVATE: [&str; 5] = ["/tmp", "/var/tmp", layout::HOME, "/dev/shm", "/run"];

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
}

impl Observer {
    pub(crate) fn new(reports: OwnedFd, session_id: SessionId, key: DigestKey, folders: &Folders) -> Self {
        let Folders { workspace, documents, programs } = folders.clone();
        Self { reports, session_id, key, workspace, documents, programs: programs.into_iter().collect() }
    }

    fn class(&self, path: &Path) -> PathClass {
        path_class(path, &self.workspace, &self.documents, &self.programs)
    }

    fn event(&self, report: Report) -> Event {
        let session_id = self.session_id.clone();
        match report {
            Report::FileOpened { path, mode } => {
                Event::FileOpened(FileOpened { session_id, file_id: file_id(&self.key, &path), path_class: self.class(&path), mode })
            }
            Report::FileRefused { path, mode, errno } => Event::FileRefused(FileRefused {
                session_id,
                file_id: file_id(&self.key, &path),
                path_class: self.class(&path),
                mode,
                code: RefusalCode::FileDenied,
                errno: errno_name(errno),
            }),
            Report::SystemCallRefused { name } => Event::SystemCallRefused(SystemCallRefused {
                session_id,
                system_call: Token::lossy(&name),
                code: RefusalCode::SystemCallDenied,
            }),
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
        while events.len() < REPORTS_MAX {
            let length = match recv(&self.reports, buffer.as_mut_slice(), RecvFlags::DONTWAIT | RecvFlags::TRUNC) {
                // The warden is gone; all that it reported has been taken.
                Ok((_, 0)) | Err(rustix::io::Errno::AGAIN) => break,
                Ok((_, length)) => length,
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return Err(evidence::Error::SourceFailed { reason: "the warden's reports cannot be read" }),
            };
            let report = buffer.get(..length).and_then(|bytes| Report::decode(bytes).ok());
            let report = report.ok_or(evidence::Error::SourceFailed { reason: "a report of the warden was not understood" })?;
            events.push(self.event(report));
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
