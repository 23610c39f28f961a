//! The binary: output and exit codes.

use crate::{forge, forge::Forge, sample, vector};
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

#[test]
fn wrong_usage_is_2_and_what_cannot_be_read_is_3() {
    let (vector, place) = (vector::directory(), tempfile::tempdir().unwrap());
    let vector = text(&vector);
    for wrong in [&[][..], &["a", "b"], &["--what", "a"], &["--key"], &["--head", "1:x", vector], &["--key", "a", "--key", "b", vector]] {
        assert_eq!(code(wrong), 2, "{wrong:?}");
    }
    for unreadable in [&[text(place.path())][..], &["/nonexistent"], &["--key", "/nonexistent", vector], &["--key", "/dev/null", vector]] {
        assert_eq!(code(unreadable), 3, "{unreadable:?}");
    }
}

#[test]
fn a_broken_log_is_1_and_a_good_one_0() {
    let (vector, hex) = (vector::directory(), forge::public_key_hex());
    assert_eq!(code(&["--key", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", text(&vector)]), 1, "another key");
    let broken = Forge::new().events(&[sample::ended()]).lines.clone();
    let mut forge = Forge::new();
    forge.lines = broken;
    let out = run(&[text(&forge.path())]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8(out.stdout).unwrap().contains("First bad record: index 0, line 1, byte 0"));
    assert_eq!(code(&["--key", &hex, text(&vector)]), 0);
    assert_eq!(code(&["--key", text(&vector.join("signing.pub")), text(&vector.join("log.jsonl"))]), 0);
}

#[test]
fn json_says_the_same_for_machines() {
    let out = run(&["--json", text(&vector::directory())]);
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let log = &report["logs"][0];
    let records = crate::sample::every_event().len();
    assert_eq!((&report["verified"], &log["standing"], &log["key"]["source"]), (&1.into(), &"verified".into(), &"beside_log".into()));
    assert_eq!((&log["proven"]["records"], &log["meaning"]["calls_unknown"]["total"]), (&records.into(), &1.into()));
    let head = format!("{}:{}", log["proven"]["last_index"], log["proven"]["last_hash"].as_str().unwrap());
    assert_eq!(code(&["--head", &head, text(&vector::directory())]), 0);
    assert_eq!(code(&["--head", &head.replacen(&format!("{}:", records - 1), &format!("{records}:"), 1), text(&vector::directory())]), 1);
}

#[test]
fn several_logs_are_told_one_by_one_with_a_total_and_a_removed_log_is_missed() {
    let place = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        fs::create_dir(place.path().join(name)).unwrap();
        for file in ["log.jsonl", "signing.pub"] {
            fs::copy(vector::directory().join(file), place.path().join(name).join(file)).unwrap();
        }
        fs::write(place.path().join(name).join("log.lock"), "").unwrap();
    }
    let total = |expected: &str, code: i32| {
        let out = run(&[text(place.path())]);
        let shown = String::from_utf8(out.stdout).unwrap();
        assert!(shown.contains(expected) && out.status.code() == Some(code), "{shown}");
    };
    total("Total: 2 verified, 0 not verified, 0 unreadable.", 0);
    fs::remove_file(place.path().join("b/log.jsonl")).unwrap();
    total("Total: 1 verified, 0 not verified, 1 unreadable.", 3);
    fs::write(place.path().join("a/log.jsonl"), "").unwrap();
    total("Total: 0 verified, 1 not verified, 1 unreadable.", 1);
}
