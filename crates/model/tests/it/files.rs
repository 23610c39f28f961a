//! Files that are no model are refused, and nothing crashes over them.

use crate::caller::limits;
use crate::small_model::{bytes, metadata};
use candle_core::quantized::gguf_file::Value;
use model::{Error, Limits, serve};
use std::os::unix::net::UnixListener;
use std::path::Path;

fn serving(model: &Path, limits: Limits) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    serve(listener, model, limits).unwrap_err()
}

#[track_caller]
fn refused(content: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    let error = serving(file.path(), limits());
    assert!(matches!(&error, Error::Model { path, .. } if path == file.path()), "{error}");
    error.to_string()
}

#[test]
fn a_missing_file_is_named() {
    let error = serving(Path::new("/nonexistent/model.gguf"), limits());
    assert!(matches!(error, Error::Open { .. }));
    assert!(error.to_string().starts_with("opening the model /nonexistent/model.gguf: "));
    assert!(matches!(serving(Path::new("/"), limits()), Error::Model { .. }));
}

#[test]
fn limits_of_zero_are_refused() {
    let limits = Limits { queue: 0, ..limits() };
    assert!(matches!(serving(Path::new("/nonexistent"), limits), Error::ZeroLimit("queue")));
}

#[test]
fn more_threads_than_allowed_are_refused() {
    // One thread is the least that a pool has, so there must be two.
    if candle_core::utils::get_num_threads() < 2 {
        eprintln!("skipped: this machine or the environment gives one thread only");
        return;
    }
    let limits = Limits { threads: 1, ..limits() };
    assert!(matches!(serving(Path::new("/nonexistent"), limits), Error::Threads { found: 2.., allowed: 1 }));
}

#[test]
fn what_is_no_gguf_is_refused() {
    for content in [&b""[..], b"GGUF", b"PK\x03\x04 something else", &[0xff; 4096]] {
        assert!(refused(content).contains("fetch the model again"));
    }
}

#[test]
fn a_file_that_breaks_off_is_refused_wherever_it_does() {
    let whole = bytes(&metadata());
    for part in 0..64 {
        refused(&whole[..whole.len() * part / 64]);
    }
}

/// The small model with another value, or without this one.
fn with(name: &str, value: Option<Value>) -> Vec<u8> {
    let mut metadata = metadata();
    metadata.retain(|(other, _)| *other != name);
    metadata.extend(value.map(|value| (Box::leak(name.to_owned().into_boxed_str()) as &str, value)));
    bytes(&metadata)
}

#[test]
fn values_that_the_loader_would_stumble_over_are_refused() {
    let cases = [
        ("general.architecture", Some(Value::String("bert".to_owned()))),
        ("general.alignment", Some(Value::U32(0))),
        ("llama.block_count", Some(Value::U32(0))),
        ("llama.block_count", Some(Value::U32(u32::MAX))),
        ("llama.block_count", Some(Value::U32(2))),
        ("llama.attention.head_count", Some(Value::U32(0))),
        ("llama.attention.head_count_kv", Some(Value::U32(0))),
        ("llama.attention.head_count_kv", Some(Value::U32(3))),
        ("llama.embedding_length", Some(Value::U32(0))),
        ("llama.embedding_length", None),
        ("llama.rope.dimension_count", Some(Value::U32(u32::MAX))),
        ("llama.expert_count", Some(Value::U32(u32::MAX))),
        ("tokenizer.ggml.tokens", Some(Value::Array(vec![Value::String("a".to_owned())]))),
        ("tokenizer.ggml.model", None),
    ];
    for (name, value) in cases {
        refused(&with(name, value));
    }
}
