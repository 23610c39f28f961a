//! Both dialects as an upstream answers and as an agent reads.
use crate::agent::Reply;
use crate::upstream::Answer;
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
}

impl Dialect {
    pub(crate) fn path(self) -> &'static str {
        if self == Self::OpenAi { "/v1/chat/completions" } else { "/v1/messages" }
    }

    /// An answer that carries these words in its text and in a tool's arguments.
    pub(crate) fn whole(self, words: &str) -> Answer {
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
    pub(crate) fn streamed(self, words: &str, length: usize) -> Answer {
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
    pub(crate) fn read(self, stream: bool, reply: &Reply) -> (String, Value) {
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
pub(crate) fn placeholders(body: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (place, _) in body.match_indices("BW_") {
        let word: String = body[place..].chars().take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_').collect();
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}
