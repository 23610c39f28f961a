use super::{
    report::{CallTotals, FileCounts, ReachedLimit, ReadFile, RefusedCount, Route, SessionReport},
    row::Ending,
    tally::{Announced, FileTally, Kinds, Open, Refusals, Refused, Routes, UNKNOWN_LISTED_MAX},
};
use schema::{
    Event, KeyedDigest, Record, SessionId, Timestamp, Token,
    event::{
        CallAuthorised, CallCompleted, LimitReached, PathClass, ProbeOccasion, ProgramExecuted, ProgramRefused, SessionEnded,
        SessionStarted, WallsProbed,
    },
};

/// Most bounds, and most changes of the policy's file, that a report names.
const LIMITS_MAX: usize = 32;
/// Most failed probes that a report names.
const FAILED_MAX: usize = 256;

/// Reports on a session from the records of its log. `names` gives the name behind a file id, if the caller knows it; `undetected` are
/// kinds of data that no detector finds yet. `None` if no record is about the session.
///
/// # Errors
/// The source's first error.
pub fn report<E>(
    records: impl IntoIterator<Item = Result<Record, E>>,
    session: &SessionId,
    names: &dyn Fn(&KeyedDigest) -> Option<String>,
    undetected: &[&str],
) -> Result<Option<SessionReport>, E> {
    let mut reporter = SessionReporter::new(session.clone());
    for record in records {
        reporter.take(&record?);
    }
    Ok(reporter.finish(names, undetected))
}

/// Gathers a [`SessionReport`], record by record, in bounded memory.
pub struct SessionReporter {
    session: SessionId,
    is_found: bool,
    report: SessionReport,
    files: FileTally,
    redacted: Kinds,
    routes: Routes,
    refusals: Refusals,
    open: Open,
}

impl std::fmt::Debug for SessionReporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionReporter({})", self.session)
    }
}

impl SessionReporter {
    /// A report on `session`.
    pub fn new(session: SessionId) -> Self {
        Self {
            session,
            is_found: false,
            report: SessionReport::default(),
            files: FileTally::default(),
            redacted: Kinds::default(),
            routes: Routes::default(),
            refusals: Refusals::default(),
            open: Open::default(),
        }
    }

    /// Takes the next record; those of other sessions are ignored.
    pub fn take(&mut self, record: &Record) {
        if let Event::LogRecovered(_) = record.event {
            self.report.log_recoveries += u64::from(self.is_found && self.report.ended.is_none());
        }
        if record.event.session_id() != Some(&self.session) {
            return;
        }
        self.is_found = true;
        match &record.event {
            Event::SessionStarted(event) => self.started(record.time, event),
            Event::SessionEnded(event) => self.ended(record.time, event),
            Event::CallAuthorised(event) => self.authorised(event),
            Event::CallCompleted(event) => self.completed(event),
            Event::CallRefused(event) => {
                self.report.calls.refused += 1;
                let rules: Vec<_> = event.rules.iter().map(Token::as_str).collect();
                self.refusals.add(event.code, Refused::Named(rules.join(" ")), 1);
            }
            Event::FileOpened(event) => self.files.add(event),
            Event::FileRefused(event) => {
                let (id, path_class, errno) = (event.file_id.clone(), event.path_class, event.errno.clone());
                self.refusals.add(event.code, Refused::File { id, path_class, errno }, event.attempts);
            }
            Event::ConnectionRefused(event) => {
                let target = format!("{} {}:{}", event.protocol, event.host, event.port);
                self.refusals.add(event.code, Refused::Named(target), event.attempts);
            }
            Event::NameRefused(event) => {
                self.refusals.add(event.code, Refused::Named(event.name.as_str().to_owned()), event.attempts);
            }
            Event::SystemCallRefused(event) => {
                self.refusals.add(event.code, Refused::Named(event.system_call.as_str().to_owned()), event.attempts);
            }
            Event::ProgramExecuted(event) => self.executed(event),
            Event::ProgramRefused(event) => self.program_refused(event),
            // Told by the joined view.
            Event::SystemCallObserved(_)
            | Event::FileChanged(_)
            | Event::LogRecovered(_)
            | Event::WorkspaceSnapshotted(_)
            | Event::WorkspaceRestored(_)
            | Event::WorkspaceCommitted(_)
            | Event::WorkspaceDiscarded(_) => {}
            Event::LimitReached(event) => self.limit(event),
            Event::WallsProbed(event) => self.probed(event),
            Event::PolicyChanged(event) => {
                let room = self.report.policy_changes.len() < LIMITS_MAX;
                self.report.policy_changes.extend(room.then(|| event.change.clone()));
            }
        }
    }

    /// The report; `None` if no record was about the session. See [`report`].
    pub fn finish(self, names: &dyn Fn(&KeyedDigest) -> Option<String>, undetected: &[&str]) -> Option<SessionReport> {
        let Self { session, is_found, mut report, files, redacted, mut routes, refusals, open } = self;
        for (request, call) in open.into_ordered() {
            unknown(&mut report.calls, &mut routes, &call);
            if report.unknown.len() < UNKNOWN_LISTED_MAX {
                report.unknown.push(request);
            }
        }
        report.files = files.by_class.into_iter().map(|(class, (read, written))| (class, FileCounts { read, written })).collect();
        report.files_read_omitted = files.omitted;
        report.files_read = files
            .named
            .iter()
            .map(|(path_class, id)| ReadFile { path_class: *path_class, file_id: id.to_string(), name: names(id) })
            .collect();
        report.redacted = redacted.0;
        report.routes_calls_omitted = routes.calls_omitted;
        report.routes = routes
            .listed
            .into_iter()
            .map(|route| Route { upstream: route.upstream, calls: route.calls, bytes: route.bytes, classes: route.classes })
            .collect();
        report.refused_by_code = refusals.by_code;
        report.refused = refusals
            .by_target
            .into_iter()
            .map(|((code, target), attempts)| RefusedCount { code, target: target_text(target, names), attempts })
            .collect();
        report.undetected = undetected.iter().map(|&kind| kind.to_owned()).collect();
        report.session_id = Some(session);
        is_found.then_some(report)
    }

