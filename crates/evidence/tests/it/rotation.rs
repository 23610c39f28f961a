//! Long logs: tiles, and a live file that stays small.

use crate::sample;
use evidence::{Log, Selection};
use schema::{Event, Record, SessionId, event::SessionEnded};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

const BATCH: usize = 4096;

/// Events of one length.
fn numbered(number: u64) -> Event {
    let Event::CallCompleted(mut event) = sample::completed(1) else { unreachable!() };
    event.answer_bytes = 1_000_000 + number;
    Event::CallCompleted(event)
}

/// Appends events numbered from the log's end up to `count`.
fn fill(log: &mut Log, count: u64) {
    while log.next_index() < count {
        let end = count.min(log.next_index() + BATCH as u64);
        let batch: Vec<Event> = (log.next_index()..end).map(numbered).collect();
        log.append(&batch).unwrap();
        log.tidy().unwrap();
    }
}

/// Tidies a log, long enough for it, until what is in tiles was taken out of its live file.
fn until_rotated(log: &mut Log) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while first(log.path().parent().unwrap().parent().unwrap()) == 0 {
        assert!(Instant::now() < deadline, "the log was not rotated");
        log.tidy().unwrap();
        std::thread::yield_now();
    }
}

fn check(place: &Path, count: u64) {
    let mut expected = 0;
    for record in evidence::read(&place.join("log")).unwrap() {
        let record = record.unwrap();
        assert_eq!(record.index, expected);
        assert_eq!(record.event, numbered(expected));
        expected += 1;
    }
    assert_eq!(expected, count);
}

fn first(place: &Path) -> u64 {
    let text = fs::read_to_string(place.join("log/log.jsonl")).unwrap();
    let head: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    head["first"].as_u64().unwrap()
}

#[test]
fn the_live_file_is_rotated_and_nothing_is_lost() {
    let place = tempfile::tempdir().unwrap();
    let mut log = sample::log(place.path());
    fill(&mut log, 45_000);
    until_rotated(&mut log);
    drop(log);
    check(place.path(), 45_000);
    assert!(first(place.path()) > 0 && first(place.path()).is_multiple_of(256));
    let live = fs::metadata(place.path().join("log/log.jsonl")).unwrap().len();
    assert!(live < 16 * 1024 * 1024, "{live}");
    assert!(place.path().join("log/checkpoint").exists());
}

#[test]
fn a_rotated_log_goes_on_after_reopening() {
    let place = tempfile::tempdir().unwrap();
    fill(&mut sample::log(place.path()), 40_000);
    fill(&mut sample::log(place.path()), 40_001);
    fill(&mut sample::log(place.path()), 60_000);
    check(place.path(), 60_000);
}

#[test]
fn tiles_that_were_not_durable_are_derived_anew() {
    let place = tempfile::tempdir().unwrap();
    fill(&mut sample::log(place.path()), 1000);
    fs::remove_dir_all(place.path().join("log/tile")).unwrap();
    drop(sample::log(place.path()));
    check(place.path(), 1000);
    assert!(place.path().join("log/tile/entries/002.gz").exists() && !place.path().join("log/tile/entries/003.gz").exists());
}

#[test]
fn a_search_finds_what_reading_everything_finds() {
    let place = tempfile::tempdir().unwrap();
    let mut log = sample::log(place.path());
    let session = |number: u64| SessionId::from_random([u8::try_from(number / 700).unwrap(); 16]);
    while log.next_index() < 70_000 {
        let batch = (log.next_index()..log.next_index() + 1000).map(|number| {
            let Event::SessionEnded(event) = sample::ended() else { unreachable!() };
            Event::SessionEnded(SessionEnded { session_id: session(number), ..event })
        });
        log.append(&batch.collect::<Vec<_>>()).unwrap();
        log.tidy().unwrap();
    }
    until_rotated(&mut log);
    drop(log);
    let read = || evidence::read(&place.path().join("log")).unwrap();
    let all: Vec<Record> = read().map(Result::unwrap).collect();
    assert!(first(place.path()) > 0);
    let search = |selection: Selection| read().selected(selection).map(|record| record.unwrap().index).collect::<Vec<_>>();
    let only = |keep: &dyn Fn(&Record) -> bool| all.iter().filter(|record| keep(record)).map(|record| record.index).collect::<Vec<_>>();
    for number in [0, 1, 350, 36_000, 65_535, 65_536, 69_999] {
        let wanted = session(number);
        let found = search(Selection { session: Some(wanted.clone()), ..Selection::default() });
        assert_eq!(found, only(&|record| record.event.session_id() == Some(&wanted)), "{number}");
    }
    assert!(search(Selection { session: Some(SessionId::from_random([255; 16])), ..Selection::default() }).is_empty());
    let (from, to) = (all[500].time, all[66_000].time);
    let found = search(Selection { from: Some(from), to: Some(to), ..Selection::default() });
    assert_eq!(found, only(&|record| record.time >= from && record.time < to));
}

#[test]
fn an_entry_altered_in_a_bundle_is_found_by_a_checked_reading() {
    let place = tempfile::tempdir().unwrap();
    let mut log = sample::log(place.path());
    fill(&mut log, 45_000);
    until_rotated(&mut log);
    drop(log);
    let checked = || evidence::read(&place.path().join("log")).unwrap().checked(sample::keys(place.path())).find_map(Result::err);
    assert!(checked().is_none());
    // Entry 300 becomes a copy of entry 301: well-formed, but another one.
    let path = place.path().join("log/tile/entries/001.gz");
    let output = std::process::Command::new("gzip").args(["-dc"]).arg(&path).output().unwrap();
    let length = usize::from(u16::from_be_bytes([output.stdout[0], output.stdout[1]])) + 2;
    let mut bytes = output.stdout.clone();
    let (one, other) = (44 * length, 45 * length);
    bytes.copy_within(other..other + length, one);
    std::fs::write(path.with_extension(""), &bytes).unwrap();
    assert!(std::process::Command::new("gzip").arg("-f").arg(path.with_extension("")).status().unwrap().success());
    assert!(matches!(checked(), Some(evidence::Error::Damaged { .. })));
}
