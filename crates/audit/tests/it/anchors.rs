//! What shows only to someone who noted a checkpoint elsewhere, or asked a witness.

use crate::{
    forge::{Forge, checkpoint, checkpoint_line, cosignature, key, lay, verifier_key},
    forgeries::{opened, started},
    sample,
};
use audit::{Anchors, NotedCheckpoint, Reason, Standing, Verification, WitnessKey, verify, verify_against};
use ed25519_dalek::SigningKey;
use std::path::Path;

#[test]
fn a_cut_at_any_line_is_found_once_a_checkpoint_was_noted() {
    let mut forge = Forge::new();
    forge.events(&sample::every_event());
    let noted =
        Anchors { key: Some(key()), checkpoints: vec![NotedCheckpoint::parse(&forge.newest, "noted").unwrap()], ..Anchors::default() };
    let all = forge.lines.clone();
    assert!(verify_against(&forge.path(), &noted).unwrap().is_verified());
    for lines in 0..all.len() - 1 {
        forge.lines = all[..lines].to_vec();
        let found = verify_against(&forge.path(), &noted).unwrap();
        let bad = found.first_bad.unwrap();
        assert_eq!((found.standing, &bad.reason), (Standing::Broken, &Reason::Shorter { expected: 13 }), "{lines}");
        let without = verify(&forge.path(), Some(key())).unwrap();
        let expected = if lines == 0 {
            Standing::Empty
        } else if lines % 2 == 1 {
            Standing::UnconfirmedTail
        } else {
            Standing::Verified
        };
        assert_eq!(without.standing, expected, "{lines}");
    }
    // The last checkpoint's line is lost, and the noted one covers the entries.
    forge.lines = all[..all.len() - 1].to_vec();
    assert!(verify_against(&forge.path(), &noted).unwrap().is_verified());
    forge.events(&[sample::recovered()]);
    assert!(verify_against(&forge.path(), &noted).unwrap().is_verified(), "a log that went on");
}

fn against(path: &Path, checkpoints: &[&str], witnesses: &[&SigningKey]) -> Verification {
    let anchors = Anchors {
        key: Some(key()),
        checkpoints: checkpoints.iter().map(|note| NotedCheckpoint::parse(note, "noted").unwrap()).collect(),
        witnesses: witnesses.iter().map(|witness| WitnessKey::parse(&verifier_key("w/1", 4, witness)).unwrap()).collect(),
        quorum: None,
    };
    verify_against(path, &anchors).unwrap()
}

#[test]
fn a_log_written_anew_with_its_stolen_key_is_found_by_a_checkpoint_or_a_witness() {
    let (mut honest, mut thief) = (Forge::new(), Forge::new());
    honest.confirmed(&started());
    thief.confirmed(&started());
    thief.unix_ms += 1;
    for number in 0..700 {
        thief.confirmed(&opened());
        if number < 600 {
            honest.confirmed(&opened());
        }
    }
    for rotated in [false, true] {
        if rotated {
            honest.rotate();
            thief.rotate();
        }
        let path = thief.path();
        assert!(verify(&path, Some(key())).unwrap().is_verified(), "by itself it is a good log");
        for size in [2, 255, 256, 300, 601] {
            let noted = honest.checkpoint_at(size);
            let bad = against(&path, &[&noted], &[]).first_bad.unwrap();
            assert!(bad.reason == Reason::Fork && bad.index + bad.entries == size, "{size}: {bad:?}");
            assert!(against(&honest.path(), &[&noted], &[]).is_verified(), "{size}");
        }
        let common = honest.checkpoint_at(1);
        assert!(against(&path, &[&common], &[]).is_verified(), "both begin alike");
        let witness = SigningKey::from_bytes(&[1; 32]);
        let seen = common.clone() + &cosignature(&common, "w/1", &witness, 5);
        let found = against(&path, &[&seen], &[&witness]);
        assert_eq!((found.standing, found.witnessed.unwrap().unwitnessed), (Standing::Unwitnessed, 700));
    }
}

#[test]
fn a_file_of_cosignatures_in_the_log_is_read_and_a_wrong_one_found() {
    let mut forge = Forge::new();
    forge.events(&sample::every_event());
    let witness = SigningKey::from_bytes(&[1; 32]);
    let other = SigningKey::from_bytes(&[2; 32]);
    let good = cosignature(&forge.newest, "w/1", &witness, 5);
    let place = tempfile::tempdir().unwrap();
    let check = |note: &str| {
        let mut files = forge.files();
        files.insert("checkpoint.witnessed".to_owned(), note.as_bytes().to_vec());
        lay(place.path(), &files);
        against(place.path(), &[], &[&witness])
    };
    assert!(check(&(forge.newest.clone() + &good)).is_verified());
    let by_another = check(&(forge.newest.clone() + &cosignature(&forge.newest, "w/1", &other, 5)));
    assert_eq!(by_another.standing, Standing::Unwitnessed, "a witness that nobody named");
    let earlier = forge.checkpoint_at(3);
    let bad = check(&(forge.newest.clone() + &cosignature(&earlier, "w/1", &witness, 5))).first_bad.unwrap();
    assert_eq!((bad.file.as_str(), bad.reason), ("checkpoint.witnessed", Reason::Cosignature));
    assert_eq!(check(&good).first_bad.unwrap().reason, Reason::NotACheckpoint);
    let fork = crate::forge::checkpoint(crate::forge::ORIGIN, 3, &[0; 32], &forge.key);
    assert_eq!(check(&fork).first_bad.unwrap().reason, Reason::Root);
}

#[test]
fn a_noted_checkpoint_that_another_key_signed_is_refused() {
    let mut forge = Forge::new();
    forge.events(&[sample::started()]);
    let other = checkpoint(crate::forge::ORIGIN, 1, &forge.tree.root(1), &SigningKey::from_bytes(&[9; 32]));
    let bad = against(&forge.path(), &[&other], &[]).first_bad.unwrap();
    assert!(matches!(bad.reason, Reason::SignerKey { .. }));
    forge.lines[1] = checkpoint_line(&other);
    assert!(matches!(verify(&forge.path(), Some(key())).unwrap().first_bad.unwrap().reason, Reason::SignerKey { .. }));
}
