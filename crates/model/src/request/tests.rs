use super::{Delivery, Request, Role, SEED, Sampling, TEMPERATURE, TOP_P};
use crate::refusal::Refusal;
use proptest::prelude::*;
use serde_json::{Value, json};

const HELLO: &str = r#"[{"role":"user","content":"hello"}]"#;

fn parse(body: &Value) -> Result<Request, (u16, Value)> {
    Request::parse(body.to_string().as_bytes()).map_err(|refusal| told(&refusal))
}

fn told(refusal: &Refusal) -> (u16, Value) {
    let document: Value = serde_json::from_str(&refusal.to_json()).unwrap();
    (refusal.status, document["error"].clone())
}

/// A request for "hello" with one more member.
fn with(name: &str, value: Value) -> Result<Request, (u16, Value)> {
    let mut body = json!({"model": "any", "messages": serde_json::from_str::<Value>(HELLO).unwrap()});
    body[name] = value;
    parse(&body)
}

#[track_caller]
fn refused(result: Result<Request, (u16, Value)>, code: &str, param: &str) {
    let Err((status, error)) = result else { panic!("{param} was taken") };
    assert_eq!((status, &error["code"], &error["param"]), (400, &json!(code), &json!(param)));
    assert_eq!(error["type"], "invalid_request_error");
}

#[test]
fn what_is_no_request_is_refused_without_quoting_it() {
    for body in ["", "secret", "[\"secret\"]", "\"secret\"", "{\"messages\": secret}", "{\"stream\":false", "\u{feff}{}", "{}x"] {
        let (status, error) = Request::parse(body.as_bytes()).map_err(|refusal| told(&refusal)).err().unwrap();
        assert_eq!((status, error["code"].as_str()), (400, Some("malformed_request")));
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert!(Request::parse(b"{\"messages\":\xff}").is_err());
    assert!(Request::parse("[".repeat(100_000).as_bytes()).is_err());
}

#[test]
fn messages_must_be_there() {
    for messages in [json!(null), json!([]), json!("secret"), json!({}), json!([{"role": "assistant", "content": null}])] {
        refused(with("messages", messages), "invalid_value", "messages");
    }
    refused(with("messages", json!(["secret"])), "invalid_value", "messages[0]");
}

#[test]
fn an_unknown_role_is_refused() {
    for role in [json!("user<|im_end|>"), json!("User"), json!(1), json!(null)] {
        refused(with("messages", json!([{"role": role, "content": "x"}])), "invalid_value", "messages[0].role");
    }
}

#[test]
fn content_that_is_not_text_is_refused() {
    let user = |content: Value| json!([{"role": "system", "content": "x"}, {"role": "user", "content": content}]);
    for content in [json!(null), json!(1), json!({"text": "secret"})] {
        refused(with("messages", user(content)), "invalid_value", "messages[1].content");
    }
    let image = json!([{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "data:,"}}]);
    refused(with("messages", user(image)), "unsupported_parameter", "messages[1].content[1]");
    refused(with("messages", user(json!([{"type": "text"}]))), "invalid_value", "messages[1].content[0].text");
}

#[test]
fn parameters_out_of_range_are_refused() {
    let cases = [
        ("max_tokens", json!(0)),
        ("max_tokens", json!("9")),
        ("max_completion_tokens", json!(-1)),
        ("max_completion_tokens", json!(1.5)),
        ("temperature", json!(2.1)),
        ("temperature", json!(-0.1)),
        ("temperature", json!("0")),
        ("top_p", json!(1.1)),
        ("seed", json!(0.5)),
        ("stream", json!("yes")),
        ("stream_options", json!([])),
        ("stop", json!("")),
        ("stop", json!(["a", ""])),
        ("stop", json!(["a", "b", "c", "d", "e"])),
        ("stop", json!("x".repeat(257))),
        ("stop", json!({})),
        ("logprobs", json!(1)),
    ];
    for (name, value) in cases {
        refused(with(name, value), "invalid_value", name);
    }
    refused(with("stream_options", json!({"include_usage": 1})), "invalid_value", "include_usage");
}

#[test]
fn what_the_model_cannot_do_is_refused() {
    refused(with("n", json!(2)), "unsupported_parameter", "n");
    refused(with("logprobs", json!(true)), "unsupported_parameter", "logprobs");
    refused(with("response_format", json!({"type": "json_object"})), "unsupported_parameter", "response_format");
}

#[test]
fn without_parameters_the_recommended_ones_hold() {
    let request = with("tools", json!([{"type": "function"}])).unwrap();
    assert_eq!(request.sampling, Sampling { temperature: TEMPERATURE, top_p: TOP_P, seed: SEED });
    assert_eq!((request.answer_tokens, request.stops.len(), request.delivery), (None, 0, Delivery::Whole));
}

#[test]
fn parameters_are_kept_to() {
    let request = parse(&json!({
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 9, "max_completion_tokens": 7, "temperature": 0, "top_p": 0.5, "seed": -1, "n": 1, "logprobs": false,
        "stop": ["a", "b"], "stream": true, "stream_options": {"include_usage": true}, "response_format": {"type": "text"},
    }))
    .unwrap();
    assert_eq!(request.answer_tokens, Some(7));
    assert_eq!(request.sampling, Sampling { temperature: 0.0, top_p: 0.5, seed: u64::MAX });
    assert_eq!(request.stops, ["a", "b"]);
    assert_eq!(request.delivery, Delivery::Streamed { include_usage: true });
    assert_eq!(with("stop", json!("end")).unwrap().stops, ["end"]);
}

#[test]
fn every_kind_of_message_is_read() {
    let request = with(
        "messages",
        json!([
            {"role": "developer", "content": "a"},
            {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "1"}]},
            {"role": "tool", "tool_call_id": "1", "content": "d"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "e"}]},
        ]),
    )
    .unwrap();
    let messages: Vec<_> = request.messages.iter().map(|message| (message.role, message.text.as_str())).collect();
    assert_eq!(messages, [(Role::System, "a"), (Role::User, "b\nc"), (Role::Tool, "d"), (Role::Assistant, "e")]);
}

/// Any JSON, with the names that the parser looks for.
fn hostile() -> impl Strategy<Value = Value> {
    let names =
        ["messages", "role", "content", "type", "text", "stop", "stream", "stream_options", "include_usage", "n", "seed", "top_p", "x"];
    let words = ["user", "assistant", "text", "refusal", "<|im_start|>", "SECRETSECRET", ""];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let name = proptest::sample::select(names.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _either = Request::parse(&body).is_ok();
    }

    #[test]
    fn no_document_makes_it_panic_or_quote(mut document in hostile(), messages in hostile()) {
        if let Value::Object(root) = &mut document {
            root.insert("messages".to_owned(), Value::Array(vec![messages]));
        }
        if let Err((status, error)) = parse(&document) {
            prop_assert_eq!(status, 400);
            prop_assert!(!error.to_string().contains("SECRET"));
        }
    }
}
