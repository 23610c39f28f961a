use super::*;

#[test]
fn broken_messages_are_refused() {
    for bytes in [
        &b""[..],
        b"ready\nS\n1\nmoat held",
        b"ready\nS\n1\nlandlock",
        b"ready\nS\nlandlock held",
        b"ready\nS",
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
    let timeline = Timeline { began_ns: 1, steps: vec![("hide".into(), 2)] };
    let round = crate::probe::Round::lost();
    let ready = Answer::Ready { observed: observed.clone(), round, timeline: timeline.clone() };
    let Answer::Ready { observed: back, round, timeline: times } = Answer::decode(&ready.encode()).unwrap() else { panic!("another kind") };
    assert_eq!((back, round, times), (observed, crate::probe::Round::lost(), timeline));
    let listening = Answer::Listening { present: vec![true, false] };
    assert!(matches!(Answer::decode(&listening.encode()), Ok(Answer::Listening { present }) if present == [true, false]));
    assert!(matches!(Answer::decode(&Answer::Exited(137).encode()), Ok(Answer::Exited(137))));
    let wall = Answer::Failed(Error::WallMissing { wall: Wall::Seccomp, found: "x\ny".into() });
    assert!(matches!(Answer::decode(&wall.encode()), Ok(Answer::Failed(Error::WallMissing { wall: Wall::Seccomp, .. }))));
    assert_eq!(Request::decode(&Request::Signal(15).encode()), Some(Request::Signal(15)));
}
