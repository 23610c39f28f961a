//! Logs with good hashes and good signatures that still must not pass.

use crate::{
    forge::{Forge, ORIGIN, checkpoint, checkpoint_line, key, note, verifier_key},
    sample,
};
use audit::{BATCH_ENTRIES_MAX, Error, KeySource, LINE_BYTES_MAX, PublicKey, Reason, Standing, render, verify};
use ed25519_dalek::SigningKey;
use std::fs;

fn reason(forge: &Forge) -> Reason {
    let verification = verify(&forge.path(), Some(key())).unwrap();
    assert_eq!(verification.standing, Standing::Broken);
    verification.first_bad.unwrap().reason
}

pub(crate) fn started() -> String {
    serde_json::to_string(&sample::started()).unwrap()
}

pub(crate) fn opened() -> String {
    serde_json::to_string(&sample::opened("f", schema::event::PathClass::System)).unwrap()
}

#[test]
fn an_event_in_any_other_form_is_refused_even_if_signed() {
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
        format!("{good} "),
        format!(" {good}"),
    ];
    for form in forms {
        assert_ne!(form, good);
        assert_eq!(reason(Forge::new().confirmed(&form)), Reason::Event, "{form}");
    }
    assert!(verify(&Forge::new().confirmed(&good).path(), None).unwrap().is_verified());
}

