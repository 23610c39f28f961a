use super::{KnownKey, Refused, Submission, WITNESSED_FILE, Witness, WitnessKey};
use crate::{Keys, Log};
use schema::{Clock, Event, RefusalCode, SessionId, Timestamp, Token, event::SystemCallRefused};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

const NOON: u64 = 1_768_651_200;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: NOON * 1000 }
    }
}

struct Scene {
    place: tempfile::TempDir,
    keys: Keys,
    witness: Witness,
}

impl Scene {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(&place.path().join("keys")).unwrap();
        let known = vec![KnownKey::parse(&keys.public_key_hex()).unwrap()];
        let signer = Keys::witness_signer(&place.path().join("witness/witness.key")).unwrap();
        let witness = Witness::new("witness.example/w1", signer, known, &place.path().join("seen")).unwrap();
        Self { place, keys, witness }
    }

    /// Appends events, each telling `word` and its number, to the log `name` until it has `count`.
    fn log(&self, name: &str, word: &str, count: u64) -> PathBuf {
        let path = self.place.path().join(name);
        let mut log = Log::open_as(&path, &Token::lossy("one"), self.keys.clone(), Arc::new(Still)).unwrap();
        while log.next_index() < count {
            let system_call = Token::lossy(&format!("{word}{}", log.next_index()));
            let session_id = SessionId::from_random([1; 16]);
            log.append(&[Event::SystemCallRefused(SystemCallRefused {
                session_id,
                system_call,
                code: RefusalCode::SystemCallDenied,
                attempts: 1,
            })])
            .unwrap();
        }
        path
    }

    fn submit(&self, log: &Path, old: u64) -> Result<String, Refused> {
        self.witness.add_checkpoint(&Submission::prepare(log).unwrap().request(old).unwrap(), NOON)
    }
}

#[test]
fn a_log_that_grows_is_cosigned_at_every_size() {
    let scene = Scene::new();
    let mut old = 0;
    for size in [1, 2, 3, 7, 8, 255, 256, 257, 300, 512, 700] {
        let log = scene.log("log", "call", size);
        scene.submit(&log, old).unwrap();
        old = size;
    }
    // The same checkpoint once more.
    scene.submit(&scene.log("log", "call", 700), 700).unwrap();
}

#[test]
fn a_fork_and_a_cut_are_refused_though_the_key_is_right() {
    let scene = Scene::new();
    scene.submit(&scene.log("log", "call", 300), 0).unwrap();
    let forked = scene.log("forked", "other", 400);
    assert_eq!(scene.submit(&forked, 300), Err(Refused::Inconsistent));
    let forked_at_the_same_size = scene.log("same", "other", 300);
    assert_eq!(scene.submit(&forked_at_the_same_size, 300), Err(Refused::Inconsistent));
    // Whoever cut the log must say an old size that the witness did not see.
    let cut = scene.log("cut", "call", 200);
    assert_eq!(scene.submit(&cut, 0), Err(Refused::Conflict { size: 300 }));
    assert!(Submission::prepare(&cut).unwrap().request(300).is_err());
}

#[test]
fn what_the_witness_saw_outlives_it() {
    let scene = Scene::new();
    let log = scene.log("log", "call", 5);
    scene.submit(&log, 0).unwrap();
    let signer = Keys::witness_signer(&scene.place.path().join("witness/witness.key")).unwrap();
    let known = vec![KnownKey::parse(&scene.keys.public_key_hex()).unwrap()];
    let again = Witness::new("witness.example/w1", signer, known, &scene.place.path().join("seen")).unwrap();
    assert_eq!(again.verifier_key(), scene.witness.verifier_key());
    let request = Submission::prepare(&log).unwrap().request(0).unwrap();
    assert_eq!(again.add_checkpoint(&request, NOON), Err(Refused::Conflict { size: 5 }));
}

#[test]
fn requests_of_others_and_of_another_form_are_refused() {
    let scene = Scene::new();
    let log = scene.log("log", "call", 5);
    let request = Submission::prepare(&log).unwrap().request(0).unwrap();
    let answer = |request: &str| scene.witness.add_checkpoint(request, NOON);
    let origin = "bailiwick/log/one";
    let cases = [
        (request.replacen("old 0", "old 00", 1), Refused::Malformed),
        (request.replacen("old 0", "old 6", 1), Refused::Malformed),
        (request.replacen("old 0\n", "", 1), Refused::Malformed),
        (request.replacen("old 0\n", "old 0\nAAAA\n", 1), Refused::Malformed),
        (request.replace(origin, "other/log"), Refused::UnknownLog),
        (request.replace(origin, "bailiwick/log/two"), Refused::Forbidden),
        (request.replacen("\n5\n", "\n6\n", 1), Refused::Forbidden),
        (request.replacen("old 0", "old 3", 1), Refused::Conflict { size: 0 }),
    ];
    for (request, refused) in cases {
        assert_eq!(answer(&request), Err(refused), "{request}");
    }
    let unknown =
        Witness::new("w", Keys::witness_signer(&scene.place.path().join("w/key")).unwrap(), vec![], &scene.place.path().join("s")).unwrap();
    assert_eq!(unknown.add_checkpoint(&request, NOON), Err(Refused::Forbidden));
    answer(&request).unwrap();
}

#[test]
fn cosignatures_are_kept_only_of_witnesses_that_were_asked_for() {
    let scene = Scene::new();
    let log = scene.log("log", "call", 5);
    let submission = Submission::prepare(&log).unwrap();
    let line = scene.submit(&log, 0).unwrap();
    let key = WitnessKey::parse(&scene.witness.verifier_key()).unwrap();
    let other = WitnessKey::new("witness.example/w1", &[7; 32]);
    assert_eq!(submission.keep(std::slice::from_ref(&line), std::slice::from_ref(&other)).unwrap(), 0);
    assert!(!log.join(WITNESSED_FILE).exists());
    assert_eq!(submission.keep(&[line], &[other, key]).unwrap(), 1);
    assert!(std::fs::read_to_string(log.join(WITNESSED_FILE)).unwrap().contains("witness.example/w1"));
}

#[test]
fn a_name_that_would_not_fit_into_a_signature_line_is_refused() {
    let place = tempfile::tempdir().unwrap();
    for name in ["", "a b", "a+b", "a\nb"] {
        let signer = Keys::witness_signer(&place.path().join("w/key")).unwrap();
        assert!(Witness::new(name, signer, vec![], place.path()).is_err(), "{name:?}");
    }
}
