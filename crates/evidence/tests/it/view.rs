//! Records joined into rows, and a session in brief, from a synthetic session with an event of every type.

use crate::sample;
use evidence::{
    text::{Style, render},
    view::{self, CALLS_PENDING_MAX, Ending, FILE_READS_MAX, Filter, Row, SESSIONS_MAX},
};
use schema::{
    Event, KeyedDigest, Record, SessionId, Timestamp,
    event::{PathClass, ProbeOccasion},
};

fn records(events: Vec<Event>) -> impl Iterator<Item = Result<Record, &'static str>> {
    (0..).zip(events).map(move |(index, event)| {
        let time = Timestamp { unix_ms: 1_768_651_200_000 + index * 1000 };
        Ok(Record { index, time, event })
    })
}

fn rows(events: Vec<Event>, filter: Filter) -> Vec<Row> {
    view::join(records(events), filter).map(Result::unwrap).collect()
}

fn calls(rows: &[Row]) -> Vec<&view::CallRow> {
    rows.iter().filter_map(|row| if let Row::Call(call) = row { Some(&**call) } else { None }).collect()
}

fn in_session(mut event: Event, number: u16) -> Event {
    let mut random = [9; 16];
    random[..2].copy_from_slice(&number.to_le_bytes());
    if let Event::CallAuthorised(call) = &mut event {
        call.subject.session_id = SessionId::from_random(random);
        call.request_id = schema::RequestId::from_random(random);
    }
    event
}

#[test]
fn a_call_without_outcome_is_unknown_and_every_other_act_has_its_row() {
    let mut events = sample::every_event();
    let own = [
        sample::program_executed(),
        sample::program_refused(),
        sample::system_call_observed(),
        sample::limit_reached(),
        sample::policy_changed(),
        sample::file_changed(),
        sample::workspace_snapshotted(),
        sample::workspace_restored(),
        sample::workspace_committed(),
        sample::workspace_discarded(),
    ];
    events.splice(events.len() - 3..events.len() - 3, own);
    let rows = rows(events, Filter::default());
    let shown: Vec<_> = rows.iter().map(|row| serde_json::to_value(row).unwrap()).collect();
    let actions: Vec<_> = shown.iter().map(|row| row["action"].as_str().unwrap()).collect();
    let expected = [
        "llm_call",
        "llm_call_refused",
        "file_refused",
        "connection_refused",
        "name_refused",
        "system_call_refused",
        "program_executed",
        "program_refused",
        "system_call_observed",
        "limit_reached",
        "policy_changed",
        "file_changed",
        "workspace_restored",
        "workspace_committed",
        "workspace_discarded",
        "llm_call",
    ];
    assert_eq!(actions, expected);
    assert_eq!((&shown[0]["outcome"], &shown.last().unwrap()["outcome"]), (&"answered".into(), &"unknown".into()));
    let refusals = shown.iter().filter(|row| row["action"].as_str().unwrap().ends_with("_refused"));
    assert!(refusals.map(|row| &row["verdict"]).all(|verdict| verdict == "refused"));
    for row in &shown {
        assert_eq!((&row["user_id"], &row["agent_id"]), (&"maria.rossi@bank.example".into(), &"sample-agent/1.0".into()), "{row}");
    }
}

#[test]
fn a_call_has_the_fields_of_the_playbook_and_ours() {
    let row = serde_json::to_string_pretty(&rows(sample::every_event(), Filter::default())[0]).unwrap();
    snapshot("call.json", &(row.clone() + "\n"));
    let reference = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/evidence.md");
    let reference = std::fs::read_to_string(reference).unwrap();
    let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&row).unwrap();
    for field in fields.keys() {
        assert!(reference.contains(&format!("`{field}`")), "{field} is missing in docs/reference/evidence.md");
    }
}

#[test]
fn files_count_for_the_next_call_only_and_a_crowd_of_system_files_hides_no_document() {
    let mut events = vec![sample::started(), sample::opened("before", PathClass::Documents), sample::authorised(1)];
    events.extend((0..2 * FILE_READS_MAX).map(|number| sample::opened(&format!("lib{number}"), PathClass::System)));
    events.extend([sample::opened("after", PathClass::Documents), sample::authorised(2), sample::authorised(3)]);
    let rows = rows(events, Filter::default());
    let calls = calls(&rows);
    assert_eq!(calls[0].file_reads, [sample::digest("before").to_string()]);
    assert_eq!(calls[1].file_reads[0], sample::digest("after").to_string());
    assert_eq!((calls[1].file_reads.len(), calls[1].file_reads_truncated), (FILE_READS_MAX, true));
    assert_eq!(calls[1].file_reads_omitted, FILE_READS_MAX as u64 + 1);
    assert!(calls[2].file_reads.is_empty() && !calls[2].file_reads_truncated);
}

