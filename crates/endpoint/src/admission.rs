//! Whether the agent, and the programs that the policy lists, are those that may run. A session that is refused for one of them leaves a
//! record of that, and has neither a start nor an end.

use crate::layout::{self, Folders};
use crate::session::SessionClock;
use crate::{Error, Measurement, Program, SessionSpec, observer, programs};
use evidence::{Keys, Log};
use sandbox::Programs;
use schema::event::ProgramRefused;
use schema::{Event, RefusalCode, Subject, Token};

/// What was found of the agent before anything started.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) programs: Programs,
    /// The agent's program, if it had to be measured already.
    pub(crate) measured: Option<Measurement>,
}

/// Compares the agent and the listed programs with the policy.
///
/// # Errors
/// [`Error::ProgramRefused`], which is on record then.
pub(crate) fn admit(
    spec: &SessionSpec,
    folders: &Folders,
    program: &Program,
    subject: &Subject,
    clock: &SessionClock,
) -> Result<Admitted, Error> {
    let decided = decide(spec, folders, program, subject);
    if let Err(Error::ProgramRefused { path, sha256, reason, .. }) = &decided {
        let keys = spec.directories.keys();
        let program_id = observer::file_id(&Keys::digest_key_alone(&keys)?, path);
        let programs: Vec<_> = folders.programs.iter().cloned().collect();
        let event = Event::ProgramRefused(ProgramRefused {
            session_id: subject.session_id.clone(),
            subject: Some(subject.clone()),
            program_id,
            path_class: observer::path_class(path, &folders.workspace, &folders.documents, &programs),
            sha256: sha256.clone(),
            reason: Token::lossy(reason),
            code: RefusalCode::ProgramDenied,
        });
        let log = spec.directories.evidence().join(subject.session_id.as_str());
        Log::open(&log, Keys::load_or_create(&keys)?, clock.clone())?.append(&[event])?;
    }
    decided
}

/// The same, with nothing written.
pub(crate) fn decide(spec: &SessionSpec, folders: &Folders, program: &Program, subject: &Subject) -> Result<Admitted, Error> {
    let programs = programs::resolve(spec, folders, program, &layout::private_places(&spec.policy))?;
    if spec.policy.session().agents.is_empty() {
        return Ok(Admitted { programs, measured: None });
    }
    let measured = program.measure();
    let unknown = Token::lossy("unknown");
    let version = subject.agent_version.as_ref().unwrap_or(&unknown);
    let facts = policy::AgentFacts { name: &subject.agent_id, sha256: measured.sha256.as_ref(), version };
    match policy::decide_agent(&spec.policy, &facts) {
        Ok(()) => Ok(Admitted { programs, measured: Some(measured) }),
        Err(_) => Err(programs::refused(
            program.file(),
            measured.sha256,
            "agent_not_pinned",
            "none of the policy's [[session.agents]] describes this name, SHA-256 and version",
        )),
    }
}
