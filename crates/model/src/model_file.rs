//! Reads a GGUF file (specification: `ggml/docs/gguf.md`). The file is checked before libraries that trust it see it.

use crate::Error;
use crate::faster::rewritten;
use crate::limits::{LAYERS_MAX, MODEL_BYTES_MAX, REASON_CHARACTERS_MAX};
use crate::vocabulary::Vocabulary;
use candle_core::Device;
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use candle_transformers::models::quantized_llama::{MAX_SEQ_LEN, ModelWeights};
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tokenizers::Tokenizer;

/// A model in memory.
pub(crate) struct Model {
    /// As loaded, with no trace of any call: each answer is computed on a clone, which shares the weights and nothing else.
    pub(crate) weights: ModelWeights,
    pub(crate) vocabulary: Vocabulary,
    /// What the model can take, in tokens.
    pub(crate) context_tokens: usize,
}

impl Model {
    /// Loads a file.
    ///
    /// # Errors
    /// [`Error::Open`] or [`Error::Model`], also where a library would panic over a malformed file.
    pub(crate) fn load(path: &Path) -> Result<Self, Error> {
        let open = |cause| Error::Open { path: path.to_owned(), cause };
        let file = File::open(path).map_err(open)?;
        let about = file.metadata().map_err(open)?;
        let refuse = |reason: String| Error::Model { path: path.to_owned(), reason };
        if !about.is_file() || about.len() > MODEL_BYTES_MAX {
            return Err(refuse(format!("it is not a regular file of at most {MODEL_BYTES_MAX} bytes")));
        }
        // Nothing outlives the panic but the file's position.
        let read = catch_unwind(AssertUnwindSafe(|| read(&mut BufReader::new(&file))));
        read.unwrap_or_else(|_| Err("it is malformed".to_owned())).map_err(refuse)
    }
}

fn read(file: &mut (impl Read + Seek)) -> Result<Model, String> {
    let content = Content::read(file).map_err(short)?;
    check(&content)?;
    let text = |name: &str| content.metadata.get(name).and_then(|value| value.to_string().ok()).cloned().unwrap_or_default();
    let pre = text("tokenizer.ggml.pre");
    let length = content.metadata.get("llama.context_length").and_then(|value| value.to_u64().ok());
    let context_tokens = length.and_then(|tokens| usize::try_from(tokens).ok()).unwrap_or(MAX_SEQ_LEN).min(MAX_SEQ_LEN);
    let tokenizer = Tokenizer::from_gguf(&content).map_err(short)?;
    let vocabulary = Vocabulary::new(tokenizer, &pre)?;
    let weights = match rewritten(&content, file).map_err(short)? {
        Some((content, mut file)) => ModelWeights::from_gguf(content, &mut file, &Device::Cpu),
        None => ModelWeights::from_gguf(content, file, &Device::Cpu),
    }
    .map_err(short)?;
    Ok(Model { weights, vocabulary, context_tokens })
}

/// What the loader would divide by, or reserve memory for, without looking.
fn check(content: &Content) -> Result<(), String> {
    if content.metadata.get("general.architecture").and_then(|value| value.to_string().ok()).is_none_or(|name| name != "llama") {
        return Err("its architecture is not llama".to_owned());
    }
    let number = |name: &str| content.metadata.get(name).and_then(|value| Value::to_u32(value).ok()).unwrap_or(0);
    let (layers, heads, heads_kv) =
        (number("llama.block_count"), number("llama.attention.head_count"), number("llama.attention.head_count_kv"));
    if !(1..=LAYERS_MAX).contains(&layers) {
        return Err(format!("it has {layers} layers where 1 to {LAYERS_MAX} are possible"));
    }
    let width = number("llama.embedding_length");
    let fits = |part: u32, whole: u32| part > 0 && whole > 0 && whole.is_multiple_of(part);
    if !fits(heads, width) || !fits(heads_kv, heads) {
        return Err("its attention heads do not fit its width".to_owned());
    }
    let rotated = number("llama.rope.dimension_count");
    if rotated == 0 || width.checked_div(heads).is_none_or(|head| rotated > head) {
        return Err("its rotary dimensions do not fit its attention heads".to_owned());
    }
    if number("llama.expert_count") > LAYERS_MAX {
        return Err("it has too many experts".to_owned());
    }
    Ok(())
}

/// A library's first line. It speaks of the file; no call has been seen yet.
#[expect(clippy::needless_pass_by_value, reason = "used as a function of the error")]
fn short(error: candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().chars().take(REASON_CHARACTERS_MAX).collect()
}
