//! No change to a log may pass, and what is named must be where the change is.

use crate::{
    forge::{Files, Forge, bundle, gzip, key, lay, tile_path},
    forgeries::{opened, started},
};
use audit::{BadRecord, Reason, Standing, Verification, verify};
use flate2::read::GzDecoder;
use std::{io::Read, ops::Range, sync::LazyLock};

const ENTRIES: u64 = 10_000;
/// Of the log's first life: 4,864 of these entries are in tiles only.
const ROTATED_AT: u64 = 5000;
/// Entries in a batch.
const BATCH: u64 = 20;

/// A log of 10,000 entries: 19 tiles behind it, 20 derived of its live part, and 16 entries in the live part alone.
static LOG: LazyLock<Forge> = LazyLock::new(|| {
    let mut forge = Forge::new();
    forge.unconfirmed(&started());
    while forge.size() < ENTRIES {
        forge.unconfirmed(&opened());
        if forge.size() == ROTATED_AT {
            forge.confirm().rotate();
        } else if forge.size().is_multiple_of(BATCH) {
            forge.confirm();
        }
    }
    forge.derive();
    forge
});
static FILES: LazyLock<Files> = LazyLock::new(|| LOG.files());

struct Altered {
    place: tempfile::TempDir,
    files: Files,
}

impl Altered {
    fn new() -> Self {
        Self { place: tempfile::tempdir().unwrap(), files: FILES.clone() }
    }