#[test]
fn a_filter_hides_rows_but_not_what_they_rest_on() {
    let only = |filter| rows(sample::every_event(), filter);
    let request = Some(sample::request(1));
    let found = only(Filter { request: request.clone(), ..Filter::default() });
    assert_eq!((found.len(), calls(&found)[0].file_reads.len()), (1, 2));
    assert_eq!(only(Filter { since: Some(Timestamp { unix_ms: 1_768_651_211_000 }), ..Filter::default() }).len(), 1);
    assert_eq!(only(Filter { session: Some(sample::session()), ..Filter::default() }).len(), 7);
    let other = SessionId::from_random([6; 16]);
    assert!(only(Filter { session: Some(other), request, ..Filter::default() }).is_empty());
}

#[test]
fn an_error_of_the_source_comes_after_the_calls_that_wait() {
    let records = records(vec![sample::started(), sample::authorised(1)]).chain([Err("damaged")]);
    let joined: Vec<_> = view::join(records, Filter::default()).collect();
    assert!(matches!(joined.as_slice(), [Ok(Row::Call(call)), Err("damaged")] if call.end.outcome == Ending::Unknown));
}

#[test]
fn memory_is_bounded_and_no_call_vanishes() {
    let mut events: Vec<_> =
        (0..SESSIONS_MAX + 5).map(|number| in_session(sample::authorised(1), u16::try_from(number).unwrap())).collect();
    events.push(sample::completed(1));
    let crowded = rows(events, Filter::default());
    assert_eq!(calls(&crowded).len(), SESSIONS_MAX + 5);
    assert!(matches!(crowded[6], Row::CallOutcome(_)), "an outcome without its call is shown, too: {:?}", crowded[6]);
    let mut events = vec![sample::started()];
    for number in 0..=CALLS_PENDING_MAX {
        let Event::CallAuthorised(mut call) = sample::authorised(1) else { unreachable!() };
        call.request_id = schema::RequestId::parse(&format!("req-{number}")).unwrap();
        events.push(Event::CallAuthorised(call));
    }
    assert_eq!(calls(&rows(events, Filter::default())).len(), CALLS_PENDING_MAX + 1);
    let doubled = rows(vec![sample::started(), sample::authorised(1), sample::authorised(1), sample::completed(1)], Filter::default());
    assert_eq!(calls(&doubled).len(), 2);
}

fn names(id: &KeyedDigest) -> Option<String> {
    let known = ["client.txt", "private key"];
    known.into_iter().find(|name| sample::digest(name) == *id).map(|name| format!("/documents/{name}"))
}

#[test]
fn a_session_in_brief() {
    let mut events = sample::every_event();
    if let Event::SessionStarted(started) = &mut events[0] {
        started
            .walls
            .extend([(sample::token("cgroup"), sample::token("no-delegation")), (sample::token("door_redirect"), sample::token("unused"))]);
    }
    events.extend([sample::program_executed(), sample::program_refused(), sample::limit_reached(), sample::policy_changed()]);
    events.extend([sample::walls_probed(ProbeOccasion::Start, &[]), sample::walls_probed(ProbeOccasion::Periodic, &["mount_flags"])]);
    let report = |session: &SessionId| view::report(records(events.clone()), session, &names, &["names", "passport numbers"]).unwrap();
    assert_eq!(report(&SessionId::from_random([6; 16])), None);
    let report = report(&sample::session()).unwrap();
    snapshot("report.txt", &render(&report, Style::default()));
    snapshot("report.json", &(serde_json::to_string_pretty(&report).unwrap() + "\n"));
}

#[test]
fn a_call_that_was_never_sent_counts_as_no_byte() {
    let Event::CallCompleted(mut completed) = sample::completed(1) else { unreachable!() };
    completed.outcome = schema::event::Outcome::NotSent;
    let events = vec![sample::started(), sample::authorised(1), Event::CallCompleted(completed)];
    let report = view::report(records(events), &sample::session(), &|_| None, &[]).unwrap().unwrap();
    assert_eq!((report.calls.sent_bytes, report.routes.len()), (0, 0));
    let report =
        view::report(records(vec![sample::started(), sample::authorised(1)]), &sample::session(), &|_| None, &[]).unwrap().unwrap();
    assert_eq!((report.calls.sent_bytes, report.calls.by_ending[&Ending::Unknown], report.unknown.len()), (912, 1, 1));
}

/// Compares with the file of that name; writes it if `BAILIWICK_WRITE_SNAPSHOTS` is set.
fn snapshot(name: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if std::env::var_os("BAILIWICK_WRITE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(found == expected, "{name} differs; it is now:\n{found}");
}
