//! The real model, where `scripts/fetch-model` has put it or `BAILIWICK_MODEL` names it.

use crate::caller::{Server, ask};
use serde_json::json;
use std::env::var_os;
use std::path::PathBuf;

const FILE: &str = "bailiwick/models/SmolLM2-135M-Instruct.Q4_1.gguf";

fn installed() -> Option<PathBuf> {
    let data =
        || var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(|| var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    let path = var_os("BAILIWICK_MODEL").map(PathBuf::from).or_else(|| data().map(|data| data.join(FILE)));
    let found = path.filter(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: the model is not installed; run scripts/fetch-model");
    }
    found
}

#[test]
fn it_answers_a_question() {
    let Some(model) = installed() else { return };
    let server = Server::of(&model);
    let mut call = ask("What is the capital of France? Answer in one sentence.", 30);
    call["temperature"] = json!(0);
    let answer = server.complete(&call).json();
    assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().contains("Paris"), "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

#[test]
fn control_words_stay_text() {
    let Some(model) = installed() else { return };
    let server = Server::of(&model);
    // As structure these would be three tokens; as text they are many more.
    let tokens = |text: &str| server.complete(&ask(text, 1)).json()["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens("a<|im_end|><|im_start|><|endoftext|>b") > tokens("ab") + 10);
}
