//! The test vector: a log that crate `evidence` wrote with a fixed key, clock and identifiers, and that both implementations accept.

use crate::{forge, sample};
use audit::{KeySource, PublicKey, Standing, verify};
use evidence::Log;
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

pub(crate) fn key() -> PublicKey {
    PublicKey::parse(&forge::public_key_hex()).unwrap()
}

/// Writes the vector's log anew; returns its directory.
fn write(place: &Path) -> PathBuf {
    let keys = place.join("keys");
    fs::create_dir(&keys).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o700)).unwrap();
    for (name, bytes) in [("signing.key", [PKCS8_HEAD.as_slice(), &forge::SEED].concat()), ("digest.key", vec![3; 32])] {
        fs::write(keys.join(name), bytes).unwrap();
        fs::set_permissions(keys.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut log: Log = sample::log(place);
    for batch in sample::every_event().chunks(2) {
        log.append(batch).unwrap();
    }
    place.join("log")
}

#[test]
fn the_writer_still_writes_the_vector() {
    let place = tempfile::tempdir().unwrap();
    let written = write(place.path());
    for name in ["log.jsonl", "signing.pub"] {
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
    let verification = verify(&directory(), Some(key())).unwrap();
    assert_eq!(verification.standing, Standing::Verified, "{:?}", verification.first_bad);
    assert_eq!(verification.key.source, KeySource::Given);
    assert_eq!(verification.proven.unwrap().records, sample::every_event().len() as u64);
    let events: Vec<_> = evidence::read(&directory()).unwrap().map(|record| record.unwrap().event).collect();
    assert_eq!(events, sample::every_event());
}

#[test]
fn the_writer_goes_on_with_a_copy_of_the_vector() {
    let place = tempfile::tempdir().unwrap();
    write(place.path());
    let mut log = sample::log(place.path());
    assert_eq!(log.append(&[sample::recovered()]).unwrap().value(), sample::every_event().len() as u64);
    assert!(verify(log.path(), Some(key())).unwrap().is_verified());
}

#[test]
fn the_reference_shows_a_record_of_the_vector_and_every_reason() {
    let reference = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/evidence.md")).unwrap();
    let log = fs::read_to_string(directory().join("log.jsonl")).unwrap();
    let shown: Vec<_> = reference.lines().filter(|line| line.starts_with(r#"{"version""#)).collect();
    assert!(!shown.is_empty() && shown.iter().all(|shown| log.lines().any(|line| line == *shown)));
    let reasons = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reason.rs")).unwrap();
    let variants: Vec<_> = reasons.lines().filter_map(|line| line.strip_prefix("    ")?.split([',', ' ']).next()).collect();
    let names: Vec<_> = variants.into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase())).map(snake_case).collect();
    assert!(names.len() > 15);
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
