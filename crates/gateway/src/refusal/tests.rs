use super::{answer, status, stream_event};
use crate::dialect::Dialect;
use schema::{RefusalCode, RequestId, Token};

#[test]
fn policy_refusals_have_a_status_that_libraries_do_not_repeat() {
    for code in [
        RefusalCode::Denied,
        RefusalCode::NoRoute,
        RefusalCode::Held,
        RefusalCode::UnknownShape,
        RefusalCode::Malformed,
        RefusalCode::Unauthenticated,
    ] {
        assert!((400..=404).contains(&status(code)), "{code}");
        assert!(!answer(Dialect::OpenAi, code, &[], None).retry);
    }
    assert!(answer(Dialect::OpenAi, RefusalCode::Overloaded, &[], None).retry);
}

#[test]
fn every_refusal_is_json_with_code_rules_and_request_in_both_dialects() {
    let rules = [Token::parse("pilot.personal").unwrap(), Token::parse("r2").unwrap()];
    let request = RequestId::from_random([7; 16]);
    for code in RefusalCode::ALL {
        for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
            let refusal = answer(dialect, *code, &rules, Some(&request));
            let value: serde_json::Value = serde_json::from_slice(&refusal.body).unwrap();
            let error = &value["error"];
            assert_eq!(error["bailiwick"]["code"], code.name());
            assert_eq!(error["bailiwick"]["rules"][1], "r2");
            assert_eq!(error["bailiwick"]["request_id"], request.as_str());
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(code.name()) && message.contains("pilot.personal") && message.contains(code.advice()));
            assert!(error["type"].is_string());
        }
    }
}

#[test]
fn a_refusal_in_a_stream_is_one_event() {
    for (dialect, head) in [(Dialect::OpenAi, "data: {"), (Dialect::Anthropic, "event: error\ndata: {")] {
        let event = String::from_utf8(stream_event(dialect, RefusalCode::UpstreamMalformed, &[], None)).unwrap();
        assert!(event.starts_with(head) && event.ends_with("}\n\n") && event.matches("\n\n").count() == 1);
    }
}
