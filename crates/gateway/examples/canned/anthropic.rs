//! Messages.
use crate::Answer;
use crate::planted::Planted;
use crate::script::{self, Step, Tool, pieces};
use serde_json::{Value, json};
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

pub(super) fn answer(body: &Value, planted: &Planted) -> Answer {
    let blocks =
        || body["messages"].as_array().into_iter().flatten().flat_map(|message| message["content"].as_array().into_iter().flatten());
    if blocks().any(|block| block["type"] == "thinking" && block["signature"] != signature(block["thinking"].as_str().unwrap_or_default()))
    {
        let error = json!({"type": "invalid_request_error", "message": "Invalid `signature` in `thinking` block"});
        return Answer { status: 400, ..Answer::json(&json!({"type": "error", "error": error})) };
    }
    let tools: Vec<Tool<'_>> = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tool| Some(Tool { name: tool["name"].as_str()?, schema: &tool["input_schema"] }))
        .collect();
    let results = blocks().filter(|block| block["type"] == "tool_result").count();
    let step = script::next(&tools, &body["messages"], results, planted);
    let mut content = Vec::new();
    if matches!(body["thinking"]["type"].as_str(), Some("enabled" | "adaptive")) {
        let thought = thought(&step);
        content.push(json!({"type": "thinking", "thinking": thought, "signature": signature(&thought)}));
    }
    let reason = match step {
        Step::Say(text) => {
            content.push(json!({"type": "text", "text": text}));
            "end_turn"
        }
        Step::Tool(name, input) => {
            content.push(json!({"type": "tool_use", "id": format!("toolu_{results}"), "name": name, "input": input}));
            "tool_use"
        }
    };
    if body["stream"] == true { streamed(&content, reason) } else { whole(&content, reason) }
}

/// A thought that holds the session's placeholder, and an address that no session has: both come back and must not be touched.
fn thought(step: &Step) -> String {
    let about = match step {
        Step::Say(text) => text.clone(),
        Step::Tool(name, input) => format!("{name} {input}"),
    };
    format!("Next: {about}. Not to be taken for somebody.else@example.com.")
}

fn signature(thought: &str) -> String {
    let mut hasher = DefaultHasher::new();
    thought.hash(&mut hasher);
    format!("c2lnbmVk{:016x}", hasher.finish())
}

fn message(content: &[Value], reason: &Value) -> Value {
    json!({"id": "msg_canned", "type": "message", "role": "assistant", "model": "canned", "content": content, "stop_reason": reason,
        "stop_sequence": null, "usage": {"input_tokens": 100, "output_tokens": 20, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}})
}

fn whole(content: &[Value], reason: &str) -> Answer {
    Answer::json(&message(content, &json!(reason)))
}

fn streamed(content: &[Value], reason: &str) -> Answer {
    let mut out = String::new();
    let mut event = |event: Value| write!(out, "event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()).unwrap();
    event(json!({"type": "message_start", "message": message(&[], &Value::Null)}));
    event(json!({"type": "ping"}));
    for (index, block) in content.iter().enumerate() {
        let start = match block["type"].as_str().unwrap() {
            "thinking" => json!({"type": "thinking", "thinking": "", "signature": ""}),
            "text" => json!({"type": "text", "text": ""}),
            _ => json!({"type": "tool_use", "id": block["id"], "name": block["name"], "input": {}}),
        };
        let mut deltas = Vec::new();
        match block["type"].as_str().unwrap() {
            "thinking" => {
                deltas.extend(
                    pieces(block["thinking"].as_str().unwrap())
                        .into_iter()
                        .map(|piece| json!({"type": "thinking_delta", "thinking": piece})),
                );
                deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            }
            "text" => {
                deltas
                    .extend(pieces(block["text"].as_str().unwrap()).into_iter().map(|piece| json!({"type": "text_delta", "text": piece})));
            }
            _ => deltas.extend(
                pieces(&block["input"].to_string()).into_iter().map(|piece| json!({"type": "input_json_delta", "partial_json": piece})),
            ),
        }
        event(json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in deltas {
            event(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        event(json!({"type": "content_block_stop", "index": index}));
    }
    event(json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": 20}}));
    event(json!({"type": "message_stop"}));
    Answer { status: 200, stream: true, body: out }
}
