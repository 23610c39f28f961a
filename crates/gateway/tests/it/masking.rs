//! Planted values never reach an upstream, and come back to the agent: in both dialects, whole and streamed, in texts, tool arguments
//! and tool results.
use crate::agent::{Reply, post, post_with};
use crate::gateway_under_test::{Gateway, anthropic, openai};
use crate::upstream::{Answer, Upstream};
use schema::{Event, Verdict};
use serde_json::{Value, json};

const MAIL: &str = "petra.probe@example.org";
const IBAN: &str = "DE89370400440532013000";
const CARD: &str = "4111111111111111";
const PLANTED: [&str; 3] = [MAIL, IBAN, CARD];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Dialect {
    OpenAi,
    Anthropic,
}

impl Dialect {
    fn path(self) -> &'static str {
        if self == Self::OpenAi { "/v1/chat/completions" } else { "/v1/messages" }
    }

    /// A request that carries the planted values in a text, a tool's arguments and a tool's result.
    fn request(self, stream: bool) -> String {
        let text = format!("write to {MAIL} about {IBAN}");
        let result = format!("{{\"card\": \"{CARD}\", \"owner\": \"{MAIL}\"}}");
        let messages = match self {
            Self::OpenAi => json!([
                {"role": "system", "content": text},
                {"role": "user", "content": [{"type": "text", "text": text}]},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "t1", "type": "function", "function": {"name": "pay", "arguments": format!("{{\"iban\":\"{IBAN}\",\"note\":\"{MAIL}\"}}")}}]},
                {"role": "tool", "tool_call_id": "t1", "content": result},
            ]),
            Self::Anthropic => json!([
                {"role": "user", "content": [{"type": "text", "text": text}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "pay", "input": {"iban": IBAN, "to": [MAIL]}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": result}]},
            ]),
        };
        json!({"model": "m", "max_tokens": 9, "stream": stream, "messages": messages}).to_string()
    }

    /// An answer that carries these words in its text and in a tool's arguments.
    fn whole(self, words: &str) -> Answer {
        let arguments = json!({"words": words});
        let body = match self {
            Self::OpenAi => {
                json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": words, "tool_calls": [
                {"id": "t2", "type": "function", "function": {"name": "pay", "arguments": arguments.to_string()}}]}}],
                "usage": {"prompt_tokens": 11, "completion_tokens": 12}})
            }
            Self::Anthropic => json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": words},
                {"type": "tool_use", "id": "t2", "name": "pay", "input": arguments}], "usage": {"input_tokens": 11, "output_tokens": 12}}),
        };
        Answer::json(&body.to_string())
    }

    /// The same, in events whose pieces have `length` characters.
    fn streamed(self, words: &str, length: usize) -> Answer {
        let arguments = json!({"words": words}).to_string();
        let mut events: Vec<Value> = Vec::new();
        let pieces =
            |text: &str| text.as_bytes().chunks(length).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect::<Vec<_>>();
        match self {
            Self::OpenAi => {
                let delta = |delta: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
                events.extend(pieces(words).into_iter().map(|piece| delta(json!({"content": piece}))));
                let call = |piece: String| json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]});
                events.extend(pieces(&arguments).into_iter().map(|piece| delta(call(piece))));
                events.push(json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}));
                events.push(json!({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 12}}));
            }
            Self::Anthropic => {
                let delta = |index: u64, delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
                events.push(json!({"type": "message_start", "message": {"usage": {"input_tokens": 11, "output_tokens": 1}}}));
                events.extend(pieces(words).into_iter().map(|piece| delta(0, json!({"type": "text_delta", "text": piece}))));
                events.push(json!({"type": "content_block_stop", "index": 0}));
                let json_delta = |piece: String| delta(1, json!({"type": "input_json_delta", "partial_json": piece}));
                events.extend(pieces(&arguments).into_iter().map(json_delta));
                events.push(json!({"type": "content_block_stop", "index": 1}));
                events.push(json!({"type": "message_delta", "usage": {"output_tokens": 12}}));
                events.push(json!({"type": "message_stop"}));
            }
        }
        let mut lines = events.iter().map(|event| format!("data: {event}\n\n")).collect::<Vec<_>>().concat();
        if self == Self::OpenAi {
            lines.push_str("data: [DONE]\n\n");
        }
        Answer::events(lines.into_bytes().chunks(length * 7 + 1).map(<[u8]>::to_vec).collect())
    }

    /// Text and tool arguments as the agent has them in the end.
    fn read(self, stream: bool, reply: &Reply) -> (String, Value) {
        if !stream {
            let body = reply.json();
            return match self {
                Self::OpenAi => {
                    let message = &body["choices"][0]["message"];
                    let arguments = message["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
                    (message["content"].as_str().unwrap().to_owned(), serde_json::from_str(arguments).unwrap())
                }
                Self::Anthropic => (body["content"][0]["text"].as_str().unwrap().to_owned(), body["content"][1]["input"].clone()),
            };
        }
        let (mut text, mut arguments) = (String::new(), String::new());
        for line in reply.body.lines().filter_map(|line| line.strip_prefix("data: {")) {
            let event: Value = serde_json::from_str(&format!("{{{line}")).unwrap();
            let (piece, argument) = match self {
                Self::OpenAi => {
                    let delta = &event["choices"][0]["delta"];
                    (&delta["content"], &delta["tool_calls"][0]["function"]["arguments"])
                }
                Self::Anthropic => (&event["delta"]["text"], &event["delta"]["partial_json"]),
            };
            text.push_str(piece.as_str().unwrap_or_default());
            arguments.push_str(argument.as_str().unwrap_or_default());
        }
        (text, serde_json::from_str(&arguments).unwrap())
    }
}

/// Every placeholder of a request, once, in the order of the text.
fn placeholders(body: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (place, _) in body.match_indices("BW_") {
        let word: String = body[place..].chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_').collect();
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

fn round_trip(dialect: Dialect, stream: bool, length: usize) {
    let upstream = Upstream::answering(move |body| {
        let words = placeholders(body).join(" ");
        if stream { dialect.streamed(&words, length) } else { dialect.whole(&words) }
    });
    let gateway = Gateway::of_session(&[openai(upstream.address), anthropic(upstream.address)]);
    let reply = post(gateway.address, dialect.path(), &dialect.request(stream));
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
