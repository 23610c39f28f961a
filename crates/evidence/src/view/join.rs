use super::{
    changed::FileChangedRow,
    notice::{LimitRow, PolicyRow, ProbesRow},
    programs::{ObservedCallRow, ProgramRefusedRow, ProgramRow},
    refused::{CallRefusedRow, ConnectionRefusedRow, FileRefusedRow, NameRefusedRow, SystemCallRow},
    row::{CallOutcomeRow, End, Row, VerdictWord, Who},
    session::{Place, Sessions, who},
    workspace::WorkspaceRow,
};
use schema::{
    Event, Record, RefusalCode, RequestId, SessionId, Timestamp, Verdict,
    event::{CallAuthorised, CallCompleted, CallRefused},
};
use std::collections::VecDeque;

/// Which rows to show; empty shows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this session only.
    pub session: Option<SessionId>,
    /// About this call only.
    pub request: Option<RequestId>,
    /// Recorded at this time or later.
    pub since: Option<Timestamp>,
}

impl Filter {
    /// Whether `row` is to be shown.
    pub fn shows(&self, row: &Row) -> bool {
        let who = row.who();
        self.session.as_ref().is_none_or(|session| who.session_id.as_ref() == Some(session))
            && self.request.as_ref().is_none_or(|request| row.request_id() == Some(request))
            && self.since.is_none_or(|since| who.timestamp >= since)
    }
}

/// Joins the records of one or more logs into rows. A call's row comes when its outcome does, or as `unknown` at the end; every other row
/// comes with its record. Records that the filter hides still count towards what is shown, such as the files read before a call.
pub fn join<I, E>(records: I, filter: Filter) -> Joined<I::IntoIter, E>
where
    I: IntoIterator<Item = Result<Record, E>>,
{
    Joined { records: records.into_iter(), filter, joiner: Joiner::default(), failure: None, is_over: false }
}

/// See [`join`]. An error of the source comes last, after the calls that then have no outcome.
pub struct Joined<I, E> {
    records: I,
    filter: Filter,
    joiner: Joiner,
    failure: Option<E>,
    is_over: bool,
}

impl<I, E> std::fmt::Debug for Joined<I, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined").field("filter", &self.filter).field("is_over", &self.is_over).finish_non_exhaustive()
    }
}

impl<I, E> Iterator for Joined<I, E>
where
    I: Iterator<Item = Result<Record, E>>,
{
    type Item = Result<Row, E>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(row) = self.joiner.ready.pop_front() {
                if self.filter.shows(&row) {
                    return Some(Ok(row));
                }
            }
            if self.is_over {
                return self.failure.take().map(Err);
            }
            match self.records.next() {
                Some(Ok(record)) => self.joiner.take(record),
                end => {
                    self.is_over = true;
                    self.failure = end.and_then(Result::err);
                    self.joiner.finish();
                }
            }
        }
    }
}

#[derive(Default)]
struct Joiner {
    sessions: Sessions,
    ready: VecDeque<Row>,
}

impl Joiner {
    fn take(&mut self, record: Record) {
        let place = Place { time: record.time, index: record.index };
        match record.event {
            Event::SessionStarted(event) => self.sessions.of(&event.subject.session_id, &mut self.ready).start(event),
            Event::SessionEnded(event) => self.sessions.of(&event.session_id, &mut self.ready).end(),
            Event::FileOpened(event) => self.sessions.of(&event.session_id, &mut self.ready).reads.take(event),
            Event::CallAuthorised(event) => self.authorised(place, event),
            Event::CallCompleted(event) => self.completed(place, &event),
            Event::CallRefused(event) => self.ready.push_back(Row::CallRefused(refused(place, event))),
            // What is kept is told by `session show`.
            Event::LogRecovered(_) | Event::WorkspaceSnapshotted(_) => {}
            other @ (Event::FileRefused(_)
            | Event::ConnectionRefused(_)
            | Event::NameRefused(_)
            | Event::SystemCallRefused(_)
            | Event::ProgramExecuted(_)
            | Event::ProgramRefused(_)
            | Event::SystemCallObserved(_)
            | Event::LimitReached(_)
            | Event::PolicyChanged(_)
            | Event::FileChanged(_)
            | Event::WorkspaceRestored(_)
            | Event::WorkspaceCommitted(_)
            | Event::WorkspaceDiscarded(_)
            | Event::WallsProbed(_)) => self.act(place, other),
        }
    }

