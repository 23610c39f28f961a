//! Signed thoughts: a vendor takes them back only unchanged, so they pass byte for byte both ways, and nothing else passes in their guise.
use crate::agent::post;
use crate::gateway_under_test::{Gateway, anthropic, openai};
use crate::upstream::{Answer, Upstream};
use serde_json::{Value, json};

const MAIL: &str = "petra.probe@example.org";
/// An address that the model made up: a detector finds it, and masking it would break the signature.
const INVENTED: &str = "somebody.else@example.com";

fn request(history: &[Value], stream: bool) -> String {
    let mut messages = vec![json!({"role": "user", "content": format!("write to {MAIL}")})];
    messages.extend_from_slice(history);
    json!({"model": "m", "max_tokens": 9, "stream": stream, "thinking": {"type": "adaptive"}, "messages": messages}).to_string()
}

fn placeholder(body: &str) -> String {
    let place = body.find("BW_EMAIL_").unwrap();
    body[place..].chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_').collect()
}

fn thought(body: &str) -> String {
    format!("ask {} \u{e9}\n\"not\" {INVENTED}", placeholder(body))
}

/// An upstream that thinks and signs.
fn thinking_upstream() -> Upstream {
    Upstream::answering(|body| {
        let thought = thought(body);
        let content = json!([{"type": "thinking", "thinking": thought, "signature": "c2ln"}, {"type": "redacted_thinking", "data": "b3BhcXVl"},
            {"type": "text", "text": placeholder(body)}]);
        if !body.contains("\"stream\":true") {
            return Answer::json(&json!({"type": "message", "role": "assistant", "content": content}).to_string());
        }
        let delta = |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
        let start = |index: u64, block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
        let stop = |index: u64| json!({"type": "content_block_stop", "index": index});
        let mut events = vec![start(0, json!({"type": "thinking", "thinking": "", "signature": ""}))];
        let pieces = thought.chars().collect::<Vec<_>>();
        events.extend(pieces.chunks(4).map(|piece| delta(json!({"type": "thinking_delta", "thinking": piece.iter().collect::<String>()}))));
        events.extend([delta(json!({"type": "signature_delta", "signature": "c2ln"})), stop(0)]);
        events.extend([start(1, content[1].clone()), stop(1), start(2, content[2].clone()), stop(2), json!({"type": "message_stop"})]);
        Answer::events(events.iter().map(|event| format!("data: {event}\n\n").into_bytes()).collect())
    })
}

fn assistant(thinking: &str, signature: &str) -> Value {
    json!({"role": "assistant", "content": [{"type": "thinking", "thinking": thinking, "signature": signature},
        {"type": "redacted_thinking", "data": "b3BhcXVl"}, {"type": "text", "text": format!("for {MAIL}")}]})
}

/// The body of the last request that the upstream got.
fn last_body(upstream: &Upstream) -> Value {
    let received = upstream.received();
    serde_json::from_str(received.last().unwrap().split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[test]
fn nothing_else_passes_as_a_thought() {
    let upstream = thinking_upstream();
    let gateway = Gateway::of_session(&[anthropic(upstream.address)]);
    post(gateway.address, "/v1/messages", &request(&[], false));
    let sent = upstream.received();
    let thought = thought(&sent[0]);
    let as_user = json!({"role": "user", "content": [{"type": "thinking", "thinking": thought, "signature": "c2ln"}]});
    let nested = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [
        {"type": "thinking", "thinking": thought, "signature": "c2ln"}]}]});
    for history in [
        assistant(&format!("{thought} {INVENTED}"), "c2ln"),
        assistant(&thought, "b3RoZXI"),
        assistant(INVENTED, "c2ln"),
        assistant(&format!("ask {MAIL}"), "c2ln"),
        as_user,
        nested,
    ] {
        post(gateway.address, "/v1/messages", &request(std::slice::from_ref(&history), false));
        let body = last_body(&upstream).to_string();
        assert!(!body.contains(INVENTED) && !body.contains(MAIL), "{history} gave {body}");
    }
    // A member beside the signed ones is inspected.
    let mut extra = assistant(&thought, "c2ln");
    extra["content"][0]["note"] = json!("someone@example.net");
    post(gateway.address, "/v1/messages", &request(&[extra], false));
    assert!(!last_body(&upstream).to_string().contains("someone@example.net"));
}

#[test]
fn with_two_upstreams_to_choose_from_none_is_spared() {
    let upstream = thinking_upstream();
    let gateway = Gateway::of_session(&[anthropic(upstream.address), anthropic(upstream.address)]);
    post(gateway.address, "/v1/messages", &request(&[], false));
    let sent = upstream.received();
    post(gateway.address, "/v1/messages", &request(&[assistant(&thought(&sent[0]), "c2ln")], false));
    assert!(!last_body(&upstream).to_string().contains(INVENTED));
}

#[test]
fn a_thought_comes_and_goes_unchanged() {
    for stream in [false, true] {
        let upstream = thinking_upstream();
        let gateway = Gateway::of_session(&[openai(upstream.address), anthropic(upstream.address)]);
        let reply = post(gateway.address, "/v1/messages", &request(&[], stream));
        let sent = upstream.received();
        let thought = thought(&sent[0]);
        // The agent sees it with its placeholder, and the text with the value.
        assert!(reply.body.contains(MAIL), "{}", reply.body);
        if !stream {
            assert_eq!(reply.json()["content"][0]["thinking"], thought);
        }
        post(gateway.address, "/v1/messages", &request(&[assistant(&thought, "c2ln")], stream));
        let body = last_body(&upstream);
        let block = &body["messages"][1]["content"][0];
        assert_eq!((&block["thinking"], &block["signature"]), (&json!(thought), &json!("c2ln")), "{stream}");
        assert_eq!(body["messages"][1]["content"][1]["data"], "b3BhcXVl");
        assert!(!body.to_string().contains(MAIL));
    }
}
