//! A name query, as the door reads it.
#![no_main]

use egress::dns::{QUERY_BYTES_MAX, Question};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(question) = Question::parse(bytes) else { return };
    let refusal = question.refusal();
    assert!(bytes.len() <= QUERY_BYTES_MAX, "a query is bounded");
    assert!(refusal.len() <= bytes.len() + 11, "an answer is no larger than what was asked, but for an empty OPT record");
    assert_eq!(refusal.first_chunk::<2>(), bytes.first_chunk::<2>(), "an answer has the query's number");
    assert!(question.full_name().is_ascii() && question.told().as_str().is_ascii(), "a name is told in ASCII");
    assert!(Question::parse(&refusal).is_err(), "an answer is no query");
});
