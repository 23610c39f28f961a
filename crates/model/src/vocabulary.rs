//! From messages to tokens and back.

use crate::refusal::Refusal;
use crate::request::{Message, Role};
use crate::text::token_bytes;
use std::collections::HashSet;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{PreTokenizerWrapper, Tokenizer};

#[cfg(test)]
pub(crate) mod tests;

/// What the model's own template puts before a conversation without a system message.
const DEFAULT_SYSTEM: &str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

/// The words of a model, and the three that structure its chat format (ChatML).
pub(crate) struct Vocabulary {
    tokenizer: Tokenizer,
    /// Tokens that text can never become.
    control: HashSet<u32>,
    message_start: u32,
    message_end: u32,
    /// The longest token, in bytes.
    token_bytes_max: usize,
}

impl Vocabulary {
    /// Takes over the tokenizer of a model file; `pre` is how that file says that text is cut. What is missing is told.
    pub(crate) fn new(mut tokenizer: Tokenizer, pre: &str) -> Result<Self, &'static str> {
        let message_start = tokenizer.token_to_id("<|im_start|>").ok_or("its vocabulary has no <|im_start|>")?;
        let message_end = tokenizer.token_to_id("<|im_end|>").ok_or("its vocabulary has no <|im_end|>")?;
        if pre == "smollm" {
            // The library that reads the file does not know this name and would put a space before each text.
            let cuts: Vec<PreTokenizerWrapper> = vec![Digits::new(true).into(), ByteLevel::new(false, true, true).into()];
            tokenizer.with_pre_tokenizer(Some(Sequence::new(cuts)));
        }
        tokenizer.set_encode_special_tokens(true);
        let mut control: HashSet<u32> = tokenizer.get_added_tokens_decoder().into_keys().collect();
        control.extend([message_start, message_end]);
        let longest = tokenizer.get_vocab(true).into_keys().map(|token| token_bytes(&token).len()).max();
        Ok(Self { tokenizer, control, message_start, message_end, token_bytes_max: longest.unwrap_or(1) })
    }

    /// The whole prompt, shorter than `limit` tokens, with the assistant's turn opened.
    ///
    /// Every text is encoded on its own with control words as ordinary text, and the structure is put around it as numbers, so that no
    /// text can close its message or open another one. A byte that the vocabulary lacks is left out, as the model was trained.
    pub(crate) fn prompt(&self, messages: &[Message], limit: usize) -> Result<Vec<u32>, Refusal> {
        let bytes = messages.iter().fold(0_usize, |sum, message| sum.saturating_add(message.text.len()));
        if bytes > limit.saturating_mul(self.token_bytes_max) {
            return Err(Refusal::context_length(limit, None));
        }
        let line_end = self.encode("\n")?;
        let mut tokens = Vec::new();
        let mut turn = |header: &str, text: &str| -> Result<(), Refusal> {
            tokens.push(self.message_start);
            tokens.extend(self.encode(&format!("{header}\n{text}"))?);
            tokens.push(self.message_end);
            tokens.extend(&line_end);
            Ok(())
        };
        if messages.first().is_none_or(|first| first.role != Role::System) {
            turn(header(Role::System), DEFAULT_SYSTEM)?;
        }
        for message in messages {
            turn(header(message.role), &message.text)?;
        }
        tokens.push(self.message_start);
        tokens.extend(self.encode(&format!("{}\n", header(Role::Assistant)))?);
        if tokens.len() < limit { Ok(tokens) } else { Err(Refusal::context_length(limit, Some(tokens.len()))) }
    }

    /// The tokens of a text, none of which structures.
    fn encode(&self, text: &str) -> Result<Vec<u32>, Refusal> {
        let encoded = self.tokenizer.encode_fast(text, false).map_err(|_| Refusal::internal())?;
        let tokens = encoded.get_ids();
        // The tokenizer was told so; if it ever does otherwise, nothing is answered.
        if tokens.iter().any(|token| self.control.contains(token)) {
            return Err(Refusal::internal());
        }
        Ok(tokens.to_vec())
    }

    /// Whether the answer is over with this token.
    pub(crate) fn ends(&self, token: u32) -> bool {
        self.control.contains(&token)
    }

    /// The bytes of a token of an answer.
    pub(crate) fn bytes(&self, token: u32) -> Vec<u8> {
        self.tokenizer.id_to_token(token).map(|token| token_bytes(&token)).unwrap_or_default()
    }
}

fn header(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}