    fn started(&mut self, time: Timestamp, event: &SessionStarted) {
        let report = &mut self.report;
        report.subject = Some(event.subject.clone());
        report.profile = Some(event.profile.clone());
        report.policy_digest = Some(event.policy_digest.clone());
        report.runtime_digest.clone_from(&event.runtime_digest);
        report.started = Some(time);
        report.file_observation = Some(event.file_observation.clone());
        report.limits_by = Some(event.limits_by.clone());
        for (wall, found) in &event.walls {
            match found.as_str() {
                "held" => report.walls.held.push(wall.clone()),
                "unused" => report.walls.unused.push(wall.clone()),
                _ => drop(report.walls.missing.insert(wall.clone(), found.clone())),
            }
        }
    }

    fn executed(&mut self, event: &ProgramExecuted) {
        let counts = &mut self.report.programs;
        counts.executed += 1;
        counts.unconfirmed += u64::from(!event.confirmed);
        let is_writable = |class| matches!(class, PathClass::Workspace | PathClass::Private);
        counts.from_writable += u64::from(is_writable(event.path_class) || event.script_class.is_some_and(is_writable));
    }

    fn program_refused(&mut self, event: &ProgramRefused) {
        self.report.programs.refused += 1;
        if self.report.subject.is_none() {
            self.report.subject.clone_from(&event.subject);
        }
        let (id, path_class, errno) = (event.program_id.clone(), event.path_class, event.reason.clone());
        self.refusals.add(event.code, Refused::File { id, path_class, errno }, 1);
    }

    fn ended(&mut self, time: Timestamp, event: &SessionEnded) {
        self.report.ended = Some(time);
        self.report.exit_code = Some(event.exit_code);
        self.report.cause = Some(event.cause.clone());
    }

    fn probed(&mut self, event: &WallsProbed) {
        let counts = &mut self.report.probes;
        match event.occasion {
            ProbeOccasion::Start => (counts.made, counts.refused) = (event.probes, event.refused),
            ProbeOccasion::Periodic => counts.rounds += 1,
        }
        let room = FAILED_MAX.saturating_sub(counts.failed.len());
        counts.failed.extend(event.failed.iter().take(room).cloned());
    }

    fn limit(&mut self, event: &LimitReached) {
        let known = self.report.limits_reached.len();
        if known < LIMITS_MAX || self.report.limits_reached.contains_key(&event.limit) {
            self.report.limits_reached.insert(event.limit.clone(), ReachedLimit { bound: event.bound, outcome: event.action });
        }
    }

    fn authorised(&mut self, event: &CallAuthorised) {
        let report = &mut self.report;
        report.subject.get_or_insert_with(|| event.subject.clone());
        report.calls.authorised += 1;
        report.classes_before = report.classes_before.union(event.classes_before);
        report.classes_after = report.classes_after.union(event.classes_after);
        self.redacted.add(&event.redactions);
        let call = Announced { upstream: event.upstream.clone(), bytes: event.sent_bytes, classes: event.classes_after };
        if let Some(call) = self.open.add(event.request_id.clone(), call) {
            unknown(&mut report.calls, &mut self.routes, &call);
        }
    }

    fn completed(&mut self, event: &CallCompleted) {
        // One without its authorisation is no call of this session; the verifier refuses the log.
        let Some(call) = self.open.remove(&event.request_id) else { return };
        let (calls, ending) = (&mut self.report.calls, Ending::from(event.outcome));
        *calls.by_ending.entry(ending).or_default() += 1;
        calls.answer_bytes = calls.answer_bytes.saturating_add(event.answer_bytes);
        calls.tokens_in = calls.tokens_in.saturating_add(event.tokens_in.unwrap_or(0));
        calls.tokens_out = calls.tokens_out.saturating_add(event.tokens_out.unwrap_or(0));
        calls.values_restored = calls.values_restored.saturating_add(event.values_restored);
        if ending != Ending::NotSent {
            sent(calls, &mut self.routes, &call);
        }
    }
}

fn unknown(calls: &mut CallTotals, routes: &mut Routes, call: &Announced) {
    *calls.by_ending.entry(Ending::Unknown).or_default() += 1;
    sent(calls, routes, call);
}

fn sent(calls: &mut CallTotals, routes: &mut Routes, call: &Announced) {
    calls.sent_bytes = calls.sent_bytes.saturating_add(call.bytes);
    routes.add(&call.upstream, call.bytes, call.classes);
}

fn target_text(target: Refused, names: &dyn Fn(&KeyedDigest) -> Option<String>) -> String {
    match target {
        Refused::Named(text) => text,
        Refused::File { id, path_class, errno } => {
            let place = super::class_name(path_class);
            names(&id).map_or_else(|| format!("{place} file ({errno})"), |name| format!("{name} ({errno})"))
        }
    }
}
