//! The test vector: a log that crate `evidence` wrote with a fixed key, name, clock and identifiers, and that both implementations accept;
//! and longer logs of that writer.

use crate::{forge, sample};
use audit::{Anchors, KeySource, NotedCheckpoint, Reason, Standing, WitnessKey, verify, verify_against};
use evidence::{
    Keys, Log,
    witness::{self, Submission, Witness},
};
use schema::Token;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// PKCS#8 before the seed of an Ed25519 key (RFC 8410).
const PKCS8_HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vector")
}

/// Opens the log below `place` with the fixed keys and name.
fn open(place: &Path) -> Log {
    let keys = place.join("keys");
    if !keys.exists() {
        fs::create_dir(&keys).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).unwrap();
        for (name, bytes) in [("signing.key", [PKCS8_HEAD.as_slice(), &forge::SEED].concat()), ("digest.key", vec![3; 32])] {
            fs::write(keys.join(name), bytes).unwrap();
            fs::set_permissions(keys.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    let id = Token::parse(forge::ORIGIN.rsplit('/').next().unwrap()).unwrap();
    Log::open_as(&place.join("log"), &id, Keys::load_or_create(&keys).unwrap(), sample::clock()).unwrap()
}

/// Writes the vector's log anew; returns its directory.
fn write(place: &Path) -> PathBuf {
    let mut log = open(place);
    for batch in sample::every_event().chunks(2) {
        log.append(batch).unwrap();
    }
    place.join("log")
}

/// Appends events until there are `count`, by batches.
fn fill(log: &mut Log, count: u64) {
    if log.next_index() == 0 {
        log.append(&[sample::started()]).unwrap();
    }
    while log.next_index() < count {
        let batch = vec![sample::connection_refused(); usize::try_from((count - log.next_index()).min(4096)).unwrap()];
        log.append(&batch).unwrap();
        log.tidy().unwrap();
    }
}

#[test]
fn the_writer_still_writes_the_vector() {
    let place = tempfile::tempdir().unwrap();
    let written = write(place.path());
    for name in ["log.jsonl", "log.vkey"] {
        let (ours, vector) = (fs::read(written.join(name)).unwrap(), directory().join(name));
        if std::env::var_os("BAILIWICK_WRITE_VECTOR").is_some() {
            fs::create_dir_all(directory()).unwrap();
            fs::write(&vector, &ours).unwrap();
        }
        assert!(ours == fs::read(&vector).unwrap(), "{name} changed: the format changed, so raise its version");
    }
}

#[test]
fn both_implementations_accept_the_vector() {
    let verification = verify(&directory(), Some(forge::key())).unwrap();
    assert_eq!(verification.standing, Standing::Verified, "{:?}", verification.first_bad);
    assert_eq!(verification.key.source, KeySource::Given);
    assert_eq!(verification.proven.unwrap().entries, sample::every_event().len() as u64);
    let events: Vec<_> = evidence::read(&directory()).unwrap().map(|record| record.unwrap().event).collect();
    assert_eq!(events, sample::every_event());
}

#[test]
fn the_forge_writes_what_the_writer_writes() {
    let mut forge = forge::Forge::new();
    let begun = forge.unix_ms;
    for (number, batch) in (0..).zip(sample::every_event().chunks(2)) {
        for event in batch {
            forge.unix_ms = begun + number;
            forge.unconfirmed(&serde_json::to_string(event).unwrap());
        }
        forge.confirm();
    }
    let files = forge.files();
    for name in ["log.jsonl", "log.vkey"] {
        assert!(files[name] == fs::read(directory().join(name)).unwrap(), "{name}");
    }
}

#[test]
fn a_log_that_is_being_written_is_verified() {
    let place = tempfile::tempdir().unwrap();
    let mut log = open(place.path());
    fill(&mut log, 300);
    let text = fs::read(log.path()).unwrap();
    assert_eq!(text.last(), Some(&0), "room is made beforehand");
    let found = verify(&place.path().join("log"), Some(forge::key())).unwrap();
    assert_eq!((found.standing, found.proven.unwrap().entries), (Standing::Verified, 300), "{:?}", found.first_bad);
}

#[test]
fn a_rotated_log_of_the_writer_is_verified_and_an_altered_entry_named() {
    let place = tempfile::tempdir().unwrap();
    let mut log = open(place.path());
    let path = place.path().join("log");
    fill(&mut log, 70_000);
    let is_rotated = || !fs::read_to_string(path.join("log.jsonl")).unwrap().lines().next().unwrap().ends_with(r#""first":0}"#);
    // It is once the thread that derives tiles has caught up.
    while !is_rotated() {
        let next = log.next_index() + 4096;
        assert!(next < 1_000_000, "it is never rotated");
        fill(&mut log, next);
    }
    let count = log.next_index();
    drop(log);
    let found = verify(&path, Some(forge::key())).unwrap();
    assert_eq!((found.standing, found.proven.unwrap().entries), (Standing::Verified, count), "{:?}", found.first_bad);
    assert!(path.join("tile/1/000").exists());
    let mut log = open(place.path());
    fill(&mut log, count + 300);
    drop(log);
    assert!(verify(&path, Some(forge::key())).unwrap().is_verified());
    let tile = path.join("tile/0/123");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[32 * 45] ^= 1;
    fs::write(&tile, bytes).unwrap();
    let bad = verify(&path, Some(forge::key())).unwrap().first_bad.unwrap();
    assert_eq!((bad.index, bad.entries, bad.reason), (123 * 256 + 45, 1, Reason::TileHash));
}

#[test]
fn what_a_crash_left_is_cut_off_by_the_writer_and_then_verified() {
    let place = tempfile::tempdir().unwrap();
    let path = write(place.path());
    let whole = fs::read(path.join("log.jsonl")).unwrap();
    fs::write(path.join("log.jsonl"), &whole[..whole.len() - 20]).unwrap();
    let torn = verify(&path, Some(forge::key())).unwrap();
    assert_eq!((torn.standing, torn.unconfirmed.unwrap().entries), (Standing::UnconfirmedTail, 1));
    drop(open(place.path()));
    let found = verify(&path, Some(forge::key())).unwrap();
    assert_eq!((found.standing, found.meaning.recoveries.total), (Standing::Verified, 2), "{:?}", found.first_bad);
}

#[test]
fn the_writers_witness_is_believed() {
    let place = tempfile::tempdir().unwrap();
    let path = write(place.path());
    let known = vec![witness::KnownKey::parse(&forge::public_key_hex()).unwrap()];
    let signer = Keys::witness_signer(&place.path().join("witness/witness.key")).unwrap();
    let witness = Witness::new("witness.example/w1", signer, known, &place.path().join("seen")).unwrap();
    let submission = Submission::prepare(&path).unwrap();
    let answer = witness.add_checkpoint(&submission.request(0).unwrap(), 1_768_651_300).unwrap();
    let vkey = witness.verifier_key();
    let anchors = Anchors { key: Some(forge::key()), witnesses: vec![WitnessKey::parse(&vkey).unwrap()], ..Anchors::default() };
    assert_eq!(verify_against(&path, &anchors).unwrap().standing, Standing::Unwitnessed);
    submission.keep(&[answer], &[witness::WitnessKey::parse(&vkey).unwrap()]).unwrap();
    let found = verify_against(&path, &anchors).unwrap();
    assert_eq!(found.standing, Standing::Verified, "{:?}", found.first_bad);
    assert_eq!(found.witnessed.unwrap().witnesses, ["witness.example/w1"]);
    let noted = fs::read_to_string(path.join("checkpoint.witnessed")).unwrap();
    assert!(NotedCheckpoint::parse(&noted, "noted").is_ok());
}

#[test]
fn the_reference_shows_an_entry_of_the_vector_and_every_reason() {
    let reference = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/evidence.md")).unwrap();
    let log = fs::read_to_string(directory().join("log.jsonl")).unwrap();
    for lead in [r#"{"time""#, r#"{"format""#, r#"{"checkpoint""#] {
        let shown: Vec<_> = reference.lines().filter(|line| line.starts_with(lead)).collect();
        assert!(!shown.is_empty() && shown.iter().all(|shown| log.lines().any(|line| line == *shown)), "{lead}");
    }
    let reasons = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reason.rs")).unwrap();
    let variants: Vec<_> = reasons.lines().filter_map(|line| line.strip_prefix("    ")?.split([',', ' ']).next()).collect();
    let names: Vec<_> = variants.into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase())).map(snake_case).collect();
    assert!(names.len() > 30);
    for name in names {
        assert!(reference.contains(&format!("`{name}`")), "{name} is missing in docs/reference/evidence.md");
    }
}

fn snake_case(name: &str) -> String {
    name.char_indices().fold(String::new(), |text, (at, letter)| {
        let between = if at > 0 && letter.is_ascii_uppercase() { "_" } else { "" };
        format!("{text}{between}{}", letter.to_ascii_lowercase())
    })
}
