//! Long logs: tiles, and a live file that stays small.

use crate::sample;
use evidence::Log;
use schema::Event;
use std::{fs, path::Path};

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
    fill(&mut log, 60_000);
    drop(log);
    check(place.path(), 60_000);
    assert!(first(place.path()) > 0 && first(place.path()).is_multiple_of(256));
    let live = fs::metadata(place.path().join("log/log.jsonl")).unwrap().len();
    assert!(live < 16 * 1024 * 1024, "{live}");
    assert!(place.path().join("log/checkpoint").exists());
}

#[test]
fn a_rotated_log_goes_on_after_reopening() {
    let place = tempfile::tempdir().unwrap();
    fill(&mut sample::log(place.path()), 45_000);
    fill(&mut sample::log(place.path()), 45_001);
    fill(&mut sample::log(place.path()), 90_000);
    check(place.path(), 90_000);
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
fn an_entry_altered_in_a_bundle_is_found_by_a_checked_reading() {
    let place = tempfile::tempdir().unwrap();
    let mut log = sample::log(place.path());
    fill(&mut log, 60_000);
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
