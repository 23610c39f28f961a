use super::{EMPTY_OPT, Malformed, QUERY_BYTES_MAX, Question};
use proptest::prelude::*;

fn query(labels: &[&[u8]]) -> Vec<u8> {
    let mut message = vec![0xab, 0xcd, 0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in labels {
        message.push(u8::try_from(label.len()).unwrap());
        message.extend_from_slice(label);
    }
    message.extend_from_slice(&[0, 0, 28, 0, 1]);
    message
}

fn changed(at: usize, value: u8) -> Vec<u8> {
    let mut message = query(&[b"example", b"com"]);
    message[at] = value;
    message
}

#[test]
fn refuses_what_is_not_one_plain_query() {
    let plain = query(&[b"example", b"com"]);
    for length in 0..plain.len() {
        assert_eq!(Question::parse(&plain[..length]).err(), Some(Malformed), "cut at {length}");
    }
    let long = [b'a'; 64];
    for (what, message) in [
        ("an answer", changed(2, 0x81)),
        ("a notification", changed(2, 0x21)),
        ("an update", changed(2, 0x29)),
        ("a truncated message", changed(2, 0x03)),
        ("no question", changed(5, 0)),
        ("two questions", changed(5, 2)),
        ("many questions", changed(4, 1)),
        ("an answer section", changed(7, 1)),
        ("an authority section", changed(9, 1)),
        ("an additional record that is not there", changed(11, 1)),
        ("two additional records", changed(11, 2)),
        ("a compressed name", changed(12, 0xc0)),
        ("an extended label", changed(12, 0x41)),
        ("a long label", query(&[&long])),
        ("a long name", query(&[&long[..63], &long[..63], &long[..63], &long[..63]])),
        ("bytes after the end", [plain.clone(), vec![0]].concat()),
        ("a large message", vec![0; QUERY_BYTES_MAX + 1]),
    ] {
        assert_eq!(Question::parse(&message).err(), Some(Malformed), "{what}");
    }
}

#[test]
fn refuses_additional_records_other_than_opt() {
    for (what, record) in [
        ("a transaction signature", vec![0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0]),
        ("an opt with a name", vec![1, b'a', 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0]),
        ("an opt that is too short", vec![0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 1]),
        ("an opt that is too long", vec![0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0, 9]),
    ] {
        let mut message = changed(11, 1);
        message.extend_from_slice(&record);
        assert_eq!(Question::parse(&message).err(), Some(Malformed), "{what}");
    }
}

#[test]
fn answers_refused_with_the_question() {
    let message = query(&[b"eXample", b"com"]);
    let question = Question::parse(&message).unwrap_or_else(|_| unreachable!());
    assert_eq!(question.query_type(), 28);
    assert_eq!(question.full_name(), "example.com");
    assert_eq!(question.told().as_str(), "example.com");
    let answer = question.refusal();
    assert_eq!(answer[..12], [0xab, 0xcd, 0x81, 0x05, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(answer[12..], message[12..], "the case of the question is kept");
}

#[test]
fn answers_edns_with_edns() {
    let mut message = changed(11, 1);
    message.extend_from_slice(&[0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
    let answer = Question::parse(&message).map(|question| question.refusal()).unwrap();
    assert_eq!(answer[11], 1);
    assert!(answer.ends_with(&EMPTY_OPT));
}

#[test]
fn tells_little_of_names_that_could_carry_data() {
    let told = |labels: &[&[u8]]| Question::parse(&query(labels)).map(|question| question.told().to_string());
    assert_eq!(told(&[]), Ok(".".to_owned()));
    assert_eq!(told(&[b"one", b"two", b"three", b"four"]), Ok("two.three.four".to_owned()));
    assert_eq!(told(&[b"aaaaaaaaaaaaaaaaaaaaaaaaa", b"evil", b"net"]), Ok("~.evil.net".to_owned()));
    assert_eq!(told(&[b"aaaaaaaaaaaaaaaaaaaaaaaa", b"evil", b"net"]), Ok("aaaaaaaaaaaaaaaaaaaaaaaa.evil.net".to_owned()));
    assert_eq!(told(&[b"nul\0", b"a.b", b"caf\xc3\xa9"]), Ok("~.~.~".to_owned()));
}

#[test]
fn spells_full_names_without_two_readings() {
    let full = |labels: &[&[u8]]| Question::parse(&query(labels)).map(|question| question.full_name());
    assert_eq!(full(&[b"a.b", b"c"]), Ok("a\\.b.c".to_owned()));
    assert_eq!(full(&[b"a", b"b", b"c"]), Ok("a.b.c".to_owned()));
    assert_eq!(full(&[b"a\\", b"\0 \xff"]), Ok("a\\\\.\\000\\032\\255".to_owned()));
}

proptest! {
    #[test]
    fn never_panics(message in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Ok(question) = Question::parse(&message) {
            prop_assert!(question.refusal().len() <= message.len() + EMPTY_OPT.len());
        }
    }

    #[test]
    fn one_changed_byte_never_panics(at in 0_usize..29, value in any::<u8>()) {
        let _ = Question::parse(&changed(at, value));
    }

    #[test]
    fn tells_only_tokens(labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..64), 0..4)) {
        let labels: Vec<&[u8]> = labels.iter().map(Vec::as_slice).collect();
        if let Ok(question) = Question::parse(&query(&labels)) {
            prop_assert!(question.told().as_str().len() <= 3 * 24 + 2);
        }
    }
}
