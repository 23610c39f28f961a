//! Logs with good hashes and good seals that still must not pass.

use crate::{forge::Forge, sample, vector};
use audit::{BATCH_RECORDS_MAX, Error, Head, KeySource, LINE_BYTES_MAX, Reason, Standing, render, verify, verify_against};
use std::fs;

fn reason(forge: &Forge) -> Reason {
    let verification = verify(&forge.path(), Some(vector::key())).unwrap();
    assert_eq!(verification.standing, Standing::Broken);
    verification.first_bad.unwrap().reason
}

fn started() -> String {
    serde_json::to_string(&sample::started()).unwrap()
}

#[test]
fn an_event_in_any_other_form_is_refused_even_if_sealed() {
    let good = started();
    let forms = [
        good.replacen('{', r#"{"note":"x","#, 1),
        good.replacen(r#""subject":{"#, r#""subject":{"note":"x","#, 1),
        good.replacen(r#""walls":{"#, r#""walls":{"seccomp":"missing","#, 1),
        good.replacen(r#""walls""#, r#""walls" "#, 1),
        good.replacen("0.1.0", "0.1.\\u0030", 1),
        good.replacen(r#","upstreams":["#, r#","upstreams":[ "#, 1),
        good.replacen("session.started", "session.begun", 1),
        good.replacen(r#""profile":"pilot","#, "", 1),
        good.replacen("maria.rossi", "maria rossi", 1),
        "{}".to_owned(),
        "null".to_owned(),
    ];
    for form in forms {
        assert_ne!(form, good);
        assert_eq!(reason(Forge::new().sealed(&form)), Reason::Event, "{form}");
    }
    assert!(verify(&Forge::new().sealed(&good).path(), None).unwrap().is_verified());
}

#[test]
fn a_line_in_any_other_form_is_refused_although_no_hash_covers_the_difference() {
    let mut forge = Forge::new();
    forge.sealed(&started());
    let good = forge.lines[0].clone();
    let cases = [
        (good.replacen(',', ", ", 1), Reason::Form),
        (format!(" {good}"), Reason::Form),
        (format!("{good}\r"), Reason::Form),
        (good.replacen(r#""index""#, r#""\u0069ndex""#, 1), Reason::Form),
        (good.replacen(r#"{"version":1,"index":0"#, r#"{"index":0,"version":1"#, 1), Reason::Form),
        (good.replacen('{', r#"{"note":1,"#, 1), Reason::NotARecord),
        (good.replacen(r#""index":0"#, r#""index":0,"index":0"#, 1), Reason::NotARecord),
        (good.replacen(r#""key_id":"#, r#""note":1,"key_id":"#, 1), Reason::NotARecord),
        (good.replacen(r#""version":1"#, r#""version":2"#, 1), Reason::Version { found: 2 }),
        (format!("{good}{good}"), Reason::NotARecord),
        (String::new(), Reason::NotARecord),
        ("x".repeat(LINE_BYTES_MAX), Reason::LineTooLong),
    ];
    for (line, expected) in cases {
        assert_ne!(line, good);
        forge.lines[0] = line;
        assert_eq!(reason(&forge), expected);
    }
}

#[test]
fn a_log_written_anew_with_another_key_is_refused_and_passes_only_with_the_key_beside_it() {
    let mut forge = Forge::new();
    forge.key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    forge.sealed(&started());
    assert!(matches!(reason(&forge), Reason::SealKey { .. }));
    let path = forge.path();
    fs::write(path.join("signing.pub"), crate::forge::hex(forge.key.verifying_key().as_bytes())).unwrap();
    let verification = verify(&path, None).unwrap();
    assert_eq!((verification.standing, verification.key.source), (Standing::Verified, KeySource::BesideLog));
    assert!(render(&verification).contains("proves only that the log is consistent in itself"));
}

#[test]
fn a_seal_of_another_record_is_refused() {
    let mut forge = Forge::new();
    forge.sealed(&started()).sealed(&serde_json::to_string(&sample::ended()).unwrap());
    let seal = forge.lines[0].split_once(r#""seal""#).unwrap().1.to_owned();
    let frame = forge.lines[1].split_once(r#""seal""#).unwrap().0.to_owned();
    forge.lines[1] = format!(r#"{frame}"seal"{seal}"#);
    assert_eq!(reason(&forge), Reason::Seal);
}

#[test]
fn more_records_without_a_seal_than_a_batch_has_are_refused() {
    let mut forge = Forge::new();
    forge.sealed(&started());
    let opened = serde_json::to_string(&sample::opened("f", schema::event::PathClass::System)).unwrap();
    for _ in 0..BATCH_RECORDS_MAX {
        forge.unsealed(&opened);
    }
    assert_eq!(reason(&forge), Reason::NoSeal { bound: BATCH_RECORDS_MAX });
}

#[test]
fn an_unsealed_tail_is_told_and_nothing_of_it_counts() {
    let mut forge = Forge::new();
    forge.sealed(&started()).unsealed(&serde_json::to_string(&sample::authorised(1)).unwrap());
    let verification = verify(&forge.path(), Some(vector::key())).unwrap();
    assert_eq!(verification.standing, Standing::UnsealedTail);
    assert_eq!(verification.unsealed.unwrap().records, 1);
    assert_eq!((verification.proven.as_ref().unwrap().records, verification.meaning.calls_authorised), (1, 0));
    assert!(render(&verification).contains("never confirmed as durable"));
}

#[test]
fn a_log_cut_at_a_seal_or_written_anew_is_refused_once_its_head_was_noted() {
    let mut forge = Forge::new();
    let proven = verify(&forge.events(&[sample::started(), sample::ended()]).path(), None).unwrap().proven.unwrap();
    let head = Head::parse(&format!("{}:{}", proven.last_index, proven.last_hash)).unwrap();
    let against = |forge: &Forge| verify_against(&forge.path(), None, Some(&head)).unwrap();
    assert!(against(&forge).is_verified());
    assert!(against(forge.events(&[sample::recovered()])).is_verified());
    forge.lines.truncate(1);
    assert_eq!(against(&forge).first_bad.unwrap().reason, Reason::Shorter { expected: 1 });
    forge.lines.clear();
    assert_eq!(against(&forge).first_bad.unwrap().reason, Reason::Shorter { expected: 1 });
    let mut anew = Forge::new();
    anew.unix_ms += 1;
    assert_eq!(against(anew.events(&[sample::started(), sample::ended()])).first_bad.unwrap().reason, Reason::Head);
}

#[test]
fn no_log_no_key_and_no_file_are_errors() {
    let place = tempfile::tempdir().unwrap();
    assert!(matches!(verify(place.path(), None), Err(Error::NoLog { .. })));
    assert!(matches!(verify(std::path::Path::new("/dev/null"), None), Err(Error::NoLog { .. })));
    let path = Forge::new().sealed(&started()).path();
    assert!(matches!(verify(&path, None), Err(Error::NoLog { .. })), "the forge's directory is gone");
    let forge = Forge::new();
    let path = forge.path();
    let empty = verify(&path, None).unwrap();
    assert_eq!((empty.standing, render(&empty).lines().count()), (Standing::Empty, 1));
    fs::write(path.join("signing.pub"), "not a key").unwrap();
    assert!(matches!(verify(&path, None), Err(Error::NotAKey { .. })));
    fs::remove_file(path.join("signing.pub")).unwrap();
    assert!(matches!(verify(&path, None), Err(Error::NoKey { .. })));
}
