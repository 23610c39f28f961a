//! What the server answers.

use crate::caller::{Server, ask, limits};
use model::Limits;
use serde_json::{Value, json};

#[test]
fn the_one_model_is_named_after_its_file() {
    let list = Server::small(limits()).call("GET /v1/models", "").json();
    assert_eq!((&list["object"], &list["data"][0]["id"], &list["data"][1]), (&json!("list"), &json!("small"), &Value::Null));
}

#[test]
fn a_stream_tells_the_same_as_a_whole_answer() {
    let server = Server::small(limits());
    for seed in 0..4 {
        let mut call = ask("hello", 60);
        call["seed"] = json!(seed);
        call["temperature"] = json!(1.0);
        let whole = server.complete(&call).json();
        call["stream"] = json!(true);
        call["stream_options"] = json!({"include_usage": true});
        let reply = server.complete(&call);
        assert!(reply.head.contains("content-type: text/event-stream"));
        let mut events = reply.events();
        assert_eq!(events.pop(), Some("[DONE]"));
        let events: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
        let deltas = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
        assert_eq!(whole["choices"][0]["message"]["content"], json!(deltas.collect::<String>()));
        let (usage, end) = (&events[events.len() - 1], &events[events.len() - 2]);
        assert_eq!(usage["usage"], whole["usage"]);
        assert_eq!(end["choices"][0]["finish_reason"], whole["choices"][0]["finish_reason"]);
    }
}

#[test]
fn the_same_call_gives_the_same_answer_and_another_seed_another() {
    let server = Server::small(limits());
    let text = |seed: u64, temperature: f64| {
        let mut call = ask("hello", 40);
        call["seed"] = json!(seed);
        call["temperature"] = json!(temperature);
        call["top_p"] = json!(1.0);
        server.complete(&call).json()["choices"][0]["message"]["content"].to_string()
    };
    assert_eq!(text(1, 1.5), text(1, 1.5));
    assert_ne!(text(1, 1.5), text(2, 1.5));
    assert_eq!(text(1, 0.0), text(2, 0.0));
}

#[test]
fn an_answer_keeps_to_its_bounds() {
    let server = Server::small(Limits { answer_tokens: 20, ..limits() });
    let answer = server.complete(&ask("hello", 5)).json();
    assert_eq!((&answer["choices"][0]["finish_reason"], &answer["usage"]["completion_tokens"]), (&json!("length"), &json!(5)));
    // The server's bound holds where the caller asks for more, and the context where it leaves less.
    assert_eq!(server.complete(&ask("hello", 50)).json()["usage"]["completion_tokens"], json!(20));
    let prompt = server.complete(&ask("", 1)).json()["usage"]["prompt_tokens"].as_u64().unwrap();
    let filler = usize::try_from(2048 - prompt - 3).unwrap();
    let usage = &server.complete(&ask(&"x".repeat(filler), 50)).json()["usage"];
    assert_eq!((&usage["completion_tokens"], &usage["total_tokens"]), (&json!(3), &json!(2048)));
}

#[test]
fn an_answer_ends_before_a_stop_sequence() {
    let server = Server::small(limits());
    let mut call = ask("hello", 60);
    let whole = server.complete(&call).json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    let middle: Vec<char> = whole.chars().collect();
    let stop: String = middle[middle.len() / 2..middle.len() / 2 + 2].iter().collect();
    call["stop"] = json!(stop);
    let answer = server.complete(&call).json();
    let before = whole.split(&stop).next().unwrap();
    assert_eq!((&answer["choices"][0]["message"]["content"], &answer["choices"][0]["finish_reason"]), (&json!(before), &json!("stop")));
}

#[test]
fn an_answer_carries_nothing_of_the_one_before() {
    let server = Server::small(limits());
    let answer = || server.complete(&ask("hello", 30)).json()["choices"].clone();
    let first = answer();
    server.complete(&ask("something quite different, and longer", 50));
    assert_eq!(answer(), first);
}
