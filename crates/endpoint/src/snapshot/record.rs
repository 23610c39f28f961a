//! The log of the session that a state belongs to: what it says was kept, and what is done with it.

use super::{Digest, Error};
use crate::Directories;
use crate::session::SessionClock;
use evidence::{Keys, LOG_FILE, Log};
use schema::event::{ActPhase, WorkspaceAct};
use schema::{Event, SessionId, Token};
use std::collections::BTreeSet;

/// The log, held by this process until it is dropped.
#[derive(Debug)]
pub(super) struct Record {
    log: Log,
    session_id: SessionId,
    user_id: Token,
    known: BTreeSet<Token>,
}

/// What is done with a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Restore,
    Commit,
    Discard,
}

/// An act, as it goes on record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    pub(super) act: Act,
    pub(super) paths: u64,
    pub(super) manifest: Digest,
    pub(super) kept: Digest,
    pub(super) forced: bool,
}

impl Record {
    /// Opens the log. Without it nothing is done, since it could not be recorded.
    pub(super) fn open(directories: &Directories, session_id: &SessionId, user_id: Token, clock: SessionClock) -> Result<Self, Error> {
        let folder = directories.evidence().join(session_id.as_str());
        if !folder.join(LOG_FILE).is_file() {
            let problem = "its log is gone, so that what is done could not be recorded: put the log back";
            return Err(Error::Nothing { id: session_id.to_string(), problem });
        }
        let keys = Keys::load_or_create(&directories.keys())?;
        let opened = Log::open(&folder, keys.clone(), clock);
        if let Err(evidence::Error::Locked { .. }) = opened {
            return Err(Error::InUse { id: session_id.to_string() });
        }
        let log = opened?;
        let known = kept_states(directories, session_id, keys)?;
        Ok(Self { log, session_id: session_id.clone(), user_id, known })
    }

    /// Refuses a list of entries that is not the one on record.
    pub(super) fn confirm(&self, digest: Digest) -> Result<(), Error> {
        if self.known.contains(&Token::lossy(&digest.hex())) {
            return Ok(());
        }
        Err(Error::Damaged { id: self.session_id.to_string(), what: "its log names another state than what was kept".to_owned() })
    }

    /// Puts an act on record, durable when it returns.
    pub(super) fn append(&mut self, deed: Deed, phase: ActPhase) -> Result<(), Error> {
        let (session_id, user_id) = (self.session_id.clone(), self.user_id.clone());
        let (manifest_digest, kept_digest) = (Token::lossy(&deed.manifest.hex()), Token::lossy(&deed.kept.hex()));
        let Deed { act, paths, forced, .. } = deed;
        let event = WorkspaceAct { session_id, user_id, phase, paths, manifest_digest, kept_digest, forced };
        let event = match act {
            Act::Restore => Event::WorkspaceRestored(event),
            Act::Commit => Event::WorkspaceCommitted(event),
            Act::Discard => Event::WorkspaceDiscarded(event),
        };
        self.log.append(&[event])?;
        Ok(())
    }
}

/// The states that a session's log says were kept, if every record is under a checkpoint that our key signed.
fn kept_states(directories: &Directories, session_id: &SessionId, keys: Keys) -> Result<BTreeSet<Token>, Error> {
    let mut known = BTreeSet::new();
    for record in evidence::read(&directories.evidence().join(session_id.as_str()))?.checked(keys) {
        let event = record?.event;
        if event.session_id() != Some(session_id) {
            continue;
        }
        if let Event::WorkspaceSnapshotted(event) = event {
            known.extend(event.manifest_digest);
        } else if let Event::WorkspaceRestored(event) | Event::WorkspaceCommitted(event) = event {
            known.insert(event.kept_digest);
        }
    }
    Ok(known)
}
