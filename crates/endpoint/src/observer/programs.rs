//! What evidence says of programs: each is measured the first time that it runs.

use super::{Observer, file_id};
use crate::program::{identity_of, sha256};
use evidence::DigestKey;
use sandbox::{Arguments, Execution, FileIdentity, ProgramRefusal};
use schema::event::{ProgramExecuted, ProgramRefused, SystemCallObserved};
use schema::{Event, KeyedDigest, RefusalCode, Token};
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Bytes of arguments that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Digests of the session's programs, as many as the warden tells of (65,536 at most).
#[derive(Default)]
pub(super) struct Measured(HashMap<FileIdentity, Option<Token>>);

impl Measured {
    /// The digest of what ran. A file that was written before it could be measured has none: nobody knows any more what ran.
    fn of(&mut self, execution: &Execution, file: Option<OwnedFd>) -> Option<Token> {
        if let Some(file) = file {
            self.0.insert(execution.identity, measure(File::from(file), execution.identity));
        }
        self.0.get(&execution.identity).cloned().flatten()
    }
}

fn measure(file: File, expected: FileIdentity) -> Option<Token> {
    let is_still = |file: &File| file.metadata().is_ok_and(|facts| identity_of(&facts) == expected);
    let again = file.try_clone().ok()?;
    if !is_still(&again) {
        return None;
    }
    sha256(file).filter(|_| is_still(&again))
}

impl Observer {
    pub(super) fn program_executed(&mut self, execution: &Execution, along: Vec<OwnedFd>) -> Result<Event, evidence::Error> {
        let broken = |_| evidence::Error::SourceFailed { reason: "a report of a program lacks its files" };
        let (file, passed) = execution.take_along(along).map_err(broken)?;
        let arguments_digest = arguments(&self.key, &execution.arguments, passed)?;
        Ok(Event::ProgramExecuted(ProgramExecuted {
            session_id: self.session_id.clone(),
            program_id: file_id(&self.key, &execution.program),
            path_class: self.class(&execution.program),
            sha256: self.measured.of(execution, file),
            script_id: execution.script.as_deref().map(|script| file_id(&self.key, script)),
            script_class: execution.script.as_deref().map(|script| self.class(script)),
            arguments_digest,
            confirmed: execution.confirmed,
        }))
    }

    pub(super) fn program_refused(&self, path: &Path, reason: ProgramRefusal) -> Event {
        Event::ProgramRefused(ProgramRefused {
            session_id: self.session_id.clone(),
            subject: None,
            program_id: file_id(&self.key, path),
            path_class: self.class(path),
            sha256: None,
            reason: Token::lossy(reason.name()),
            code: RefusalCode::ProgramDenied,
        })
    }

    pub(super) fn call_observed(&self, name: &str, request: sandbox::CallRequest) -> Event {
        Event::SystemCallObserved(SystemCallObserved {
            session_id: self.session_id.clone(),
            system_call: Token::lossy(name),
            request: Token::lossy(request.name()),
        })
    }
}

/// The keyed digest of a program's arguments; none if the warden could not take them.
fn arguments(key: &DigestKey, arguments: &Arguments, passed: Option<OwnedFd>) -> Result<Option<KeyedDigest>, evidence::Error> {
    let mut hasher = key.hasher("arguments");
    match (arguments, passed) {
        (Arguments::Unknown, _) => return Ok(None),
        (Arguments::Inline(bytes), _) => hasher.update(bytes),
        (Arguments::Passed, passed) => {
            let failed = || evidence::Error::SourceFailed { reason: "a program's arguments cannot be read" };
            let mut file = File::from(passed.ok_or_else(failed)?);
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                match file.read(&mut piece).map_err(|_| failed())? {
                    0 => break,
                    length => hasher.update(piece.get(..length).unwrap_or_default()),
                }
            }
        }
    }
    Ok(Some(hasher.finish()))
}