    fn authorised(&mut self, place: Place, event: CallAuthorised) {
        let id = event.subject.session_id.clone();
        let unknown = self.sessions.of(&id, &mut self.ready).authorise(place, event);
        self.ready.extend(unknown);
    }

    fn completed(&mut self, place: Place, event: &CallCompleted) {
        let session = self.sessions.of(&event.session_id, &mut self.ready);
        let end = End::new(place.time, event);
        let row = if let Some(mut row) = session.complete(&event.request_id) {
            row.end = end;
            Row::Call(row)
        } else {
            let who = session.who(place, &event.session_id);
            Row::CallOutcome(CallOutcomeRow { who, request_id: event.request_id.clone(), end })
        };
        self.ready.push_back(row);
    }

    fn act(&mut self, place: Place, event: Event) {
        let Some(id) = event.session_id().cloned() else { return };
        let who = self.sessions.of(&id, &mut self.ready).who(place, &id);
        self.ready.extend(act(who, event));
    }

    fn finish(&mut self) {
        self.ready.extend(self.sessions.finish());
    }
}

fn refused(place: Place, event: CallRefused) -> CallRefusedRow {
    let subject = event.subject.as_ref();
    CallRefusedRow {
        who: who(place, subject.map(|subject| &subject.session_id), subject),
        request_id: event.request_id,
        verdict: VerdictWord::Refused,
        decision: if event.code == RefusalCode::Held { Verdict::Hold } else { Verdict::Deny },
        code: event.code,
        rules: event.rules,
        classes_before: event.classes_before,
        classes_after: event.classes_after,
        redactions: event.redactions,
    }
}

fn act(who: Who, event: Event) -> Option<Row> {
    let verdict = VerdictWord::Refused;
    Some(match event {
        Event::FileRefused(event) => Row::FileRefused(FileRefusedRow {
            who,
            verdict,
            file_id: event.file_id.to_string(),
            path_class: event.path_class,
            mode: event.mode,
            code: event.code,
            errno: event.errno,
            attempts: event.attempts,
        }),
        Event::ConnectionRefused(event) => Row::ConnectionRefused(ConnectionRefusedRow {
            who,
            verdict,
            protocol: event.protocol,
            host: event.host,
            port: event.port,
            code: event.code,
            attempts: event.attempts,
        }),
        Event::NameRefused(event) => Row::NameRefused(NameRefusedRow {
            who,
            verdict,
            name: event.name,
            name_hash: event.name_digest.to_string(),
            query_type: event.query_type,
            code: event.code,
            attempts: event.attempts,
        }),
        Event::SystemCallRefused(event) => Row::SystemCallRefused(SystemCallRow {
            who,
            verdict,
            system_call: event.system_call,
            code: event.code,
            attempts: event.attempts,
        }),
        Event::ProgramExecuted(event) => Row::ProgramExecuted(ProgramRow::new(who, event)),
        Event::ProgramRefused(event) => Row::ProgramRefused(ProgramRefusedRow::new(who, event)),
        Event::SystemCallObserved(event) => Row::SystemCallObserved(ObservedCallRow::new(who, event)),
        Event::LimitReached(event) => Row::LimitReached(LimitRow::new(who, event)),
        Event::PolicyChanged(event) => Row::PolicyChanged(PolicyRow::new(who, event)),
        Event::FileChanged(event) => Row::FileChanged(FileChangedRow::new(who, &event)),
        Event::WorkspaceRestored(event) => Row::WorkspaceRestored(WorkspaceRow::new(who, event)),
        Event::WorkspaceCommitted(event) => Row::WorkspaceCommitted(WorkspaceRow::new(who, event)),
        Event::WorkspaceDiscarded(event) => Row::WorkspaceDiscarded(WorkspaceRow::new(who, event)),
        Event::WallsProbed(event) => Row::WallsProbed(ProbesRow::new(who, event)),
        Event::SessionStarted(_)
        | Event::SessionEnded(_)
        | Event::CallAuthorised(_)
        | Event::CallCompleted(_)
        | Event::CallRefused(_)
        | Event::FileOpened(_)
        | Event::WorkspaceSnapshotted(_)
        | Event::LogRecovered(_) => return None,
    })
}
