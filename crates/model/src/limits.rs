//! The model server's bounds.

use crate::Error;

/// What a caller of [`crate::serve`] may bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads in each pool that computes; see [`crate::environment`].
    pub threads: usize,
    /// Tokens of prompt and answer together. What the model itself can take bounds it further.
    pub context_tokens: usize,
    /// Tokens of one answer, also where the caller asks for more.
    pub answer_tokens: usize,
    /// Bytes of one request body.
    pub body_bytes: usize,
    /// Calls that wait while one is answered.
    pub queue: usize,
    /// Connections at once; more wait in the listener's own queue.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { threads: 2, context_tokens: 2048, answer_tokens: 1024, body_bytes: 4 * 1024 * 1024, queue: 8, connections: 32 }
    }
}

impl Limits {
    /// Refuses limits under which no call could be answered.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let named = [
            ("threads", self.threads),
            ("context_tokens", self.context_tokens),
            ("answer_tokens", self.answer_tokens),
            ("body_bytes", self.body_bytes),
            ("queue", self.queue),
            ("connections", self.connections),
        ];
        named.iter().find(|(_, value)| *value == 0).map_or(Ok(()), |(name, _)| Err(Error::ZeroLimit(name)))
    }
}

/// Prompt tokens computed in one go: between two of them the client's leaving is noticed.
pub(crate) const PREFILL_TOKENS: usize = 64;
/// Most stop sequences of a call.
pub(crate) const STOPS_MAX: usize = 4;
/// Longest stop sequence, in bytes.
pub(crate) const STOP_BYTES_MAX: usize = 256;
/// Most layers of a model; the largest llama model has 126.
pub(crate) const LAYERS_MAX: u32 = 512;
/// Largest model file, in bytes.
pub(crate) const MODEL_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Longest reason that a library gives for not loading a file, in characters.
pub(crate) const REASON_CHARACTERS_MAX: usize = 200;
/// Longest request head, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Most header fields of a request.
pub(crate) const HEADERS_MAX: usize = 100;
/// Longest wait for a request head, also between requests on one connection.
pub(crate) const HEAD_SECONDS_MAX: u64 = 60;
/// Longest time for a whole request body.
pub(crate) const BODY_SECONDS_MAX: u64 = 60;
