//! Chat completions.
use crate::Answer;
use crate::planted::Planted;
use crate::script::{self, Step, Tool, pieces};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn answer(body: &Value, planted: &Planted) -> Answer {
    let tools: Vec<Tool<'_>> = body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|tool| Some(Tool { name: tool["function"]["name"].as_str()?, schema: &tool["function"]["parameters"] }))
        .collect();
    let results = body["messages"].as_array().into_iter().flatten().filter(|message| message["role"] == "tool").count();
    let step = script::next(&tools, &body["messages"], results, planted);
    if body["stream"] == true { streamed(body, &step, results) } else { whole(&step, results) }
}

fn usage() -> Value {
    json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120})
}

fn whole(step: &Step, results: usize) -> Answer {
    let (message, reason) = match step {
        Step::Say(text) => (json!({"role": "assistant", "content": text}), "stop"),
        Step::Tool(name, input) => {
            let call =
                json!({"id": format!("call_{results}"), "type": "function", "function": {"name": name, "arguments": input.to_string()}});
            (json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls")
        }
    };
    let choice = json!({"index": 0, "message": message, "finish_reason": reason});
    Answer::json(&json!({"id": "c", "object": "chat.completion", "created": 1, "model": "canned", "choices": [choice], "usage": usage()}))
}

fn streamed(body: &Value, step: &Step, results: usize) -> Answer {
    let mut out = String::new();
    let mut event = |choices: Value, usage: Value| {
        let event =
            json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "canned", "choices": choices, "usage": usage});
        write!(out, "data: {event}\n\n").unwrap();
    };
    let mut delta = |delta: Value, reason: Value| event(json!([{"index": 0, "delta": delta, "finish_reason": reason}]), Value::Null);
    delta(json!({"role": "assistant", "content": ""}), Value::Null);
    match step {
        Step::Say(text) => {
            for piece in pieces(text) {
                delta(json!({"content": piece}), Value::Null);
            }
            delta(json!({}), json!("stop"));
        }
        Step::Tool(name, input) => {
            let first =
                json!({"index": 0, "id": format!("call_{results}"), "type": "function", "function": {"name": name, "arguments": ""}});
            delta(json!({"tool_calls": [first]}), Value::Null);
            for piece in pieces(&input.to_string()) {
                delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}), Value::Null);
            }
            delta(json!({}), json!("tool_calls"));
        }
    }
    if body["stream_options"]["include_usage"] == true {
        event(json!([]), usage());
    }
    out.push_str("data: [DONE]\n\n");
    Answer { status: 200, stream: true, body: out }
}
