use super::Index;
use crate::tile::{Bundle, WIDTH};
use proptest::prelude::*;
use schema::{SessionId, Timestamp};

fn session(number: u8) -> SessionId {
    SessionId::from_random([number; 16])
}

/// A bundle whose entries are of the given sessions in turn, a second apart from `second` on.
fn bundle(sessions: &[u8], second: u64) -> Vec<u8> {
    let mut bundle = Bundle::default();
    let full = (0_u64..).zip(sessions.iter().cycle()).find_map(|(number, name)| {
        let entry = format!(r#"{{"time":{},"event":{{"type":"x","session_id":"{}"}}}}"#, (second + number) * 1000, session(*name));
        bundle.add(entry.as_bytes(), [0; 32])
    });
    full.unwrap().entries
}

#[test]
fn times_tell_what_is_outside_only_once_all_bundles_are_covered() {
    let mut index = Index::default();
    let at = |second: u64| Some(Timestamp { unix_ms: second * 1000 });
    for number in 0..WIDTH as u64 {
        assert!(!index.is_outside(at(1_000_000), None));
        index.add(&bundle(&[1], number * WIDTH as u64));
    }
    assert!(index.is_outside(at(65_536), None) && !index.is_outside(at(65_535), None));
    assert!(index.is_outside(None, at(0)) && !index.is_outside(None, at(1)));
    assert!(!index.is_outside(None, None));
}

#[test]
fn a_file_that_is_cut_or_too_long_is_as_if_it_were_missing() {
    let place = tempfile::tempdir().unwrap();
    let mut index = Index::default();
    index.add(&bundle(&[1, 2], 0));
    index.write(place.path(), 3).unwrap();
    assert_eq!(Index::read(place.path(), 3), index);
    let path = place.path().join("index/003");
    let whole = std::fs::read(&path).unwrap();
    for bytes in [&whole[..17], &whole[..whole.len() - 1], &[whole.as_slice(), b"x"].concat()] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Index::read(place.path(), 3), Index::default());
    }
    assert_eq!(Index::read(place.path(), 4), Index::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_session_is_overlooked(bundles in prop::collection::vec(prop::collection::vec(0_u8..20, 1..6), 1..20)) {
        let mut index = Index::default();
        for sessions in &bundles {
            index.add(&bundle(sessions, 0));
        }
        for name in 0..20 {
            for (place, sessions) in bundles.iter().enumerate() {
                prop_assert_eq!(index.may_tell_of(&session(name), place), sessions.contains(&name));
            }
            prop_assert!(index.may_tell_of(&session(name), bundles.len()));
        }
    }
}
