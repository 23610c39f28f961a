//! No change to a log may pass.

use crate::vector;
use audit::{Head, Standing, Verification, verify_against};
use proptest::prelude::*;
use std::fs;

struct Altered {
    place: tempfile::TempDir,
    original: Vec<u8>,
    head: Head,
}

impl Altered {
    fn new() -> Self {
        let original = fs::read(vector::directory().join("log.jsonl")).unwrap();
        let proven = verify_against(&vector::directory(), Some(vector::key()), None).unwrap().proven.unwrap();
        Self { place: tempfile::tempdir().unwrap(), original, head: Head { index: proven.last_index, hash: proven.last_hash } }
    }

    fn lines(&self) -> Vec<Vec<u8>> {
        self.original.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    fn check(&self, bytes: &[u8], head: Option<&Head>) -> Verification {
        let path = self.place.path().join("log.jsonl");
        fs::write(&path, bytes).unwrap();
        verify_against(&path, Some(vector::key()), head).unwrap()
    }

    /// A change must not pass, except a cut at a seal, which no log can show by itself: what is left is proven then, it is less than
    /// before, and whoever noted the head sees it.
    fn must_not_pass(&self, bytes: &[u8]) {
        assert_ne!(bytes, self.original);
        let found = self.check(bytes, None);
        if found.is_verified() {
            assert!(self.original.starts_with(bytes), "an altered log passed: {found:?}");
            assert!(found.proven.unwrap().records <= self.head.index);
        }
        assert!(!self.check(bytes, Some(&self.head)).is_verified());
    }
}

#[test]
fn no_changed_byte_passes() {
    let log = Altered::new();
    for at in 0..log.original.len() {
        let mut bytes = log.original.clone();
        // Case, digit, quote and separator flips all occur over the bits.
        bytes[at] ^= 1 << (at % 7);
        let found = log.check(&bytes, None);
        assert!(!found.is_verified(), "byte {at}");
        let named = found.first_bad.map_or(found.proven.map_or(0, |proven| proven.bytes), |bad| bad.offset);
        assert!(named <= at as u64, "byte {at}: the first bad record is named no later than where it is");
    }
}

#[test]
fn no_dropped_doubled_or_swapped_line_passes() {
    let log = Altered::new();
    let lines = log.lines();
    for at in 0..lines.len() {
        let mut dropped = lines.clone();
        dropped.remove(at);
        log.must_not_pass(&dropped.concat());
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at].clone());
        log.must_not_pass(&doubled.concat());
        for other in at + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, other);
            log.must_not_pass(&swapped.concat());
        }
    }
}

#[test]
fn a_cut_anywhere_is_told_or_leaves_a_shorter_sealed_log() {
    let log = Altered::new();
    let mut standings = [0; 3];
    for length in 0..log.original.len() {
        let found = log.check(&log.original[..length], None);
        let place = match found.standing {
            Standing::Verified => 0,
            Standing::UnsealedTail => 1,
            Standing::Empty => 2,
            Standing::Broken => panic!("a cut breaks no record: {found:?}"),
        };
        standings[place] += 1;
    }
    // Every batch of two but the last, which is whole; nothing at all; everything else is an unsealed tail.
    let batches = crate::sample::every_event().len().div_ceil(2);
    assert_eq!(standings, [batches - 1, log.original.len() - batches, 1]);
    for length in 0..log.lines().len() {
        log.must_not_pass(&log.lines()[..length].concat());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_edit_passes(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<u8>>(), any::<bool>()), 1..4)) {
        let log = Altered::new();
        let mut bytes = log.original.clone();
        for (place, byte, inserts) in edits {
            let at = place.index(bytes.len());
            match byte {
                Some(byte) if inserts => bytes.insert(at, byte),
                Some(byte) => bytes[at] = byte,
                None => drop(bytes.remove(at)),
            }
        }
        prop_assume!(bytes != log.original);
        log.must_not_pass(&bytes);
    }
}