#[test]
fn an_entry_in_any_other_form_is_refused_even_if_signed() {
    let mut forge = Forge::new();
    let good = forge.confirmed(&started()).entries[0].clone();
    let time = forge.unix_ms - 1;
    let cases = [
        (good.replacen(',', ", ", 1), Reason::NotARecord),
        (format!(" {good}"), Reason::NotARecord),
        (format!("{good} "), Reason::NotARecord),
        (format!("{good}\r"), Reason::NotARecord),
        (good.replacen(r#""time""#, r#""\u0074ime""#, 1), Reason::NotARecord),
        (good.replacen(&time.to_string(), &format!("0{time}"), 1), Reason::NotARecord),
        (good.replacen(&time.to_string(), &format!("{time}.0"), 1), Reason::NotARecord),
        (good.replacen(&time.to_string(), "", 1), Reason::NotARecord),
        (good.replacen(&time.to_string(), "18446744073709551616", 1), Reason::NotARecord),
        (good.replacen('{', r#"{"note":1,"#, 1), Reason::NotARecord),
        (good.replacen(r#""event""#, r#""event":1,"event""#, 1), Reason::Event),
        (format!("{good}{good}"), Reason::Event),
        (String::new(), Reason::NotARecord),
        (r#"{"checkpoint":"x"}"#.to_owned(), Reason::NotACheckpoint),
        ("x".repeat(LINE_BYTES_MAX), Reason::LineTooLong),
    ];
    for (entry, expected) in cases {
        assert_ne!(entry, good);
        assert_eq!(reason(Forge::new().raw(entry.clone()).confirm()), expected, "{entry}");
    }
    let largest = started().replacen("pilot", &"p".repeat(audit::EVENT_BYTES_MAX), 1);
    assert_eq!(reason(Forge::new().confirmed(&largest)), Reason::LineTooLong);
}

#[test]
fn a_head_in_any_other_form_is_refused() {
    let forge = || {
        let mut forge = Forge::new();
        forge.confirmed(&started());
        forge
    };
    let good = forge().head();
    let cases = [
        (good.replace("v2", "v3"), Reason::Format),
        (good.replace(':', ": "), Reason::NotAHead),
        (format!(" {good}"), Reason::NotAHead),
        (format!("{good} "), Reason::NotAHead),
        (good.replace("0}", "00}"), Reason::NotAHead),
        (good.replace("0}", "-1}"), Reason::NotAHead),
        (good.replace("0}", "0,\"x\":1}"), Reason::NotAHead),
        (good.replace("0}", "255}"), Reason::First { first: 255 }),
        (good.replace("abcdef0", "ABCDEF0"), Reason::NotAHead),
        (good.replace("bailiwick/log", "bailiwick/lag"), Reason::NotAHead),
        (good.replace("0123", "1123"), Reason::Origin),
        (good.replace("0}", "256}"), Reason::TileMissing),
        (String::new(), Reason::NotAHead),
    ];
    for (head, expected) in cases {
        let forge = forge();
        let path = forge.path();
        let text = fs::read_to_string(path.join("log.jsonl")).unwrap();
        fs::write(path.join("log.jsonl"), text.replacen(&good, &head, 1)).unwrap();
        let found = verify(&path, Some(key())).unwrap();
        assert_eq!(found.first_bad.unwrap().reason, expected, "{head}");
    }
}

#[test]
fn a_checkpoint_in_any_other_form_is_refused_even_if_signed() {
    let mut forge = Forge::new();
    forge.unconfirmed(&started());
    let root = forge.tree.root(1);
    let text = |size: &str| checkpoint(ORIGIN, 1, &root, &forge.key).split_once("\n\n").unwrap().0.replacen("\n1\n", size, 1) + "\n";
    let signed = |text: &str| checkpoint_line(&note(text, ORIGIN, &forge.key));
    let good = signed(&text("\n1\n"));
    let double = checkpoint_line(&{
        let note = note(&text("\n1\n"), ORIGIN, &forge.key);
        let line = note.split_once("\n\n").unwrap().1.to_owned();
        note + &line
    });
    let other_log = ORIGIN.replace("0123", "3210");
    let cases = [
        (signed(&text("\n01\n")), Reason::NotACheckpoint),
        (signed(&text("\n+1\n")), Reason::NotACheckpoint),
        (signed(&text("\n2\n")), Reason::Size { expected: 1, found: 2 }),
        (signed(&(text("\n1\n") + "extension\n")), Reason::NotACheckpoint),
        (double, Reason::NotACheckpoint),
        (good.replacen("\\n1\\n", "\\n2\\n", 1), Reason::Signature),
        (good.replacen("\\n1\\n", "\\u000a1\\n", 1), Reason::NotACheckpoint),
        (good.replacen('\u{2014}', "\\u2014", 1), Reason::NotACheckpoint),
        (good.replacen(':', ": ", 1), Reason::NotARecord),
        (format!("{good} "), Reason::NotACheckpoint),
        (checkpoint_line(&checkpoint(ORIGIN, 1, &[0; 32], &forge.key)), Reason::Root),
        (checkpoint_line(&checkpoint(&other_log, 1, &root, &forge.key)), Reason::Origin),
        (checkpoint_line(&note(&text("\n1\n"), "someone", &forge.key)), Reason::NotACheckpoint),
    ];
    for (line, expected) in cases {
        let mut forge = Forge::new();
        forge.unconfirmed(&started()).lines.push(line.clone());
        assert_eq!(reason(&forge), expected, "{line}");
    }
    forge.lines.push(good);
    assert!(verify(&forge.path(), Some(key())).unwrap().is_verified());
}

#[test]
fn a_log_written_anew_with_another_key_is_refused_and_passes_only_with_the_key_beside_it() {
    let mut forge = Forge::new();
    forge.key = SigningKey::from_bytes(&[9; 32]);
    forge.confirmed(&started());
    assert!(matches!(reason(&forge), Reason::SignerKey { .. }));
    let verification = verify(&forge.path(), None).unwrap();
    assert_eq!((verification.standing, verification.key.source), (Standing::Verified, KeySource::BesideLog));
    assert!(render(&verification).contains("consistent in itself"));
    let for_another = PublicKey::parse(&verifier_key(&ORIGIN.replace("01", "23"), 1, &forge.key)).unwrap();
    let found = verify(&forge.path(), Some(for_another)).unwrap();
    assert_eq!(found.first_bad.unwrap().reason, Reason::Origin, "the key was given for another log");
}

#[test]
fn a_checkpoint_of_other_entries_is_refused() {
    let mut forge = Forge::new();
    forge.confirmed(&started()).confirmed(&opened());
    forge.lines.swap(1, 3);
    assert_eq!(reason(&forge), Reason::Size { expected: 1, found: 2 });
}

#[test]
fn checkpoints_without_an_entry_between_them_are_refused() {
    let mut forge = Forge::new();
    forge.confirmed(&started()).confirm();
    assert_eq!(reason(&forge), Reason::CheckpointAgain);
    assert_eq!(reason(Forge::new().confirm()), Reason::CheckpointAgain);
}

#[test]
fn more_entries_without_a_checkpoint_than_a_batch_has_are_refused() {
    let mut forge = Forge::new();
    forge.unconfirmed(&started());
    for _ in 1..BATCH_ENTRIES_MAX {
        forge.unconfirmed(&opened());
    }
    let lines = forge.lines.len();
    assert!(verify(&forge.confirm().path(), Some(key())).unwrap().is_verified());
    forge.lines.truncate(lines);
    assert_eq!(reason(forge.unconfirmed(&opened())), Reason::NoCheckpoint { bound: BATCH_ENTRIES_MAX });
}

#[test]
fn an_unconfirmed_tail_is_told_and_nothing_of_it_counts() {
    let mut forge = Forge::new();
    forge.confirmed(&started()).unconfirmed(&serde_json::to_string(&sample::authorised(1)).unwrap());
    let verification = verify(&forge.path(), Some(key())).unwrap();
    assert_eq!(verification.standing, Standing::UnconfirmedTail);
    assert_eq!(verification.unconfirmed.unwrap().entries, 1);
    assert_eq!((verification.proven.as_ref().unwrap().entries, verification.meaning.calls_authorised), (1, 0));
    assert!(render(&verification).contains("never confirmed as durable"));
}

#[test]
fn zero_bytes_are_accepted_at_the_end_only() {
    let mut forge = Forge::new();
    let path = forge.confirmed(&started()).confirmed(&opened()).path();
    let whole = fs::read(path.join("log.jsonl")).unwrap();
    let check = |bytes: &[u8]| {
        fs::write(path.join("log.jsonl"), bytes).unwrap();
        verify(&path, Some(key())).unwrap()
    };
    for zeros in [1, 4096, 3 << 20] {
        assert!(check(&[whole.as_slice(), &vec![0; zeros]].concat()).is_verified(), "{zeros}");
        let followed = check(&[whole.as_slice(), &vec![0; zeros], b"x"].concat());
        assert_eq!(followed.first_bad.unwrap().reason, Reason::Padding);
        let torn = check(&[&whole[..whole.len() - 9], &vec![0; zeros]].concat());
        let tail = torn.unconfirmed.unwrap();
        assert_eq!((torn.standing, tail.entries, tail.ends_within_line), (Standing::UnconfirmedTail, 1, true));
    }
    let within = whole.iter().rposition(|byte| *byte == b'{').unwrap();
    let found = check(&[&whole[..within], &[0; 8], &whole[within..]].concat());
    assert_eq!(found.first_bad.unwrap().reason, Reason::Padding);
    assert_eq!(check(&[0; 4096]).standing, Standing::Empty);
}

#[test]
fn what_a_crash_could_have_left_is_told_apart_from_what_none_leaves() {
    let damaged = |batch: usize| {
        let mut forge = Forge::new();
        forge.confirmed(&started());
        for _ in 0..3 {
            forge.unconfirmed(&opened()).confirmed(&opened());
        }
        let at = 2 + 3 * batch;
        forge.lines[at] = forge.lines[at].replacen("event", "\0\0\0\0\0", 1);
        verify(&forge.path(), Some(key())).unwrap().first_bad.unwrap()
    };
    assert!(damaged(2).could_be_torn, "the last batch, with its own checkpoint behind the hole");
    assert!(!damaged(1).could_be_torn, "another checkpoint follows");
    assert_eq!(damaged(1).index, 3);
}

#[test]
fn no_log_no_key_and_no_file_are_errors() {
    let place = tempfile::tempdir().unwrap();
    assert!(matches!(verify(place.path(), None), Err(Error::NoLog { .. })));
    assert!(matches!(verify(std::path::Path::new("/dev/null"), None), Err(Error::NoLog { .. })));
    let path = Forge::new().confirmed(&started()).path();
    assert!(matches!(verify(&path, None), Err(Error::NoLog { .. })), "the forge's directory is gone");
    let forge = Forge::new();
    let path = forge.path();
    let empty = verify(&path, None).unwrap();
    assert_eq!((empty.standing, render(&empty).lines().count()), (Standing::Empty, 1));
    fs::write(path.join("log.vkey"), "not a key").unwrap();
    assert!(matches!(verify(&path, None), Err(Error::NotAKey { .. })));
    fs::remove_file(path.join("log.vkey")).unwrap();
    assert!(matches!(verify(&path, None), Err(Error::NoKey { .. })));
}
