//! What the view keeps in mind of each session.

use super::{
    reads::FileReads,
    row::{Attestation, CallRow, End, Row, VerdictWord, Who},
};
use schema::{
    RequestId, SessionId, Subject, Timestamp,
    event::{CallAuthorised, SessionStarted, UpstreamFacts},
};
use std::collections::BTreeMap;

/// Most calls of one session that wait for their outcome; beyond it the oldest is shown as unknown.
pub const CALLS_PENDING_MAX: usize = 1024;
/// Most sessions kept in mind; beyond it one that is over, or else the one that was quiet for longest, is forgotten, and its
/// waiting calls are shown as unknown.
pub const SESSIONS_MAX: usize = 1024;

/// When and where something was recorded.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) time: Timestamp,
    pub(crate) index: u64,
}

/// One session.
#[derive(Default)]
pub(crate) struct Session {
    subject: Option<Subject>,
    attestation: Attestation,
    pub(crate) reads: FileReads,
    pending: BTreeMap<RequestId, Box<CallRow>>,
    is_over: bool,
    /// Grows with every record, over all logs.
    last_seen: u64,
}

impl Session {
    pub(crate) fn start(&mut self, event: SessionStarted) {
        let trust = Some(event.subject.trust);
        self.attestation = Attestation { tpm_quote: None, runtime_digest: event.runtime_digest, walls: event.walls, trust };
        self.subject = Some(event.subject);
    }

    /// The agent is gone: no more files. Outcomes of its last calls may still come.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
        self.reads = FileReads::default();
    }

    /// Takes a call; returns those that can wait no longer.
    pub(crate) fn authorise(&mut self, place: Place, event: CallAuthorised) -> impl Iterator<Item = Row> + use<> {
        let crowded_out = (self.pending.len() >= CALLS_PENDING_MAX).then(|| self.oldest()).flatten();
        let reads = self.reads.drain();
        let attestation = Attestation { trust: Some(event.subject.trust), ..self.attestation.clone() };
        let row = CallRow {
            who: who(place, Some(&event.subject.session_id), Some(&event.subject)),
            request_id: event.request_id.clone(),
            llm_endpoint: endpoint(&event.upstream),
            upstream: event.upstream,
            dialect: event.dialect,
            model: event.model,
            prompt_hash: event.prompt_digest.to_string(),
            sent_hash: event.sent_digest.to_string(),
            file_reads_truncated: reads.omitted > 0,
            file_reads_omitted: reads.omitted,
            file_reads: reads.ids,
            attestation,
            verdict: VerdictWord::from(event.verdict),
            decision: event.verdict,
            rules: event.rules,
            classes_before: event.classes_before,
            classes_after: event.classes_after,
            redactions: event.redactions,
            sent_bytes: event.sent_bytes,
            end: End::UNKNOWN,
        };
        // A request id that comes twice must not make the first call vanish.
        let doubled = self.pending.insert(event.request_id, Box::new(row));
        crowded_out.into_iter().chain(doubled).map(Row::Call)
    }

    /// The waiting call of that id.
    pub(crate) fn complete(&mut self, request: &RequestId) -> Option<Box<CallRow>> {
        self.pending.remove(request)
    }

    pub(crate) fn who(&self, place: Place, session: &SessionId) -> Who {
        who(place, Some(session), self.subject.as_ref())
    }

    fn is_waited_for(&self) -> bool {
        !self.is_over || !self.pending.is_empty()
    }

    fn oldest(&mut self) -> Option<Box<CallRow>> {
        let oldest = self.pending.values().min_by_key(|row| row.who.index).map(|row| row.request_id.clone())?;
        self.pending.remove(&oldest)
    }

    fn into_unknown(self) -> impl Iterator<Item = Row> {
        let mut rows: Vec<_> = self.pending.into_values().collect();
        rows.sort_by_key(|row| row.who.index);
        rows.into_iter().map(Row::Call)
    }
}

/// All sessions, at most [`SESSIONS_MAX`].
#[derive(Default)]
pub(crate) struct Sessions {
    open: BTreeMap<SessionId, Session>,
    seen: u64,
}

impl Sessions {
    /// The session of that id; calls of one that had to make room for it go to `unknown`.
    pub(crate) fn of(&mut self, id: &SessionId, unknown: &mut impl Extend<Row>) -> &mut Session {
        self.seen += 1;
        if !self.open.contains_key(id) && self.open.len() >= SESSIONS_MAX {
            let quiet = self.open.iter().min_by_key(|(_, session)| (session.is_waited_for(), session.last_seen)).map(|(id, _)| id.clone());
            if let Some(session) = quiet.and_then(|quiet| self.open.remove(&quiet)) {
                unknown.extend(session.into_unknown());
            }
        }
        let session = self.open.entry(id.clone()).or_default();
        session.last_seen = self.seen;
        session
    }

    /// There are no more records: what waits for its outcome is unknown.
    pub(crate) fn finish(&mut self) -> Vec<Row> {
        let mut rows: Vec<_> = std::mem::take(&mut self.open).into_values().flat_map(Session::into_unknown).collect();
        rows.sort_by_key(|row| (row.who().timestamp, row.who().index));
        rows
    }
}

/// Who did something, as far as that is known.
pub(crate) fn who(place: Place, session: Option<&SessionId>, subject: Option<&Subject>) -> Who {
    Who {
        timestamp: place.time,
        index: place.index,
        session_id: session.cloned(),
        agent_id: subject.map(|subject| subject.agent_id.clone()),
        user_id: subject.map(|subject| subject.user_id.clone()),
    }
}

fn endpoint(upstream: &UpstreamFacts) -> String {
    let region = upstream.region.as_ref().map_or("-", schema::Token::as_str);
    format!("{}/{}/{region}", upstream.name, upstream.boundary.name())
}
