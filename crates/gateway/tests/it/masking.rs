//! Planted values never reach an upstream, and come back to the agent: in both dialects, whole and streamed, in texts, tool arguments
//! and tool results.
use crate::agent::{post, post_with};
use crate::dialect::{Dialect, placeholders};
use crate::gateway_under_test::{Gateway, anthropic, openai};
use crate::upstream::{Answer, Upstream};
use schema::{Event, Verdict};
use serde_json::json;

const MAIL: &str = "petra.probe@example.org";
const IBAN: &str = "DE89370400440532013000";
const CARD: &str = "4111111111111111";
const PLANTED: [&str; 3] = [MAIL, IBAN, CARD];

/// A request that carries the planted values in a text, a tool's arguments and a tool's result.
fn request(dialect: Dialect, stream: bool) -> String {
    let text = format!("write to {MAIL} about {IBAN}");
    let result = format!("{{\"card\": \"{CARD}\", \"owner\": \"{MAIL}\"}}");
    let messages = match dialect {
        Dialect::OpenAi => json!([
            {"role": "system", "content": text},
            {"role": "user", "content": [{"type": "text", "text": text}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "pay", "arguments": format!("{{\"iban\":\"{IBAN}\",\"note\":\"{MAIL}\"}}")}}]},
            {"role": "tool", "tool_call_id": "t1", "content": result},
        ]),
        Dialect::Anthropic => json!([
            {"role": "user", "content": [{"type": "text", "text": text}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "pay", "input": {"iban": IBAN, "to": [MAIL]}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": result}]},
        ]),
    };
    json!({"model": "m", "max_tokens": 9, "stream": stream, "messages": messages}).to_string()
}

fn round_trip(dialect: Dialect, stream: bool, length: usize) {
    let upstream = Upstream::answering(move |body| {
        let words = placeholders(body).join(" ");
        if stream { dialect.streamed(&words, length) } else { dialect.whole(&words) }
    });
    let gateway = Gateway::of_session(&[openai(upstream.address), anthropic(upstream.address)]);
    let reply = post(gateway.address, dialect.path(), &request(dialect, stream));
    assert_eq!(reply.status, 200, "{}", reply.body);
    let received = upstream.received();
    for planted in PLANTED {
        assert!(!received[0].contains(planted), "{dialect:?} {stream}: {planted} reached the upstream: {}", received[0]);
    }
    let (text, arguments) = dialect.read(stream, &reply);
    for planted in PLANTED {
        assert!(text.contains(planted), "{dialect:?} {stream} {length}: {planted} is missing in {text}");
        assert!(arguments["words"].as_str().unwrap().contains(planted), "{dialect:?} {stream} {length}: {arguments}");
    }
    assert!(!reply.body.contains("BW_"), "{}", reply.body);
    let events = gateway.stop();
    let [Event::CallAuthorised(authorised), Event::CallCompleted(completed)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(authorised.verdict, Verdict::Redact);
    assert_eq!((completed.tokens_in, completed.tokens_out), (Some(11), Some(12)));
    assert_eq!(completed.values_restored, 6);
    let log = format!("{events:?}");
    assert!(PLANTED.iter().all(|planted| !log.contains(planted)), "{log}");
}

#[test]
fn whole_answers() {
    round_trip(Dialect::OpenAi, false, 1);
    round_trip(Dialect::Anthropic, false, 1);
}

#[test]
fn streams_split_everywhere() {
    for length in [1, 2, 3, 5, 7, 11, 13, 29, 1000] {
        round_trip(Dialect::OpenAi, true, length);
        round_trip(Dialect::Anthropic, true, length);
    }
}

#[test]
fn a_value_once_masked_stays_masked_however_it_is_sent_later() {
    let upstream = Upstream::answering(|_| Answer::json(r#"{"choices":[]}"#));
    let gateway = Gateway::of_session(&[openai(upstream.address), anthropic(upstream.address)]);
    let chat = |content: &str| json!({"model": "m", "messages": [{"role": "user", "content": content}]}).to_string();
    post(gateway.address, "/v1/chat/completions", &chat(&format!("mail {MAIL}")));
    post(gateway.address, "/v1/chat/completions", &chat(&format!("xx{MAIL}yy")));
    let message = json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}).to_string();
    post_with(gateway.address, "/v1/messages", &format!("anthropic-beta: {MAIL}\r\n"), &message);
    let count = json!({"model": "m", "messages": [{"role": "user", "content": MAIL}]}).to_string();
    post(gateway.address, "/v1/messages/count_tokens", &count);
    let received = upstream.received();
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|request| !request.contains(MAIL)), "{received:?}");
}

#[test]
fn an_error_body_is_restored_too() {
    let upstream = Upstream::answering(|body| {
        let quoted = placeholders(body).join(" ");
        Answer { status: 400, ..Answer::json(&json!({"error": {"message": format!("bad input: {quoted}")}}).to_string()) }
    });
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": MAIL}]}).to_string();
    let reply = post(gateway.address, "/v1/chat/completions", &body);
    assert_eq!((reply.status, reply.json()["error"]["message"].as_str().unwrap()), (400, format!("bad input: {MAIL}").as_str()));
}
