//! A model of the real shape with a vocabulary of bytes and weights of noise: what it says is arbitrary, always the same, and goes on for
//! as long as it may.

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use std::io::Cursor;
use std::path::{Path, PathBuf};

const WIDTH: usize = 64;
const WIDTH_KV: usize = 32;
const CONTROL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
pub(crate) const WORDS: usize = CONTROL.len() + 256;

/// Writes the model into this folder.
pub(crate) fn in_folder(folder: &Path) -> PathBuf {
    let path = folder.join("small.gguf");
    std::fs::write(&path, bytes(&metadata())).unwrap();
    path
}

pub(crate) fn metadata() -> Vec<(&'static str, Value)> {
    let words = CONTROL.iter().map(|word| (*word).to_owned()).chain((0..=255).map(|byte| written(byte).to_string()));
    let kinds = (0..WORDS).map(|id| Value::I32(if id < CONTROL.len() { 3 } else { 1 }));
    vec![
        ("general.architecture", Value::String("llama".to_owned())),
        ("llama.attention.head_count", Value::U32(2)),
        ("llama.attention.head_count_kv", Value::U32(1)),
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
        ("llama.block_count", Value::U32(1)),
        ("llama.context_length", Value::U32(2048)),
        ("llama.embedding_length", Value::U32(u32::try_from(WIDTH).unwrap())),
        ("llama.rope.dimension_count", Value::U32(32)),
        ("tokenizer.ggml.model", Value::String("gpt2".to_owned())),
        ("tokenizer.ggml.pre", Value::String("smollm".to_owned())),
        ("tokenizer.ggml.tokens", Value::Array(words.map(Value::String).collect())),
        ("tokenizer.ggml.token_type", Value::Array(kinds.collect())),
        ("tokenizer.ggml.merges", Value::Array(Vec::new())),
    ]
}

pub(crate) fn bytes(metadata: &[(&str, Value)]) -> Vec<u8> {
    let shapes: [(&str, &[usize], GgmlDType); 12] = [
        ("token_embd.weight", &[WORDS, WIDTH], GgmlDType::F32),
        ("output.weight", &[WORDS, WIDTH], GgmlDType::F32),
        ("output_norm.weight", &[WIDTH], GgmlDType::F32),
        ("blk.0.attn_q.weight", &[WIDTH, WIDTH], GgmlDType::Q4_1),
        ("blk.0.attn_k.weight", &[WIDTH_KV, WIDTH], GgmlDType::Q8_0),
        ("blk.0.attn_v.weight", &[WIDTH_KV, WIDTH], GgmlDType::Q8_0),
        ("blk.0.attn_output.weight", &[WIDTH, WIDTH], GgmlDType::Q4_1),
        ("blk.0.ffn_gate.weight", &[WIDTH, WIDTH], GgmlDType::Q4_1),
        ("blk.0.ffn_down.weight", &[WIDTH, WIDTH], GgmlDType::Q4_1),
        ("blk.0.ffn_up.weight", &[WIDTH, WIDTH], GgmlDType::Q4_1),
        ("blk.0.attn_norm.weight", &[WIDTH], GgmlDType::F32),
        ("blk.0.ffn_norm.weight", &[WIDTH], GgmlDType::F32),
    ];
    let mut state = 1;
    let tensors = shapes.map(|(name, shape, kind)| {
        let mut values = noise(shape, &mut state);
        if name == "output.weight" {
            // Some byte is always likelier than a control word, which would end the answer.
            values[..CONTROL.len() * WIDTH].fill(0.0);
        }
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        (name, QTensor::quantize(&tensor, kind).unwrap())
    });
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(name, value)| (*name, value)).collect();
    let mut file = Cursor::new(Vec::new());
    write(&mut file, &metadata, &tensors).unwrap();
    file.into_inner()
}

/// Values from -1 to 1, from a linear congruential generator (Knuth's MMIX).
fn noise(shape: &[usize], state: &mut u64) -> Vec<f32> {
    let mut next = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f32::from(u16::try_from(*state >> 48).unwrap()) / 32_768.0 - 1.0
    };
    (0..shape.iter().product()).map(|_| next()).collect()
}

/// A byte as a byte-level vocabulary writes it.
fn written(byte: u8) -> char {
    let code = u32::from(byte);
    let shifted = match byte {
        0..=0x20 => code + 0x100,
        0x7f..=0xa0 => code - 0x7f + 0x121,
        0xad => 0x143,
        _ => code,
    };
    char::from_u32(shifted).unwrap()
}
