use proptest::prelude::*;
use schema::bounds::TOKEN_BYTES_MAX;
use schema::{Boundary, DataClass, DataClasses, RefusalCode, RequestId, SessionId, Token, TokenError, Trust, UpstreamKind};
use std::collections::BTreeSet;

#[test]
fn what_is_no_name_is_refused_by_cause_and_never_repeated() {
    for (text, wrong) in [
        ("", TokenError::Empty),
        (" ", TokenError::Alphabet),
        ("two words", TokenError::Alphabet),
        ("line\n", TokenError::Alphabet),
        ("null\0", TokenError::Alphabet),
        ("\u{e9}", TokenError::Alphabet),
        ("a\"b", TokenError::Alphabet),
        ("<a>", TokenError::Alphabet),
        (&"x".repeat(TOKEN_BYTES_MAX + 1), TokenError::TooLong),
    ] {
        assert_eq!(Token::parse(text), Err(wrong), "{text:?}");
        assert!(text.trim().is_empty() || !wrong.to_string().contains(text));
        // Nor does one come in by a log or a message.
        let json = serde_json::to_string(text).unwrap();
        assert!(serde_json::from_str::<Token>(&json).is_err(), "{json}");
        assert!(serde_json::from_str::<SessionId>(&json).is_err() && serde_json::from_str::<RequestId>(&json).is_err(), "{json}");
    }
    assert!(Token::parse(&"x".repeat(TOKEN_BYTES_MAX)).is_ok());
}

#[test]
fn identifiers_of_other_bits_differ_and_tell_their_kind() {
    let ids: BTreeSet<String> = (0..=255).map(|byte| SessionId::from_random([byte; 16]).to_string()).collect();
    assert_eq!(ids.len(), 256);
    assert_eq!(SessionId::from_random([0x0a; 16]).as_str(), "ses-0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a");
    assert!(RequestId::from_random([0; 16]).as_str().starts_with("req-"));
}

/// Policies, events and the command line use one word for one thing.
#[test]
fn a_name_in_a_policy_is_the_name_in_the_log() {
    let quoted = |name: &str| format!("\"{name}\"");
    for class in DataClass::ALL {
        assert_eq!(serde_json::to_string(&class).unwrap(), quoted(class.name()));
        assert_eq!(DataClass::from_name(class.name()), Some(class));
    }
    for boundary in Boundary::ALL {
        assert_eq!(serde_json::to_string(&boundary).unwrap(), quoted(boundary.name()));
        assert_eq!(Boundary::from_name(boundary.name()), Some(boundary));
    }
    for kind in [UpstreamKind::Openai, UpstreamKind::Anthropic, UpstreamKind::Local, UpstreamKind::Echo] {
        assert_eq!(serde_json::to_string(&kind).unwrap(), quoted(kind.name()));
        assert_eq!(UpstreamKind::from_name(kind.name()), Some(kind));
    }
    for trust in [Trust::SelfKept, Trust::Endpoint] {
        assert_eq!(serde_json::to_string(&trust).unwrap(), quoted(trust.name()));
    }
    for name in ["", "Personal", "personal ", "third-party", "ECHO"] {
        assert_eq!((DataClass::from_name(name), Boundary::from_name(name), UpstreamKind::from_name(name)), (None, None, None), "{name}");
    }
}

#[test]
fn every_refusal_has_a_code_of_its_own_and_says_what_to_do() {
    let mut codes = BTreeSet::new();
    for code in RefusalCode::ALL {
        assert!(codes.insert(code.name()), "{code} stands twice");
        assert_eq!(serde_json::to_string(code).unwrap(), format!("\"{code}\""));
        assert!(Token::parse(code.name()).is_ok(), "{code} fits into an event");
        assert!(code.advice().split_whitespace().count() >= 5, "{code}: {}", code.advice());
    }
    assert!(serde_json::from_str::<RefusalCode>("\"no.such_code\"").is_err());
}

fn classes() -> impl Strategy<Value = Vec<DataClass>> {
    proptest::collection::vec(proptest::sample::select(DataClass::ALL.to_vec()), 0..12)
}

proptest! {
    #[test]
    fn the_nearest_name_of_any_text_is_a_name(text in "\\PC{0,200}") {
        let token = Token::lossy(&text);
        prop_assert_eq!(Token::parse(token.as_str()), Ok(token.clone()));
        // A name is its own nearest.
        if let Ok(parsed) = Token::parse(&text) {
            prop_assert_eq!(token, parsed);
        }
    }

    #[test]
    fn sets_of_classes_are_sets(one in classes(), other in classes()) {
        let set = |list: &[DataClass]| list.iter().copied().collect::<BTreeSet<_>>();
        let (left, right): (DataClasses, DataClasses) = (one.iter().copied().collect(), other.iter().copied().collect());
        let read = |classes: DataClasses| classes.iter().collect::<BTreeSet<_>>();
        prop_assert_eq!(read(left), set(&one));
        prop_assert_eq!(read(left.union(right)), &set(&one) | &set(&other));
        prop_assert_eq!(read(left.without(right)), &set(&one) - &set(&other));
        prop_assert_eq!(left.is_general(), one.is_empty());
        let json = serde_json::to_string(&left).unwrap();
        prop_assert_eq!(serde_json::from_str::<DataClasses>(&json).unwrap(), left);
    }
}
