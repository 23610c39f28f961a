//! The binary: output and exit codes.

use crate::{
    forge::{self, Forge, ORIGIN, cosignature, verifier_key},
    sample,
};
use ed25519_dalek::SigningKey;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bailiwick-verify")).args(arguments).output().unwrap()
}

fn code(arguments: &[&str]) -> i32 {
    run(arguments).status.code().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn whole_log() -> Forge {
    let mut forge = Forge::new();
    forge.events(&sample::every_event());
    forge
}

#[test]
fn wrong_usage_is_2_and_what_cannot_be_read_is_3() {
    let (forge, place) = (whole_log(), tempfile::tempdir().unwrap());
    let log = forge.path();
    let log = text(&log);
    let witness = verifier_key("w", 4, &forge.key);
    for wrong in [
        &[][..],
        &["a", "b"],
        &["--what", "a"],
        &["--key"],
        &["--witness", "w", log],
        &["--witness", &verifier_key(ORIGIN, 1, &forge.key), log],
        &["--witness", &witness, "--witness", &witness, log],
        &["--quorum", "1", log],
        &["--quorum", "2", "--witness", &witness, log],
        &["--quorum", "0", "--witness", &witness, log],
        &["--key", "a", "--key", "b", log],
    ] {
        assert_eq!(code(wrong), 2, "{wrong:?}");
    }
    for unreadable in [
        &[text(place.path())][..],
        &["/nonexistent"],
        &["--key", "/nonexistent", log],
        &["--key", "/dev/null", log],
        &["--checkpoint", "/nonexistent", log],
        &["--checkpoint", "/dev/null", log],
    ] {
        assert_eq!(code(unreadable), 3, "{unreadable:?}");
    }
}

#[test]
fn a_broken_log_is_1_and_a_good_one_0() {
    let (forge, hex) = (whole_log(), forge::public_key_hex());
    let log = forge.path();
    assert_eq!(code(&["--key", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", text(&log)]), 1, "another key");
    let mut broken = Forge::new();
    broken.events(&[sample::ended()]);
    let out = run(&[text(&broken.path())]);
    assert_eq!(out.status.code(), Some(1));
    let offset = broken.head().len() + 1;
    let expected = format!("First thing bad: entry 0, in log.jsonl, line 2, byte {offset}");
    assert!(String::from_utf8(out.stdout).unwrap().contains(&expected));
    let vkey = verifier_key(ORIGIN, 1, &forge.key);
    for key in [&hex, &vkey, text(&log.join("log.vkey"))] {
        assert_eq!(code(&["--key", key, text(&log)]), 0);
        assert_eq!(code(&["--key", key, text(&log.join("log.jsonl"))]), 0);
    }
}

#[test]
fn json_says_the_same_for_machines() {
    let (mut forge, place) = (whole_log(), tempfile::tempdir().unwrap());
    let out = run(&["--json", text(&forge.path())]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let log = &report["logs"][0];
    assert_eq!((&report["verified"], &log["standing"], &log["key"]["source"]), (&1.into(), &"verified".into(), &"beside_log".into()));
    assert_eq!((&log["proven"]["entries"], &log["meaning"]["calls_unknown"]["total"]), (&forge.size().into(), &1.into()));
    assert_eq!((&log["origin"], &log["proven"]["checkpoint"]), (&ORIGIN.into(), &forge.newest.as_str().into()));
    let noted = place.path().join("noted");
    fs::write(&noted, log["proven"]["checkpoint"].as_str().unwrap()).unwrap();
    assert_eq!(code(&["--checkpoint", text(&noted), text(&forge.path())]), 0);
    let lines = forge.lines.len();
    forge.lines.truncate(lines - 2);
    let cut = forge.path();
    assert_eq!((code(&[text(&cut)]), code(&["--checkpoint", text(&noted), text(&cut)])), (0, 1));
}

#[test]
fn what_no_witness_saw_is_not_verified() {
    let (mut forge, place) = (whole_log(), tempfile::tempdir().unwrap());
    let (first, second) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
    let noted = place.path().join("noted");
    fs::write(&noted, forge.newest.clone() + &cosignature(&forge.newest, "w/1", &first, 1_768_651_300)).unwrap();
    let (one, two) = (verifier_key("w/1", 4, &first), verifier_key("w/2", 4, &second));
    let path = forge.path();
    let with = |arguments: &[&str], path: &Path| run(&[&["--checkpoint", text(&noted)], arguments, &[text(path)]].concat());
    assert_eq!(with(&["--witness", &one], &path).status.code(), Some(0));
    assert_eq!(with(&["--witness", &one, "--witness", &two, "--quorum", "1"], &path).status.code(), Some(0));
    let missing = with(&["--witness", &one, "--witness", &two], &path);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stdout).unwrap().contains("UNWITNESSED: the last 13 entries"));
    forge.events(&[sample::recovered()]);
    let later = with(&["--witness", &one], &forge.path());
    let shown = String::from_utf8(later.stdout).unwrap();
    assert_eq!(later.status.code(), Some(1));
    assert!(
        shown.contains("UNWITNESSED: the last 1 entry;") && shown.contains("Witnessed: 13 entries, at 2026-01-17T12:01:40.000Z, by w/1"),
        "{shown}"
    );
}

#[test]
fn several_logs_are_told_one_by_one_with_a_total_and_a_removed_log_is_missed() {
    let (forge, place) = (whole_log(), tempfile::tempdir().unwrap());
    let other = ORIGIN.replace("0123", "3210");
    let noted = place.path().join("noted");
    fs::write(&noted, forge::checkpoint(&other, 3, &[0; 32], &forge.key)).unwrap();
    for name in ["a", "b"] {
        forge::lay(&place.path().join(name), &forge.files());
    }
    let total = |expected: &str, code: i32| {
        let out = run(&[text(place.path())]);
        let shown = String::from_utf8(out.stdout).unwrap();
        assert!(shown.contains(expected) && out.status.code() == Some(code), "{shown}");
    };
    total("Total: 2 verified, 0 not verified, 0 unreadable.", 0);
    let out = run(&["--checkpoint", text(&noted), text(place.path())]);
    let shown = String::from_utf8(out.stdout).unwrap();
    assert!(shown.contains(&format!("the log {other}, of which this checkpoint was noted, is not there")), "{shown}");
    assert_eq!(out.status.code(), Some(3));
    fs::remove_file(place.path().join("b/log.jsonl")).unwrap();
    total("Total: 1 verified, 0 not verified, 1 unreadable.", 3);
    fs::write(place.path().join("a/log.jsonl"), "").unwrap();
    total("Total: 0 verified, 1 not verified, 1 unreadable.", 1);
}
