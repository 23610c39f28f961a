//! What a crash, or a hand, leaves of a log, and what the next writer makes of it.

use crate::sample;
use evidence::{Error, Log};
use schema::{Event, Trust, event::LogRecovered};
use std::path::{Path, PathBuf};

/// Two batches. The second is what a crash tears.
struct Crashed {
    place: tempfile::TempDir,
    whole: Vec<u8>,
    /// Bytes up to the first batch's checkpoint.
    confirmed_bytes: usize,
}

impl Crashed {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut log = sample::log(place.path());
        log.append(&[sample::started(), sample::authorised(1)]).unwrap();
        let confirmed_bytes = written(log.path()).len();
        log.append(&[sample::completed(1), sample::authorised(2), sample::ended()]).unwrap();
        let whole = written(log.path());
        Self { place, whole, confirmed_bytes }
    }

    fn folder(&self) -> PathBuf {
        self.place.path().join("log")
    }

    fn put(&self, bytes: &[u8]) {
        let _absent = std::fs::remove_file(self.cut());
        std::fs::write(self.folder().join(evidence::LOG_FILE), bytes).unwrap();
    }

    /// Where a tail behind the first batch goes.
    fn cut(&self) -> PathBuf {
        self.folder().join("cut-2")
    }

    fn open(&self) -> Result<Log, Error> {
        Log::open(&self.folder(), sample::keys(self.place.path()), sample::clock())
    }
}

/// What a live file holds, without the room at its end.
fn written(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes[..length].to_vec()
}

fn events(path: &Path) -> Vec<Event> {
    evidence::read(path).unwrap().map(|record| record.unwrap().event).collect()
}

fn recovered(bytes_dropped: usize) -> Event {
    Event::LogRecovered(LogRecovered { bytes_dropped: bytes_dropped as u64, trust: Trust::SelfKept })
}

#[test]
fn a_batch_torn_anywhere_is_set_aside_told_and_the_log_goes_on() {
    let crashed = Crashed::new();
    let (torn, whole) = (crashed.confirmed_bytes + 1, crashed.whole.len());
    for length in (torn..whole).step_by(97).chain([whole - 2, whole - 1]) {
        crashed.put(&crashed.whole[..length]);
        let mut log = crashed.open().unwrap_or_else(|error| panic!("torn at {length}: {error}"));
        assert_eq!(log.append(&[sample::ended()]).unwrap().value(), 3, "torn at {length}");
        let dropped = length - crashed.confirmed_bytes;
        let expected = [sample::started(), sample::authorised(1), recovered(dropped), sample::ended()];
        assert_eq!(events(&crashed.folder()), expected, "torn at {length}");
        assert_eq!(std::fs::read(crashed.cut()).unwrap(), crashed.whole[crashed.confirmed_bytes..length], "torn at {length}");
    }
}

#[test]
fn a_recovery_that_was_cut_short_is_told_by_the_next() {
    let crashed = Crashed::new();
    let (confirmed, torn) = crashed.whole.split_at(crashed.confirmed_bytes);
    let torn = &torn[..torn.len() / 2];
    // Killed after the tail was set aside: before it was cut off, before that was on record, and while it was put there.
    for left in [torn, b"", &b"{\"time\":1768"[..]] {
        crashed.put(&[confirmed, left].concat());
        std::fs::write(crashed.cut(), torn).unwrap();
        drop(crashed.open().unwrap());
        assert_eq!(events(&crashed.folder()).last(), Some(&recovered(torn.len())), "{} bytes left", left.len());
        assert_eq!(std::fs::read(crashed.cut()).unwrap(), torn);
        // Once is enough.
        drop(crashed.open().unwrap());
        assert_eq!(events(&crashed.folder()).len(), 3);
    }
}

#[test]
fn a_changed_byte_is_never_taken_for_what_was_written() {
    let crashed = Crashed::new();
    let before = events(&crashed.folder());
    for place in (0..crashed.whole.len()).step_by(41) {
        let mut changed = crashed.whole.clone();
        changed[place] ^= 1;
        crashed.put(&changed);
        match crashed.open() {
            // The head, the entries, and a checkpoint for each batch.
            Err(Error::Damaged { line, .. }) => assert!(line <= before.len() as u64 + 3, "byte {place}"),
            other => panic!("byte {place}: {other:?}"),
        }
    }
}

#[test]
fn a_line_that_was_taken_out_or_moved_damages_the_log_and_leaves_it_as_it_is() {
    let crashed = Crashed::new();
    let lines: Vec<&[u8]> = crashed.whole.split_inclusive(|byte| *byte == b'\n').collect();
    // The head, two entries and their checkpoint, then three and theirs.
    for order in [
        &[1, 2, 3, 4, 5, 6, 7][..],
        &[0, 2, 3, 4, 5, 6, 7],
        &[0, 1, 3, 4, 5, 6, 7],
        &[0, 2, 1, 3, 4, 5, 6, 7],
        &[0, 1, 2, 3, 1, 2, 3, 4, 5, 6, 7],
    ] {
        let changed = order.iter().flat_map(|line| lines[*line]).copied().collect::<Vec<u8>>();
        crashed.put(&changed);
        assert!(matches!(crashed.open(), Err(Error::Damaged { .. })), "{order:?}");
        assert_eq!(std::fs::read(crashed.folder().join(evidence::LOG_FILE)).unwrap(), changed, "{order:?}");
    }
}

#[test]
fn a_log_that_others_could_read_is_not_written() {
    let place = tempfile::tempdir().unwrap();
    let path = sample::log(place.path()).path().to_owned();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let again = Log::open(&place.path().join("log"), sample::keys(place.path()), sample::clock());
    assert!(matches!(again, Err(Error::KeyExposed { .. })), "{again:?}");
    // Nor one that a link leads to.
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::rename(&path, place.path().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(place.path().join("elsewhere"), &path).unwrap();
    let again = Log::open(&place.path().join("log"), sample::keys(place.path()), sample::clock());
    assert!(matches!(again, Err(Error::Io { .. })), "{again:?}");
}
