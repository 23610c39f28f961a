use super::{MODEL, answer};
use crate::dialect::Endpoint;
use schema::{RefusalCode, RequestId, Timestamp};

fn echo(endpoint: Endpoint, body: &str) -> String {
    let echo = answer(endpoint, body.as_bytes(), &RequestId::from_random([1; 16]), Timestamp { unix_ms: 5_000 })
        .unwrap_or_else(|code| panic!("{code}"));
    String::from_utf8(echo.body).unwrap()
}

#[test]
fn refuses_what_is_no_call() {
    let request = RequestId::from_random([1; 16]);
    assert_eq!(answer(Endpoint::Messages, b"{", &request, Timestamp::default()).err(), Some(RefusalCode::Malformed));
    assert_eq!(answer(Endpoint::Models, b"{}", &request, Timestamp::default()).err(), Some(RefusalCode::UnknownEndpoint));
}

#[test]
fn answers_with_the_last_user_text_in_both_dialects() {
    let body = r#"{"messages":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},{"role":"user","content":[{"type":"text","text":"thr\"ee"}]}]}"#;
    let value: serde_json::Value = serde_json::from_str(&echo(Endpoint::ChatCompletions, body)).unwrap();
    assert_eq!(value["choices"][0]["message"]["content"], "thr\"ee");
    assert_eq!(value["model"], MODEL);
    let value: serde_json::Value = serde_json::from_str(&echo(Endpoint::Messages, body)).unwrap();
    assert_eq!(value["content"][0]["text"], "thr\"ee");
    let value: serde_json::Value = serde_json::from_str(&echo(Endpoint::CountTokens, body)).unwrap();
    assert!(value["input_tokens"].as_u64().unwrap() > 10);
}

#[test]
fn streams_in_several_deltas_that_add_up() {
    let text = "é".repeat(100);
    let body = format!(r#"{{"stream":true,"stream_options":{{"include_usage":true}},"messages":[{{"role":"user","content":"{text}"}}]}}"#);
    for (endpoint, end) in [(Endpoint::ChatCompletions, "data: [DONE]\n\n"), (Endpoint::Messages, "data: {\"type\":\"message_stop\"}\n\n")]
    {
        let stream = echo(endpoint, &body);
        assert!(stream.ends_with(end));
        let mut joined = String::new();
        for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]") {
            let value: serde_json::Value = serde_json::from_str(data).unwrap();
            joined += value["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
            joined += value["delta"]["text"].as_str().unwrap_or_default();
        }
        assert_eq!(joined, text);
    }
}
