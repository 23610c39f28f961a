//! Opening a log after a crash, a fault or a forger.

use crate::sample;
use evidence::{Error, LOG_FILE, Log};
use schema::Event;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn reopen(place: &Path) -> Result<Log, Error> {
    Log::open(&place.join("log"), sample::keys(place), sample::clock())
}

fn events(place: &Path) -> Vec<Event> {
    evidence::read(&place.join("log")).unwrap().map(|record| record.unwrap().event).collect()
}

/// A log of three batches; returns its file, and the file's length after the second.
fn three_batches(place: &Path) -> (PathBuf, usize) {
    let mut log = sample::log(place);
    log.append(&[sample::started(), sample::authorised(1)]).unwrap();
    log.append(&[sample::completed(1)]).unwrap();
    let path = log.path().to_path_buf();
    let bytes = fs::read(&path).unwrap();
    let length = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    log.append(&[sample::authorised(2), sample::ended()]).unwrap();
    (path, length)
}

#[test]
fn a_torn_write_is_cut_off_wherever_it_was_torn_and_put_on_record() {
    let place = tempfile::tempdir().unwrap();
    let (path, confirmed) = three_batches(place.path());
    let whole = fs::read(&path).unwrap();
    for end in confirmed..whole.len() {
        // As after a crash: some of the batch, then the room that was made for it.
        let torn = [&whole[..end], &vec![0; 4096]].concat();
        fs::write(&path, torn).unwrap();
        reopen(place.path()).unwrap_or_else(|error| panic!("torn at {end}: {error}"));
        let found = events(place.path());
        assert_eq!(found[..3], [sample::started(), sample::authorised(1), sample::completed(1)]);
        let dropped = (end - confirmed) as u64;
        match found.get(3) {
            None => assert_eq!(dropped, 0),
            Some(Event::LogRecovered(event)) => assert_eq!(event.bytes_dropped, dropped),
            other => panic!("torn at {end}: {other:?}"),
        }
        if dropped > 0 {
            assert_eq!(fs::read(place.path().join("log/cut-3")).unwrap(), whole[confirmed..end]);
            fs::remove_file(place.path().join("log/cut-3")).unwrap();
        }
    }
}

#[test]
fn a_batch_whose_first_page_did_not_reach_the_disk_is_cut_off() {
    let place = tempfile::tempdir().unwrap();
    let (path, confirmed) = three_batches(place.path());
    let mut torn = fs::read(&path).unwrap();
    torn[confirmed..confirmed + 100].fill(0);
    fs::write(&path, &torn).unwrap();
    reopen(place.path()).unwrap();
    let found = events(place.path());
    assert_eq!(found.len(), 4);
    assert!(matches!(found[3], Event::LogRecovered(_)));
}

#[test]
fn a_log_that_was_altered_before_its_last_batch_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let (path, confirmed) = three_batches(place.path());
    let whole = fs::read(&path).unwrap();
    for at in 0..confirmed {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&path, &altered).unwrap();
        let refused = reopen(place.path());
        assert!(matches!(refused, Err(Error::Damaged { .. })), "byte {at}: {refused:?}");
        assert_eq!(fs::read(&path).unwrap(), altered);
    }
}

#[test]
fn a_key_beside_the_log_that_is_not_ours_is_refused() {
    let place = tempfile::tempdir().unwrap();
    three_batches(place.path());
    fs::write(place.path().join("log/log.vkey"), "bailiwick/log/x+00000000+AAAA").unwrap();
    assert!(matches!(reopen(place.path()), Err(Error::KeyChanged { .. })));
    fs::remove_file(place.path().join("log/log.vkey")).unwrap();
    assert!(matches!(reopen(place.path()), Err(Error::Io { .. })));
}

#[test]
fn a_log_without_its_live_file_is_refused_if_it_had_tiles() {
    let place = tempfile::tempdir().unwrap();
    let mut log = sample::log(place.path());
    log.append(&vec![sample::ended(); 300]).unwrap();
    drop(log);
    fs::remove_file(place.path().join("log").join(LOG_FILE)).unwrap();
    assert!(matches!(reopen(place.path()), Err(Error::LiveFileMissing { .. })));
}
