//! What confirmed entries say together.

use crate::{
    forge::{Forge, key},
    sample,
};
use audit::{Reason, Standing, Verification, render, verify};
use schema::Event;

fn check(events: &[Event]) -> Verification {
    verify(&Forge::new().events(events).path(), Some(key())).unwrap()
}

/// A session that was refused before it started.
fn turned_away() -> Event {
    let Event::ProgramRefused(mut refused) = sample::program_refused() else { unreachable!() };
    refused.subject = Some(sample::subject());
    Event::ProgramRefused(refused)
}

#[test]
fn a_session_that_was_refused_before_it_started_lacks_no_end() {
    let meaning = check(&[turned_away()]).meaning;
    assert_eq!((meaning.sessions, meaning.sessions_refused, meaning.sessions_without_end.total), (0, 1, 0));
}

#[test]
fn entries_that_contradict_each_other_are_refused_and_the_entry_is_named() {
    let (started, ended) = (sample::started, sample::ended);
    let (authorised, completed) = (sample::authorised, sample::completed);
    let cases = [
        (vec![started(), completed(1)], Reason::NotAuthorised),
        (vec![started(), authorised(1), completed(1), completed(1)], Reason::NotAuthorised),
        (vec![started(), authorised(1), authorised(1)], Reason::RequestAgain),
        (vec![started(), authorised(1), completed(1), authorised(1)], Reason::RequestAgain),
        (vec![started(), sample::refused(1), sample::refused(1)], Reason::RequestAgain),
        (vec![started(), authorised(1), sample::refused(1)], Reason::RequestAgain),
        (vec![started(), started()], Reason::StartedAgain),
        (vec![started(), ended(), ended()], Reason::EndedAgain),
        (vec![sample::recovered(), sample::connection_refused()], Reason::BeforeStart),
        (vec![authorised(1)], Reason::BeforeStart),
        (vec![ended()], Reason::BeforeStart),
        (vec![sample::program_refused()], Reason::BeforeStart),
        (vec![sample::program_executed()], Reason::BeforeStart),
        (vec![sample::system_call_observed()], Reason::BeforeStart),
        (vec![sample::walls_probed(schema::event::ProbeOccasion::Start, &[])], Reason::BeforeStart),
        (vec![sample::limit_reached()], Reason::BeforeStart),
        (vec![sample::policy_changed()], Reason::BeforeStart),
        (vec![sample::file_changed()], Reason::BeforeStart),
        (vec![turned_away(), started()], Reason::StartedAgain),
        (vec![started(), turned_away()], Reason::StartedAgain),
        (vec![turned_away(), ended()], Reason::EndedAgain),
    ];
    for (events, expected) in cases {
        let verification = check(&events);
        let bad = verification.first_bad.as_ref().unwrap();
        let last = events.len() as u64 - 1;
        let (line, offset) = (2 + 2 * last, bad.offset.unwrap());
        assert_eq!((bad.index, bad.entries, bad.line, &bad.reason, bad.could_be_torn), (last, 1, Some(line), &expected, false));
        assert_eq!(verification.proven.as_ref().map_or(0, |proven| proven.entries), last);
        assert!(render(&verification).contains(&format!("First thing bad: entry {last}, in log.jsonl, line {line}, byte {offset}")));
    }
}

#[test]
fn a_completion_in_another_session_is_refused() {
    let (mut other_start, mut other_done) = (sample::started(), sample::completed(1));
    let other = schema::SessionId::from_random([6; 16]);
    if let Event::SessionStarted(event) = &mut other_start {
        event.subject.session_id = other.clone();
    }
    if let Event::CallCompleted(event) = &mut other_done {
        event.session_id = other;
    }
    let verification = check(&[sample::started(), other_start, sample::authorised(1), other_done]);
    assert_eq!(verification.first_bad.unwrap().reason, Reason::NotAuthorised);
}

#[test]
fn a_call_without_an_outcome_is_unknown_and_never_called_unsent() {
    let verification = check(&[sample::started(), sample::authorised(1), sample::authorised(2), sample::completed(2), sample::ended()]);
    assert_eq!(verification.standing, Standing::Verified);
    let unknown = &verification.meaning.calls_unknown;
    assert_eq!((unknown.total, unknown.first[0].index), (1, 1));
    let text = render(&verification);
    assert!(text.contains("without an outcome: whether it was sent is UNKNOWN"), "{text}");
    assert!(!text.to_lowercase().contains("not sent"));
}

#[test]
fn what_is_odd_but_possible_is_told() {
    let mut forge = Forge::new();
    forge.events(&[sample::started()]);
    forge.unix_ms -= 5000;
    forge.events(&[sample::recovered(), sample::ended(), sample::authorised(1)]);
    let meaning = verify(&forge.path(), Some(key())).unwrap().meaning;
    assert_eq!(meaning.times_backwards.first, [1]);
    assert_eq!(meaning.recoveries.first, [512]);
    assert_eq!((meaning.events_after_end, meaning.sessions_without_end.total), (1, 0));
    let open = check(&[sample::started()]);
    assert_eq!(open.meaning.sessions_without_end.first, [sample::session()]);
    assert!(render(&open).contains("the user could have altered it before it was signed"));
}

#[test]
fn a_rollback_after_the_end_is_nothing_odd_and_one_of_no_session_is_refused() {
    let kept = check(&[
        sample::started(),
        sample::workspace_snapshotted(),
        sample::ended(),
        sample::workspace_restored(),
        sample::workspace_committed(),
        sample::workspace_discarded(),
    ]);
    assert_eq!((kept.standing, kept.meaning.events_after_end), (Standing::Verified, 0));
    let verification = check(&[sample::workspace_restored()]);
    assert_eq!(verification.first_bad.unwrap().reason, Reason::BeforeStart);
}
