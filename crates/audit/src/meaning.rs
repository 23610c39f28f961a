//! What the entries say together: sessions that start and end, calls that are announced and end.

use crate::{
    Reason,
    verification::{CallPlace, Meaning},
};
use schema::{Event, RequestId, SessionId, Timestamp, Trust};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashSet};

/// Most calls without outcome that are kept in mind at once.
pub const CALLS_OPEN_MAX: usize = 65_536;
/// Most calls in one log.
pub const REQUESTS_MAX: usize = 16 * 1024 * 1024;
/// Most sessions in one log.
pub const SESSIONS_MAX: usize = 262_144;

/// What is needed of an event once a checkpoint covers it.
pub(crate) enum Fact {
    Started {
        session: SessionId,
        trust: Trust,
    },
    Ended {
        session: SessionId,
    },
    Authorised {
        session: SessionId,
        request: RequestId,
    },
    Completed {
        session: SessionId,
        request: RequestId,
    },
    Refused {
        session: Option<SessionId>,
        request: RequestId,
    },
    Other {
        session: SessionId,
    },
    /// Something done to a session's workspace by its user, during the session or long after.
    Kept {
        session: SessionId,
    },
    /// A session that was refused before it started.
    TurnedAway {
        session: SessionId,
    },
    Recovered {
        bytes: u64,
    },
}

impl From<Event> for Fact {
    fn from(event: Event) -> Self {
        match event {
            Event::SessionStarted(event) => Self::Started { session: event.subject.session_id, trust: event.subject.trust },
            Event::SessionEnded(event) => Self::Ended { session: event.session_id },
            Event::CallAuthorised(event) => Self::Authorised { session: event.subject.session_id, request: event.request_id },
            Event::CallCompleted(event) => Self::Completed { session: event.session_id, request: event.request_id },
            Event::CallRefused(event) => {
                Self::Refused { session: event.subject.map(|subject| subject.session_id), request: event.request_id }
            }
            Event::FileOpened(event) => Self::Other { session: event.session_id },
            Event::FileRefused(event) => Self::Other { session: event.session_id },
            Event::ConnectionRefused(event) => Self::Other { session: event.session_id },
            Event::NameRefused(event) => Self::Other { session: event.session_id },
            Event::SystemCallRefused(event) => Self::Other { session: event.session_id },
            Event::ProgramExecuted(event) => Self::Other { session: event.session_id },
            Event::ProgramRefused(event) if event.subject.is_some() => Self::TurnedAway { session: event.session_id },
            Event::ProgramRefused(event) => Self::Other { session: event.session_id },
            Event::SystemCallObserved(event) => Self::Other { session: event.session_id },
            Event::FileChanged(event) => Self::Other { session: event.session_id },
            Event::LogRecovered(event) => Self::Recovered { bytes: event.bytes_dropped },
            Event::LimitReached(event) => Self::Other { session: event.session_id },
            Event::PolicyChanged(event) => Self::Other { session: event.session_id },
            Event::WorkspaceSnapshotted(event) => Self::Other { session: event.session_id },
            Event::WorkspaceRestored(event) | Event::WorkspaceCommitted(event) | Event::WorkspaceDiscarded(event) => {
                Self::Kept { session: event.session_id }
            }
            Event::WallsProbed(event) => Self::Other { session: event.session_id },
        }
    }
}

/// Follows the sessions and calls of a log, within bounds.
#[derive(Default)]
pub(crate) struct Story {
    meaning: Meaning,
    /// Whether each session has ended.
    sessions: BTreeMap<SessionId, bool>,
    calls_open: BTreeMap<RequestId, (SessionId, u64)>,
    /// Of every request id so far, the first half of its SHA-256: 16 bytes instead of up to 128.
    requests: HashSet<[u8; 16]>,
    last_time: Timestamp,
}

