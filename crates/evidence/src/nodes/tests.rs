use super::Nodes;
use crate::{
    Keys, Log,
    tree::{Hash, leaf, node},
};
use proptest::prelude::*;
use schema::{Clock, Event, RefusalCode, SessionId, Timestamp, Token, event::SystemCallRefused};
use std::{path::Path, sync::Arc};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: 1_768_651_200_000 }
    }
}

fn event(number: u64) -> Event {
    Event::SystemCallRefused(SystemCallRefused {
        session_id: SessionId::from_random([1; 16]),
        system_call: Token::lossy(&number.to_string()),
        code: RefusalCode::SystemCallDenied,
        attempts: 1,
    })
}

/// A log of `count` entries, in batches that end anywhere.
fn log(place: &Path, count: u64) -> Nodes {
    let keys = Keys::load_or_create(&place.join("keys")).unwrap();
    let mut log = Log::open(&place.join("log"), keys, Arc::new(Still)).unwrap();
    while log.next_index() < count {
        let end = count.min(log.next_index() + 777);
        log.append(&(log.next_index()..end).map(event).collect::<Vec<_>>()).unwrap();
    }
    drop(log);
    Nodes::open(&place.join("log")).unwrap()
}

fn leaves(count: u64) -> Vec<Hash> {
    let entry = |number| format!(r#"{{"time":1768651200000,"event":{}}}"#, serde_json::to_string(&event(number)).unwrap());
    (0..count).map(|number| leaf(entry(number).as_bytes())).collect()
}

/// RFC 6962, section 2.1.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => super::root_of(&[]),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}

/// RFC 6962, section 2.1.1.
fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) =
        if index < left.len() { (path(index, left), root(right)) } else { (path(index - left.len(), right), root(left)) };
    path.push(sibling);
    path
}

/// RFC 6962, section 2.1.2.
fn proof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut path, sibling) =
        if old <= left.len() { (proof(old, left, whole), root(right)) } else { (proof(old - left.len(), right, false), root(left)) };
    path.push(sibling);
    path
}

#[test]
fn proofs_are_those_of_the_definition_wherever_the_tiles_end() {
    let place = tempfile::tempdir().unwrap();
    let count = 1500;
    let mut nodes = log(place.path(), count);
    let leaves = leaves(count);
    assert_eq!(nodes.size(), count);
    for size in [1, 2, 255, 256, 257, 511, 512, 700, 1024, 1499, 1500_u64] {
        let tree = &leaves[..usize::try_from(size).unwrap()];
        assert_eq!(nodes.range(0..size).unwrap(), root(tree));
        for index in [0, 1, 128, 254, 255, 256, 600, 1279, 1280, 1498].into_iter().filter(|index| *index < size) {
            assert_eq!(nodes.inclusion(index, size).unwrap(), path(usize::try_from(index).unwrap(), tree), "{index} of {size}");
            let old = index + 1;
            assert_eq!(nodes.consistency(old, size).unwrap(), proof(usize::try_from(old).unwrap(), tree, true), "{old} to {size}");
        }
    }
}

#[test]
fn what_is_not_in_the_tree_is_not_proven() {
    let place = tempfile::tempdir().unwrap();
    let mut nodes = log(place.path(), 10);
    assert!(nodes.inclusion(10, 10).is_err() && nodes.inclusion(0, 11).is_err());
    assert!(nodes.consistency(11, 10).is_err() && nodes.consistency(3, 11).is_err());
    assert!(nodes.consistency(0, 10).unwrap().is_empty() && nodes.consistency(10, 10).unwrap().is_empty());
}

proptest! {
    #[test]
    fn subtrees_cover_a_range_without_gap_or_overlap(start in 0_u64..5000, length in 0_u64..5000) {
        let mut next = start;
        for (height, number) in super::subtrees(start..start + length) {
            prop_assert_eq!(number << height, next);
            next += 1 << height;
        }
        prop_assert_eq!(next, start + length);
    }
}
