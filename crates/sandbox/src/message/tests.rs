use super::*;

#[test]
fn broken_messages_are_refused() {
    for bytes in [
        &b""[..],
        b"ready\n1\nS\nmoat held",
        b"ready\n1\nS\nlandlock",
        b"ready\n1\nlandlock held",
        b"ready\n1",
        b"exited",
        b"exited\nx",
        b"\xff",
        b"other",
    ] {
        assert!(Answer::decode(bytes).is_err(), "{bytes:?}");
    }
    assert_eq!(Request::decode(b"signal\nx"), None);
    assert_eq!(Request::decode(b"halt"), None);
}

#[test]
fn answers_survive() {
    let observed = BTreeMap::from([(Wall::Landlock, Observation::Held), (Wall::Cgroup, Observation::Missing(Token::lossy("none")))]);
    let ready = Answer::Ready { observed: observed.clone(), present: vec![true, false], round: crate::probe::Round::lost() };
    let Answer::Ready { observed: back, present, round } = Answer::decode(&ready.encode()).unwrap() else { panic!("another kind") };
    assert_eq!((back, present, round), (observed, vec![true, false], crate::probe::Round::lost()));
    assert!(matches!(Answer::decode(&Answer::Exited(137).encode()), Ok(Answer::Exited(137))));
    let wall = Answer::Failed(Error::WallMissing { wall: Wall::Seccomp, found: "x\ny".into() });
    assert!(matches!(Answer::decode(&wall.encode()), Ok(Answer::Failed(Error::WallMissing { wall: Wall::Seccomp, .. }))));
    assert_eq!(Request::decode(&Request::Signal(15).encode()), Some(Request::Signal(15)));
}
