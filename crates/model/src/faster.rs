//! Weights in a form that computes faster.

use candle_core::quantized::gguf_file::{Content, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Result};
use std::io::{Cursor, Read, Seek};

/// Kinds of weights that candle multiplies without vector instructions.
fn is_slow(kind: GgmlDType) -> bool {
    matches!(kind, GgmlDType::Q4_1 | GgmlDType::Q5_0 | GgmlDType::Q5_1)
}

/// The same weights with slow kinds rewritten as 8-bit ones: somewhat more memory, several times the speed. Nothing where all are fast.
///
/// Weights lie around zero, so a block of 32 spans about twice its largest magnitude: 8 bits cut that into 254 steps where 4 bits had 15.
/// This adds a rounding of about a seventeenth of the file's own, which can still change which of two like words comes next.
pub(crate) fn rewritten(content: &Content, file: &mut (impl Read + Seek)) -> Result<Option<(Content, Cursor<Vec<u8>>)>> {
    if !content.tensor_infos.values().any(|info| is_slow(info.ggml_dtype)) {
        return Ok(None);
    }
    let mut tensors = Vec::with_capacity(content.tensor_infos.len());
    for (name, info) in &content.tensor_infos {
        let tensor = content.tensor(file, name, &Device::Cpu)?;
        let slow = is_slow(info.ggml_dtype);
        let tensor = if slow { QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)? } else { tensor };
        tensors.push((name.as_str(), tensor));
    }
    // The vocabulary has been read, and the loader of weights does not look at it.
    let metadata: Vec<_> =
        content.metadata.iter().filter(|(name, _)| !name.starts_with("tokenizer.")).map(|(name, value)| (name.as_str(), value)).collect();
    let borrowed: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let mut file = Cursor::new(Vec::new());
    write(&mut file, &metadata, &borrowed)?;
    file.set_position(0);
    Ok(Some((Content::read(&mut file)?, file)))
}
