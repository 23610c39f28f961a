use crate::place::{Place, stderr, stdout};

fn session() -> Place {
    let place = Place::new();
    let output = place.run(&["--upstream", "echo"], "getent hosts a.example; cat /nonesuch; true");
    assert!(output.status.success(), "{}", stderr(&output));
    place
}

#[test]
fn every_altered_byte_shows() {
    let place = session();
    let log = place.log().join("log.jsonl");
    let whole = std::fs::read(&log).unwrap();
    assert!(place.verifies());
    for at in (0..whole.len()).step_by(97) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        std::fs::write(&log, &altered).unwrap();
        let output = place.bailiwick(&["evidence", "verify"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "byte {at}: {}", stdout(&output));
        assert!(stdout(&output).contains("NOT VERIFIED"), "{}", stdout(&output));
    }
}

#[test]
fn a_key_from_elsewhere_is_compared() {
    let place = session();
    let own = std::fs::read_to_string(place.path("state").join("bailiwick/keys/signing.pub")).unwrap();
    let verify = |key: &str| place.bailiwick(&["evidence", "verify", "--key", key]).output().unwrap().status.code();
    assert_eq!(verify(own.trim()), Some(0));
    let other = session();
    let others = std::fs::read_to_string(other.path("state").join("bailiwick/keys/signing.pub")).unwrap();
    assert_eq!(verify(others.trim()), Some(1));
    assert_eq!(verify("no-key"), Some(2));
}

#[test]
fn what_is_not_there_cannot_be_read() {
    let place = Place::new();
    for args in [&["evidence", "verify"][..], &["evidence", "show"], &["evidence", "report"], &["evidence", "show", "ses-none"]] {
        assert_eq!(place.bailiwick(args).output().unwrap().status.code(), Some(3), "{args:?}");
    }
    assert_eq!(stdout(&place.bailiwick(&["evidence", "list"]).output().unwrap()), "no sessions on record yet\n");
}

#[test]
fn nothing_that_was_said_stands_in_the_record() {
    let place = Place::new();
    std::fs::write(place.path("workspace").join("project-aurora.txt"), "x").unwrap();
    place.run(
        &["--upstream", "echo"],
        "cat project-aurora.txt; echo very-secret-argument > /dev/null; getent hosts very-secret-label-very-secret.example",
    );
    let log = std::fs::read_to_string(place.log().join("log.jsonl")).unwrap();
    for word in ["aurora", "very-secret"] {
        assert!(!log.contains(word), "{word}");
    }
}

#[test]
fn the_small_verifier_agrees() {
    let place = session();
    let verifier = std::path::Path::new(env!("CARGO_BIN_EXE_bailiwick")).with_file_name("bailiwick-verify");
    if !verifier.exists() {
        println!("skipped: bailiwick-verify is not built beside this test; run the whole workspace's tests");
        return;
    }
    let output = std::process::Command::new(verifier).arg(place.log()).output().unwrap();
    assert!(output.status.success(), "{}", stdout(&output));
}
