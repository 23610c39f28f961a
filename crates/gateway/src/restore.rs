//! Puts values back into answers, for the agent.
//!
//! A bridge until answers are restored channel by channel: placeholders that an upstream splits over two events stay placeholders.
use crate::dialect::{Dialect, Expected};
use dlp::{Escape, Vault};
use schema::RefusalCode;

/// Tokens as the upstream counted them.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Of the prompt.
    pub tokens_in: Option<u64>,
    /// Of the answer.
    pub tokens_out: Option<u64>,
}

/// A restored answer. No `Debug`: it is content.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Restored {
    /// The answer for the agent.
    pub bytes: Vec<u8>,
    /// What it cost.
    pub usage: Usage,
    /// Placeholders that were restored.
    pub values_restored: u64,
}

/// Restores a whole answer.
///
/// # Errors
/// [`RefusalCode::UpstreamMalformed`] if it is not JSON.
pub fn answer(_expected: Expected, bytes: Vec<u8>, vault: &Vault) -> Result<Restored, RefusalCode> {
    let text = String::from_utf8(bytes).map_err(|_| RefusalCode::UpstreamMalformed)?;
    crate::json::Document::parse(text.as_bytes()).map_err(|_| RefusalCode::UpstreamMalformed)?;
    let (restored, values_restored) = vault.restore_with(&text, Escape::Json);
    Ok(Restored { bytes: restored.into_owned().into_bytes(), usage: Usage::default(), values_restored })
}

/// Restores an answer that comes in events.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct AnswerStream {
    expected: Expected,
    line: Vec<u8>,
    terminated: bool,
    values_restored: u64,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug)]
pub struct StreamEnd {
    /// Whether the dialect's own end was seen.
    pub complete: bool,
    /// What it cost.
    pub usage: Usage,
    /// Placeholders that were restored.
    pub values_restored: u64,
}

impl AnswerStream {
    /// A stream at its start.
    pub fn new(expected: Expected) -> Self {
        Self { expected, line: Vec::new(), terminated: false, values_restored: 0 }
    }

    /// Restores what is decided so far, into `out`.
    ///
    /// # Errors
    /// [`RefusalCode::UpstreamMalformed`] if it is not UTF-8.
    pub fn push(&mut self, vault: &Vault, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), RefusalCode> {
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.line);
                let text = std::str::from_utf8(&line).map_err(|_| RefusalCode::UpstreamMalformed)?;
                self.terminated |= match self.expected.endpoint.dialect() {
                    Dialect::OpenAi => text.trim_end() == "data: [DONE]",
                    Dialect::Anthropic => text.contains(r#""type":"message_stop""#) || text.contains(r#""type": "message_stop""#),
                };
                let (restored, count) = vault.restore_with(text, Escape::Json);
                self.values_restored += count;
                out.extend_from_slice(restored.as_bytes());
            }
        }
        Ok(())
    }

    /// The rest.
    pub fn finish(&mut self, _vault: &Vault, out: &mut Vec<u8>) -> StreamEnd {
        out.append(&mut self.line);
        StreamEnd { complete: self.terminated, usage: Usage::default(), values_restored: self.values_restored }
    }

    /// Whether the dialect's own end was seen.
    pub fn terminated(&self) -> bool {
        self.terminated
    }
}