    fn file(&mut self, name: &str) -> &mut Vec<u8> {
        self.files.get_mut(name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn flip(mut self, name: &str, at: usize) -> Self {
        self.file(name)[at] ^= 1;
        self
    }

    /// Changes the text `from` to `to` in a line of `log.jsonl`, counted from 1.
    fn replace(mut self, line: usize, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.files["log.jsonl"].clone()).unwrap();
        let mut lines: Vec<_> = text.split_inclusive('\n').map(str::to_owned).collect();
        assert!(lines[line - 1].contains(from), "{}", lines[line - 1]);
        lines[line - 1] = lines[line - 1].replacen(from, to, 1);
        self.files.insert("log.jsonl".to_owned(), lines.concat().into_bytes());
        self
    }

    fn check(&self) -> Verification {
        lay(self.place.path(), &self.files);
        verify(self.place.path(), Some(key())).unwrap()
    }

    fn bad(&self) -> BadRecord {
        let found = self.check();
        assert_eq!(found.standing, Standing::Broken);
        found.first_bad.unwrap()
    }

    /// The change must be found with this reason, and these entries named.
    fn must_name(&self, entries: Range<u64>, reason: &Reason) {
        let bad = self.bad();
        assert_eq!((bad.index..bad.index + bad.entries, &bad.reason), (entries, reason), "{bad:?}");
    }
}

fn tile(level: u32, number: u64) -> String {
    format!("tile/{level}/{}", tile_path(number))
}

fn bundle_file(number: u64) -> String {
    format!("tile/entries/{}.gz", tile_path(number))
}

/// The line of an entry of the live part.
fn line_of(index: u64) -> usize {
    let first = LOG.first;
    let rotated = u64::from(index >= ROTATED_AT);
    let checkpoints = (index.max(ROTATED_AT) - ROTATED_AT) / BATCH;
    usize::try_from(2 + index - first + rotated + checkpoints).unwrap()
}

fn alter_bundle(number: u64, alter: impl FnOnce(&mut Vec<String>)) -> Altered {
    let start = usize::try_from(number * 256).unwrap();
    let mut entries = LOG.entries[start..start + 256].to_vec();
    alter(&mut entries);
    let mut altered = Altered::new();
    *altered.file(&bundle_file(number)) = gzip(&bundle(&entries));
    altered
}

#[test]
fn the_log_itself_is_verified() {
    let found = Altered::new().check();
    assert_eq!(found.standing, Standing::Verified, "{:?}", found.first_bad);
    assert_eq!((found.proven.unwrap().entries, LOG.first, LOG.tiles), (ENTRIES, 4864, 39));
}

#[test]
fn an_entry_altered_in_a_bundle_is_named() {
    for (number, at) in [(0, 0), (0, 255), (7, 100), (18, 255), (19, 0), (38, 200)] {
        let index = number * 256 + at as u64;
        let text = alter_bundle(number, |entries| entries[at] = entries[at].replacen("\"time\":17", "\"time\":18", 1));
        text.must_name(index..index + 1, &Reason::TileHash);
        let event = alter_bundle(number, |entries| entries[at] = entries[at].replacen("05050505", "06050505", 1));
        event.must_name(index..index + 1, &Reason::TileHash);
        let swapped = alter_bundle(number, |entries| entries.swap(at, 50));
        let first = number * 256 + at.min(50) as u64;
        swapped.must_name(first..first + 1, &Reason::TileHash);
        let tile = number * 256..number * 256 + 256;
        alter_bundle(number, |entries| drop(entries.remove(at))).must_name(tile.clone(), &Reason::BundleEntries);
        alter_bundle(number, |entries| entries.insert(at, entries[at].clone())).must_name(tile, &Reason::BundleEntries);
    }
}

#[test]
fn a_byte_of_a_bundles_file_is_found_or_its_entries_are_the_same() {
    for number in [0, 18, 30] {
        let tile = number * 256..number * 256 + 256;
        let name = bundle_file(number);
        let length = FILES[&name].len();
        for at in 0..10 {
            Altered::new().flip(&name, at).must_name(tile.clone(), &Reason::BundleHeader);
        }
        for at in length - 8..length {
            Altered::new().flip(&name, at).must_name(tile.clone(), &Reason::BundleChecksum);
        }
        for at in (10..length - 8).step_by(length / 12) {
            let altered = Altered::new().flip(&name, at);
            let found = altered.check();
            let Some(bad) = found.first_bad else {
                let mut decoded = Vec::new();
                GzDecoder::new(altered.files[&name].as_slice()).read_to_end(&mut decoded).unwrap();
                assert!(decoded == bundle(&LOG.entries[usize::try_from(tile.start).unwrap()..usize::try_from(tile.end).unwrap()]));
                continue;
            };
            assert!(bad.index >= tile.start && bad.index + bad.entries <= tile.end, "{bad:?}");
        }
        let mut longer = Altered::new();
        longer.file(&name).push(0);
        longer.must_name(tile.clone(), &Reason::BundleTrailing);
        let mut cut = Altered::new();
        cut.file(&name).truncate(length / 2);
        cut.must_name(tile, &Reason::BundleStream);
    }
}

#[test]
fn a_hash_altered_in_a_tile_is_named() {
    for index in [0, 255, 256, 4863, 4864, 9983] {
        let name = tile(0, index / 256);
        let at = usize::try_from(index % 256 * 32).unwrap();
        Altered::new().flip(&name, at).must_name(index..index + 1, &Reason::TileHash);
        Altered::new().flip(&name, at + 31).must_name(index..index + 1, &Reason::TileHash);
    }
}

#[test]
fn a_tile_that_is_missing_or_has_another_length_is_named() {
    for number in [0, 18, 19, 37] {
        let entries = number * 256..number * 256 + 256;
        for name in [tile(0, number), bundle_file(number)] {
            let mut missing = Altered::new();
            missing.files.remove(&name).unwrap();
            missing.must_name(entries.clone(), &Reason::TileMissing);
        }
        for length in [0, 32, 8191, 8193, 16384] {
            let mut other = Altered::new();
            other.file(&tile(0, number)).resize(length, 0);
            other.must_name(entries.clone(), &Reason::TileLength);
        }
    }
}

#[test]
fn tiles_that_are_still_being_derived_may_be_missing() {
    let mut behind = Altered::new();
    for number in 25..39 {
        behind.files.remove(&tile(0, number)).unwrap();
        behind.files.remove(&bundle_file(number)).unwrap();
    }
    assert!(behind.check().is_verified());
    behind.files.insert(bundle_file(25), FILES[&bundle_file(25)].clone());
    assert!(behind.check().is_verified(), "the bundle comes first");
    behind.files.insert(tile(0, 25) + ".next", vec![1]);
    assert!(behind.check().is_verified(), "a tile that was being written");
}

#[test]
fn a_tile_and_its_bundle_altered_together_are_found() {
    let altered = |number: u64| {
        let mut entries = LOG.entries[usize::try_from(number * 256).unwrap()..].to_vec();
        entries.truncate(256);
        entries[9] = entries[9].replacen("\"time\":17", "\"time\":18", 1);
        let mut altered = Altered::new();
        *altered.file(&bundle_file(number)) = gzip(&bundle(&entries));
        let mut tree = crate::forge::Tree::default();
        for entry in &entries {
            tree.push(entry.as_bytes());
        }
        *altered.file(&tile(0, number)) = tree.0[0].concat();
        altered
    };
    // Below the first checkpoint of the live part nothing but its root tells; the file `checkpoint` is of the same size.
    altered(3).must_name(0..ROTATED_AT, &Reason::Root);
    let index = 25 * 256 + 9;
    altered(25).must_name(index..index + 1, &Reason::Disagreement);
}

#[test]
fn each_class_of_byte_of_the_live_part_is_found() {
    for index in [4864, 4999, 5000, 7777, 9983] {
        let exact = index..index + 1;
        Altered::new().replace(line_of(index), "\"time\":17", "\"time\":18").must_name(exact.clone(), &Reason::Disagreement);
        Altered::new().replace(line_of(index), "05050505", "06050505").must_name(exact.clone(), &Reason::Disagreement);
        Altered::new().replace(line_of(index), "session_id", "session_ix").must_name(exact.clone(), &Reason::Event);
        Altered::new().replace(line_of(index), "\"event\"", "\"evenu\"").must_name(exact, &Reason::NotARecord);
    }
    // Not in a tile yet: the batch is named.
    for index in [9984, 9999] {
        let batch = 9980..ENTRIES;
        Altered::new().replace(line_of(index), "\"time\":17", "\"time\":18").must_name(batch.clone(), &Reason::Root);
        Altered::new().replace(line_of(index), "05050505", "06050505").must_name(batch, &Reason::Root);
    }
    for size in [6000, ENTRIES] {
        let (batch, line) = (size - BATCH..size, line_of(size - 1) + 1);
        let size = format!("\\n{size}\\n");
        for (from, to, reason) in [
            ("log/0123", "log/1123", Reason::Origin),
            (size.as_str(), "\\n77\\n", Reason::Signature),
            ("\\n\\n", "\\n\\n\\n", Reason::NotACheckpoint),
            ("checkpoint", "checkpoins", Reason::NotARecord),
        ] {
            let altered = Altered::new().replace(line, from, to);
            let named = if reason == Reason::NotARecord { batch.end..batch.end + 1 } else { batch.clone() };
            altered.must_name(named, &reason);
        }
        let text = String::from_utf8(FILES["log.jsonl"].clone()).unwrap();
        let shown = text.split('\n').nth(line - 1).unwrap();
        let root = shown.split("\\n").nth(2).unwrap();
        let other = if root.starts_with('A') { "B" } else { "A" };
        Altered::new().replace(line, root, &format!("{other}{}", root.split_at(1).1)).must_name(batch.clone(), &Reason::Signature);
        let signature = shown.rsplit(' ').next().unwrap();
        let (id, rest) = signature.split_at(5);
        let flipped = format!("{id}{}{}", if rest.starts_with('A') { "Q" } else { "A" }, rest.split_at(1).1);
        let bad = Altered::new().replace(line, signature, &flipped).bad();
        assert!(matches!(bad.reason, Reason::SignerKey { .. } | Reason::Signature) && bad.index == batch.start, "{bad:?}");
        let flipped = {
            let (before, after) = signature.split_at(40);
            format!("{before}{}{}", if after.starts_with('A') { "B" } else { "A" }, after.split_at(1).1)
        };
        Altered::new().replace(line, signature, &flipped).must_name(batch.clone(), &Reason::Signature);
    }
}

#[test]
fn bytes_beside_the_log_are_found() {
    for at in [0, 10, 30, 50, 60, 90] {
        let bad = Altered::new().flip("log.vkey", at).bad();
        assert_eq!((bad.file.as_str(), bad.entries, bad.reason), ("log.vkey", 0, Reason::KeyBeside));
    }
    for at in (0..FILES["checkpoint"].len()).step_by(7) {
        let bad = Altered::new().flip("checkpoint", at).bad();
        assert_eq!(bad.file, "checkpoint", "{bad:?}");
    }
    let mut locked = Altered::new();
    locked.file("log.lock").push(b'1');
    assert_eq!(locked.bad().reason, Reason::Lock);
    for name in [
        "tile/note",
        "tile/0/note",
        "tile/0/039",
        "tile/entries/039.gz",
        "tile/entries/000",
        "tile/1/000",
        "tile/0/x000/000",
        "tile/00/000",
    ] {
        let mut stray = Altered::new();
        stray.files.insert(name.to_owned(), Vec::new());
        // A tile beyond the log that is read before it is told apart has the wrong length.
        let bad = stray.bad();
        assert!(bad.file == name && matches!(bad.reason, Reason::StrayFile | Reason::TileLength | Reason::BundleHeader), "{bad:?}");
    }
}

#[test]
fn a_line_dropped_doubled_or_moved_is_found() {
    let text = String::from_utf8(FILES["log.jsonl"].clone()).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let check = |lines: &[&str]| {
        let mut altered = Altered::new();
        *altered.file("log.jsonl") = lines.concat().into_bytes();
        altered.bad()
    };
    for index in [4864, 5000, 7777, 9983, 9999] {
        let at = line_of(index) - 1;
        let mut dropped = lines.clone();
        dropped.remove(at);
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        let mut swapped = lines.clone();
        swapped.swap(at, at + 1);
        for altered in [dropped, doubled, swapped] {
            let bad = check(&altered);
            assert!(bad.index <= index + 1 && bad.index + bad.entries + 1 >= index, "{bad:?}");
        }
    }
}

#[test]
fn a_cut_of_a_rotated_log_is_found_by_what_stands_beside_it() {
    let text = String::from_utf8(FILES["log.jsonl"].clone()).unwrap();
    let cut = |line: usize| {
        let mut altered = Altered::new();
        *altered.file("log.jsonl") = text.split_inclusive('\n').take(line).collect::<String>().into_bytes();
        altered
    };
    let later = cut(line_of(9999));
    let found = later.check();
    assert_eq!((found.standing, found.unconfirmed.unwrap().entries), (Standing::Broken, 20), "its tiles go further than its checkpoints");
    let bad = cut(line_of(5999) + 1).bad();
    assert_eq!((bad.reason, bad.index), (Reason::StrayFile, 6000));
    assert_eq!(cut(1).bad().reason, Reason::Shorter { expected: ROTATED_AT });
}

/// Levels above the first need 65,536 entries.
#[test]
fn a_hash_altered_in_an_upper_tile_is_named() {
    let mut forge = Forge::new();
    forge.unconfirmed(&started());
    let event = opened();
    while forge.size() < 66_000 {
        forge.unconfirmed(&event);
        if forge.size().is_multiple_of(8000) {
            forge.confirm();
        }
    }
    forge.confirm();
    for is_rotated in [true, false] {
        if is_rotated {
            forge.rotate();
        } else {
            forge = unrotated(forge);
        }
        let files = forge.files();
        let place = tempfile::tempdir().unwrap();
        let check = |files: &Files| {
            lay(place.path(), files);
            verify(place.path(), Some(key())).unwrap()
        };
        assert_eq!(check(&files).standing, Standing::Verified);
        for number in [0, 100, 255_u64] {
            let mut altered = files.clone();
            altered.get_mut("tile/1/000").unwrap()[usize::try_from(number).unwrap() * 32 + 5] ^= 4;
            let bad = check(&altered).first_bad.unwrap();
            assert_eq!((bad.index, bad.entries, bad.reason), (number * 256, 256, Reason::TileHash));
        }
        let mut missing = files.clone();
        missing.remove("tile/1/000").unwrap();
        let found = check(&missing);
        if is_rotated {
            assert_eq!(found.first_bad.unwrap().reason, Reason::TileMissing);
        } else {
            assert!(found.is_verified(), "it may still be derived");
        }
    }
}

/// The same log with every entry in its live part.
fn unrotated(forge: Forge) -> Forge {
    let mut whole = Forge::new();
    for entry in forge.entries {
        whole.raw(entry);
        if whole.size().is_multiple_of(8000) {
            whole.confirm();
        }
    }
    whole.confirm().derive();
    whole
}
