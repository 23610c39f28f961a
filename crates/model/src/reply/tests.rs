use super::{Events, Label, models, whole};
use crate::generation::{EndReason, Piece};
use crate::refusal::Refusal;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;

fn label() -> Label {
    Label { id: "chatcmpl-1".to_owned(), created: 7, model: "m".to_owned() }
}

fn pieces(list: Vec<Piece>) -> mpsc::Receiver<Piece> {
    let (out, pieces) = mpsc::channel(16);
    for piece in list {
        assert!(out.try_send(piece).is_ok());
    }
    pieces
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn streamed(include_usage: bool, list: Vec<Piece>) -> Vec<Value> {
    let events = Events::new(label(), 5, include_usage, pieces(list));
    let Ok(body) = block(events.collect());
    let body = String::from_utf8(body.to_bytes().to_vec()).unwrap();
    let data = body.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap());
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data))).collect()
}

#[test]
fn an_answer_that_breaks_off_is_no_whole_answer() {
    assert!(block(whole(&label(), 5, &mut pieces(vec![text("a")]))).is_err());
    assert!(block(whole(&label(), 5, &mut pieces(vec![text("a"), Piece::Refused(Refusal::internal())]))).is_err());
}

#[test]
fn a_stream_that_breaks_off_ends_with_an_error() {
    for list in [vec![text("a")], vec![text("a"), Piece::Refused(Refusal::internal())]] {
        let events = streamed(false, list);
        assert_eq!(events.len(), 3);
        assert_eq!(events[2]["error"]["code"], "internal_error");
    }
}

#[test]
fn a_whole_answer_has_text_reason_and_usage() {
    let list = vec![text("a\n"), text("é"), Piece::Ended { reason: EndReason::Length, answer_tokens: 3 }];
    let answer: Value = serde_json::from_str(&block(whole(&label(), 5, &mut pieces(list))).ok().unwrap()).unwrap();
    let choice = json!({"index": 0, "message": {"role": "assistant", "content": "a\né", "refusal": null}, "logprobs": null, "finish_reason": "length"});
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8});
    assert_eq!(
        answer,
        json!({"id": "chatcmpl-1", "object": "chat.completion", "created": 7, "model": "m", "choices": [choice], "usage": usage})
    );
}

#[test]
fn a_stream_has_the_same_in_parts() {
    let list = || vec![text("a\n"), text("é"), Piece::Ended { reason: EndReason::Stop, answer_tokens: 3 }];
    let events = streamed(true, list());
    let deltas: Vec<&Value> = events[..4].iter().map(|event| &event["choices"][0]["delta"]).collect();
    assert_eq!(deltas, [&json!({"role": "assistant", "content": ""}), &json!({"content": "a\n"}), &json!({"content": "é"}), &json!({})]);
    assert_eq!(events[3]["choices"][0]["finish_reason"], "stop");
    assert!(events[..4].iter().all(|event| event["usage"].is_null() && event.get("usage").is_some()));
    assert_eq!(events[4]["choices"], json!([]));
    assert_eq!(events[4]["usage"]["total_tokens"], 8);
    assert_eq!(events[5], "[DONE]");
    let without = streamed(false, list());
    assert_eq!(without.len(), 5);
    assert!(without.iter().all(|event| event.get("usage").is_none()));
}

#[test]
fn the_list_of_models_names_the_one() {
    let list: Value = serde_json::from_str(&models(&label())).unwrap();
    assert_eq!(list, json!({"object": "list", "data": [{"id": "m", "object": "model", "created": 7, "owned_by": "bailiwick"}]}));
}
