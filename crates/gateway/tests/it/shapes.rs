//! Requests of the shape that real agents send: structure, keys, types and sizes of what Claude Code 2.1.330 and aider 0.86.2 sent in a task
//! of three calls; every text is made up (`~N` stands for one of N bytes). Recorded through `examples/canned`.
use crate::agent::post_with;
use crate::gateway_under_test::{Gateway, anthropic, openai};
use crate::upstream::{Answer, Upstream};
use serde_json::Value;

const CLAUDE_CODE: &str = include_str!("shapes/claude-code-2.1.330.jsonl");
const AIDER: &str = include_str!("shapes/aider-0.86.2.jsonl");

const PLANTED: [&str; 4] = ["petra.probe@example.org", "DE89370400440532013000", "4111111111111111", "+49 30 901820"];
/// Names of the length and form of real ones, with dates after words that name secrets.
const BETAS: &str =
    "agent-code-20250219,mixed-thinking-2025-05-14,context-keeping-2025-06-27,thinking-token-count-2026-05-13,deep-tool-use-2025-11-20";

/// A made-up text of that many bytes, with values in it if they fit.
fn text(bytes: usize, planted: bool) -> String {
    let values = format!("Ask {} about {}, {} or {}. ", PLANTED[0], PLANTED[1], PLANTED[2], PLANTED[3]);
    let mut text = if planted && bytes >= values.len() { values } else { String::new() };
    while text.len() < bytes {
        text.push_str("the harbour keeps its boats and ropes in order \"by name\"\n");
    }
    text.truncate(bytes);
    text
}

fn expand(value: &mut Value, planted: bool) {
    match value {
        Value::String(string) => {
            if let Some(bytes) = string.strip_prefix('~') {
                *string = text(bytes.parse().unwrap(), planted);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| expand(item, planted)),
        Value::Object(members) => members.values_mut().for_each(|member| expand(member, planted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The same structure with all strings emptied.
fn skeleton(value: &Value) -> Value {
    match value {
        Value::String(_) => Value::String(String::new()),
        Value::Array(items) => items.iter().map(skeleton).collect(),
        Value::Object(members) => members.iter().map(|(key, member)| (key.clone(), skeleton(member))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn requests(shapes: &str, planted: bool) -> Vec<Value> {
    let parse = |line: &str| {
        let mut request = serde_json::from_str(line).unwrap();
        expand(&mut request, planted);
        request
    };
    shapes.lines().map(parse).collect()
}

/// Sends each request in one session; gives what was sent and what arrived, head and body.
fn sent(shapes: &str, path: &str, headers: &str, planted: bool) -> Vec<(String, String, String)> {
    let upstream = Upstream::answering(|_| Answer::json(r#"{"choices":[],"content":[]}"#));
    let gateway = Gateway::of_session(&[openai(upstream.address), anthropic(upstream.address)]);
    let mut bodies = Vec::new();
    for request in requests(shapes, planted) {
        let body = request.to_string();
        let path = path.replace("OWN", &gateway.address.to_string());
        assert_eq!(post_with(gateway.address, &path, headers, &body).status, 200);
        bodies.push(body);
    }
    let received = upstream.received();
    let arrived = received.iter().map(|request| request.split_once("\r\n\r\n").unwrap());
    bodies.into_iter().zip(arrived).map(|(body, (head, arrived))| (body, head.to_owned(), arrived.to_owned())).collect()
}

#[test]
fn nothing_planted_leaves_and_the_structure_stays() {
    for (shapes, path) in
        [(CLAUDE_CODE, "/v1/messages?beta=true"), (CLAUDE_CODE, "http://OWN/v1/messages?beta=true"), (AIDER, "/v1/chat/completions")]
    {
        let calls = sent(shapes, path, "", true);
        assert_eq!(calls.len(), 3);
        for (body, _, arrived) in calls {
            assert!(PLANTED.iter().any(|value| body.contains(value)), "nothing was planted in {body}");
            assert!(PLANTED.iter().all(|value| !arrived.contains(value)), "{arrived}");
            let (before, after): (Value, Value) = (serde_json::from_str(&body).unwrap(), serde_json::from_str(&arrived).unwrap());
            assert_eq!(skeleton(&before), skeleton(&after));
        }
    }
}

#[test]
fn what_holds_nothing_arrives_byte_for_byte_with_its_versions() {
    let headers = format!("anthropic-version: 2023-06-01\r\nanthropic-beta: {BETAS}\r\nx-stainless-retry-count: 0\r\nx-app: cli\r\n");
    for (body, head, arrived) in sent(CLAUDE_CODE, "/v1/messages?beta=true", &headers, false) {
        assert_eq!(body, arrived);
        assert!(head.contains(&format!("anthropic-beta: {BETAS}\r\n")) && !head.contains("x-app") && !head.contains("stainless"), "{head}");
    }
    for (body, _, arrived) in sent(AIDER, "/v1/chat/completions", "", false) {
        assert_eq!(body, arrived);
    }
}
