use super::{Selection, export, inclusion_proof};
use crate::{
    Keys, Log,
    tree::{Frontier, leaf},
};
use data_encoding::BASE64;
use schema::{Clock, Event, RefusalCode, SessionId, Timestamp, Token, event::SystemCallRefused};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// A second for each batch.
struct Ticking(AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: self.0.fetch_add(1000, Ordering::Relaxed) }
    }
}

fn session(number: u64) -> SessionId {
    SessionId::from_random([u8::try_from(number).unwrap(); 16])
}

/// A log of batches of one event, of three sessions in turn.
fn log(place: &Path, count: u64) -> PathBuf {
    let keys = Keys::load_or_create(&place.join("keys")).unwrap();
    let mut log = Log::open(&place.join("log"), keys, Arc::new(Ticking(AtomicU64::new(0)))).unwrap();
    for number in 0..count {
        let (session_id, system_call) = (session(number % 3), Token::lossy(&number.to_string()));
        log.append(&[Event::SystemCallRefused(SystemCallRefused {
            session_id,
            system_call,
            code: RefusalCode::SystemCallDenied,
            attempts: 1,
        })])
        .unwrap();
    }
    place.join("log")
}

/// Indices that a bundle of one log shows, after checking them against its checkpoint.
fn shown(bundle: &[u8]) -> Vec<u64> {
    let (mut frontier, mut shown, mut proven) = (Frontier::default(), Vec::new(), false);
    for line in std::str::from_utf8(bundle).unwrap().lines().skip(2) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(skip) = value.get("skip") {
            let hash = BASE64.decode(skip["hash"].as_str().unwrap().as_bytes()).unwrap();
            frontier.append_subtree(skip["height"].as_u64().unwrap().try_into().unwrap(), hash.try_into().unwrap());
        } else if let Some(note) = value.get("checkpoint") {
            let root = BASE64.encode(&frontier.root());
            proven = note.as_str().unwrap().lines().take(3).skip(1).eq([frontier.size().to_string().as_str(), &root]);
        } else {
            shown.push(frontier.size());
            frontier.append(leaf(line.as_bytes()));
        }
    }
    assert!(proven);
    shown
}

fn exported(log: &Path, selection: &Selection) -> Vec<u64> {
    let mut bundle = Vec::new();
    let told = export(&[log], selection, &mut bundle).unwrap();
    let shown = shown(&bundle);
    assert_eq!(told.shown, shown.len() as u64);
    shown
}

#[test]
fn a_session_is_shown_and_the_rest_is_skipped() {
    let place = tempfile::tempdir().unwrap();
    let log = log(place.path(), 700);
    let selection = Selection { session: Some(session(1)), ..Selection::default() };
    assert_eq!(exported(&log, &selection), (0..700).filter(|number| number % 3 == 1).collect::<Vec<_>>());
    assert_eq!(exported(&log, &Selection::default()), (0..700).collect::<Vec<_>>());
}

#[test]
fn a_period_is_shown_with_its_neighbours() {
    let place = tempfile::tempdir().unwrap();
    let log = log(place.path(), 600);
    let at = |second: u64| Some(Timestamp { unix_ms: second * 1000 });
    let period = |from, to| exported(&log, &Selection { from, to, ..Selection::default() });
    assert_eq!(period(at(100), at(400)), (99..401).collect::<Vec<_>>());
    assert_eq!(period(None, at(3)), (0..4).collect::<Vec<_>>());
    assert_eq!(period(at(599), None), [598, 599]);
}

#[test]
fn a_log_without_anything_chosen_is_left_out() {
    let place = tempfile::tempdir().unwrap();
    let log = log(place.path(), 10);
    let mut bundle = Vec::new();
    let told = export(&[&log], &Selection { session: Some(session(9)), ..Selection::default() }, &mut bundle).unwrap();
    assert_eq!((told.logs, told.shown), (0, 0));
    assert_eq!(bundle, b"{\"format\":\"bailiwick-bundle-v1\"}\n");
}

#[test]
fn a_proof_of_one_entry_is_in_the_published_form() {
    let place = tempfile::tempdir().unwrap();
    let log = log(place.path(), 3);
    let proof = inclusion_proof(&log, 2).unwrap();
    let lines: Vec<&str> = proof.lines().collect();
    // The sibling of the third of three entries is the node over the first two.
    assert_eq!((lines[0], lines[1], lines[2].len(), lines[3]), ("c2sp.org/tlog-proof@v1", "index 2", 44, ""));
    assert!(lines[4].starts_with("bailiwick/log/") && lines[5] == "3" && lines[8].starts_with("\u{2014} "));
    assert!(inclusion_proof(&log, 3).is_err());
}