impl Story {
    /// Takes the next event.
    pub(crate) fn take(&mut self, index: u64, time: Timestamp, fact: Fact) -> Result<(), Reason> {
        if time < self.last_time {
            self.meaning.times_backwards.push(index);
        }
        self.last_time = time;
        match fact {
            Fact::Started { session, trust } => self.start(session, trust),
            Fact::Ended { session } => self.end(&session),
            Fact::Authorised { session, request } => self.authorise(index, session, request),
            Fact::Completed { session, request } => self.complete(&session, &request),
            Fact::Refused { session, request } => {
                self.new_request(&request)?;
                self.meaning.calls_refused += 1;
                session.map_or(Ok(()), |session| self.belongs(&session))
            }
            Fact::Other { session } => self.belongs(&session),
            Fact::Kept { session } => self.sessions.get(&session).map(drop).ok_or(Reason::BeforeStart),
            Fact::TurnedAway { session } => self.turn_away(session),
            Fact::Recovered { bytes } => {
                self.meaning.recoveries.push(bytes);
                Ok(())
            }
        }
    }

    /// What all events so far say together.
    pub(crate) fn finish(self) -> Meaning {
        let mut meaning = self.meaning;
        for (session, _) in self.sessions.into_iter().filter(|(_, ended)| !ended) {
            meaning.sessions_without_end.push(session);
        }
        let mut unknown: Vec<_> =
            self.calls_open.into_iter().map(|(request_id, (session_id, index))| CallPlace { request_id, session_id, index }).collect();
        unknown.sort_by_key(|call| call.index);
        for call in unknown {
            meaning.calls_unknown.push(call);
        }
        meaning
    }

    fn start(&mut self, session: SessionId, trust: Trust) -> Result<(), Reason> {
        self.new_session(session, false)?;
        self.meaning.sessions += 1;
        self.meaning.sessions_kept_by_user += u64::from(trust == Trust::SelfKept);
        Ok(())
    }

    /// A session that never started is over.
    fn turn_away(&mut self, session: SessionId) -> Result<(), Reason> {
        self.new_session(session, true)?;
        self.meaning.sessions_refused += 1;
        Ok(())
    }

    fn new_session(&mut self, session: SessionId, is_over: bool) -> Result<(), Reason> {
        if self.sessions.contains_key(&session) {
            return Err(Reason::StartedAgain);
        }
        if self.sessions.len() >= SESSIONS_MAX {
            return Err(Reason::Bound);
        }
        self.sessions.insert(session, is_over);
        Ok(())
    }

    fn end(&mut self, session: &SessionId) -> Result<(), Reason> {
        let ended = self.sessions.get_mut(session).ok_or(Reason::BeforeStart)?;
        if std::mem::replace(ended, true) { Err(Reason::EndedAgain) } else { Ok(()) }
    }

    fn authorise(&mut self, index: u64, session: SessionId, request: RequestId) -> Result<(), Reason> {
        self.new_request(&request)?;
        self.belongs(&session)?;
        if self.calls_open.len() >= CALLS_OPEN_MAX {
            return Err(Reason::Bound);
        }
        self.calls_open.insert(request, (session, index));
        self.meaning.calls_authorised += 1;
        Ok(())
    }

    fn complete(&mut self, session: &SessionId, request: &RequestId) -> Result<(), Reason> {
        self.belongs(session)?;
        match self.calls_open.remove(request) {
            Some((of, _)) if of == *session => {
                self.meaning.calls_completed += 1;
                Ok(())
            }
            _ => Err(Reason::NotAuthorised),
        }
    }

    fn new_request(&mut self, request: &RequestId) -> Result<(), Reason> {
        if self.requests.len() >= REQUESTS_MAX {
            return Err(Reason::Bound);
        }
        let digest: [u8; 32] = Sha256::digest(request.as_str().as_bytes()).into();
        let short = digest.first_chunk().copied().unwrap_or_default();
        if self.requests.insert(short) { Ok(()) } else { Err(Reason::RequestAgain) }
    }

    fn belongs(&mut self, session: &SessionId) -> Result<(), Reason> {
        let ended = self.sessions.get(session).ok_or(Reason::BeforeStart)?;
        self.meaning.events_after_end += u64::from(*ended);
        Ok(())
    }
}
