use super::{call, filter, findings, message, netlink_answer, report, settings};
use crate::message::{Answer, Request};
use crate::report::Report;
use proptest::prelude::*;

/// Bytes that a parser takes, with some of them changed, lost or doubled.
fn broken(samples: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..6);
    (prop::sample::select(samples), changes).prop_map(|(sample, changes)| {
        let mut bytes = sample.to_vec();
        for (place, value, kind) in changes {
            let at = place.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, value),
                1 => bytes.truncate(at),
                2 if at < bytes.len() => bytes[at] = value,
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    })
}

const REPORTS: &[&[u8]] = &[
    b"or\0\0\0\0/usr/lib",
    b"rw\x0d\0\0\0\x01\0\0\0\0\0\0\0/etc",
    b"sr\0\0\0\0\x02\0\0\0\0\0\0\0keyctl",
    b"cw\x03\0\0\0/project/x",
    b"nr\0\0\0\0\x02/tmp/x",
    b"yr\0\0\0\0aptrace",
    b"pr\0\0\0\0P",
    b"xr\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\
      \x03\x07\0\0\0\x02\0\0\0/bin/sh/sa\0bc\0",
];
const MESSAGES: &[&[u8]] = &[
    b"release",
    b"signal\n15",
    b"started",
    b"exited\n7",
    b"listening\n10110000",
    b"ready\nP\n1\tbuild the root\t2\nlandlock held\nseccomp unused",
    b"failed\nwall\nlandlock\nnone",
    b"failed\npath\n2\nopen\n/x",
    b"failed\nsystem\n1\nfork",
];
const ANSWERS: &[&[u8]] = &[
    &[20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    &[20, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
];
const SETTINGS: &[&[u8]] = &[b"A=x\nexport B = 'y\nC=z'\n# D=\nE=\"\\\"\nQUJD=\n"];
const CALLS: &[&[u8]] = &[
    b"\0\xff\0\0\0\0\0\0/proc/self/../thread-self/fd/0\0",
    b"\0\xff\0\0\0\0\x04\0/proc/self/root/usr/./lib/\0",
    b"\x01\xff\x18\x03\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0../x\0",
    b"\x02\xff\0\0\0\0\0\0\x01\0/run/socket\0",
];

/// A sample that is refused itself tries nothing.
#[test]
fn what_is_broken_was_whole_before() {
    for sample in REPORTS {
        assert!(Report::decode(sample).is_ok_and(|report| report.encode() == *sample), "{}", sample.escape_ascii());
    }
    for sample in MESSAGES {
        assert!(Request::decode(sample).is_some() || Answer::decode(sample).is_ok(), "{}", sample.escape_ascii());
    }
    // One that says yes, one that says no.
    assert_eq!(ANSWERS.iter().map(|sample| crate::netlink::read_answers(sample).is_ok()).collect::<Vec<_>>(), [true, false]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reports_are_read_or_refused(bytes in broken(REPORTS)) {
        report(&bytes);
    }

    #[test]
    fn messages_are_read_or_refused(bytes in broken(MESSAGES)) {
        message(&bytes);
    }

    #[test]
    fn netlink_answers_are_read_or_refused(bytes in broken(ANSWERS)) {
        netlink_answer(&bytes);
    }

    #[test]
    fn findings_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        findings(&bytes);
    }

    #[test]
    fn calls_are_read_or_refused(bytes in broken(CALLS)) {
        call(&bytes);
    }

    #[test]
    fn settings_show_names_of_their_file(bytes in broken(SETTINGS)) {
        settings(&bytes);
    }

    #[test]
    fn the_filter_decides_as_the_lists_say(
        choice in any::<u32>(),
        number in 0..512_u32,
        arguments in proptest::array::uniform6(prop_oneof![0..64_u64, any::<u64>(), Just(0x5401), Just(0x3d_0f00)]),
    ) {
        let mut bytes = [choice.to_le_bytes(), number.to_le_bytes()].concat();
        bytes.extend(arguments.iter().flat_map(|argument| argument.to_le_bytes()));
        filter(&bytes);
    }
}
