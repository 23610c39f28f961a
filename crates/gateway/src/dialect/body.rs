use super::{Dialect, Endpoint, anthropic, openai};
use crate::json::{Document, Error, Node};
use crate::thoughts::{self, Thoughts};
use schema::{RefusalCode, Token, bounds::REQUEST_BODY_BYTES_MAX};
use std::ops::Range;

/// A request's body, checked against its dialect. No `Debug`: it is content.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Body {
    bytes: Vec<u8>,
    model: Token,
    opaque: bool,
    expected: Expected,
    /// Where strings stand that are not to be masked, in the order of the text.
    spared: Vec<Range<usize>>,
}

/// What the answer to a body looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// What was asked for.
    pub endpoint: Endpoint,
    /// Whether the answer is a stream of events.
    pub stream: bool,
    /// Whether the answer's text is itself JSON, so that a restored value must be escaped.
    pub text_is_json: bool,
}

impl Body {
    /// Checks a body: [`RefusalCode::Malformed`], [`RefusalCode::UnknownShape`] or [`RefusalCode::TooLarge`].
    pub fn parse(endpoint: Endpoint, bytes: Vec<u8>) -> Result<Self, RefusalCode> {
        if bytes.len() > REQUEST_BODY_BYTES_MAX {
            return Err(RefusalCode::TooLarge);
        }
        let document = Document::parse(&bytes).map_err(|error| match error {
            Error::TooLarge => RefusalCode::TooLarge,
            Error::Encoding | Error::Syntax { .. } | Error::Depth { .. } | Error::DuplicateKey { .. } | Error::Surrogate { .. } => {
                RefusalCode::Malformed
            }
        })?;
        let root = document.root();
        let findings = match endpoint {
            Endpoint::ChatCompletions => openai::check(root)?,
            Endpoint::Messages | Endpoint::CountTokens => anthropic::check(root)?,
            Endpoint::Models | Endpoint::Probe => return Err(RefusalCode::UnknownEndpoint),
        };
        let model = root.get("model").and_then(Node::text).ok_or(RefusalCode::Malformed)?;
        let model = Token::parse(&model).map_err(|_| RefusalCode::Malformed)?;
        let stream = match root.get("stream") {
            Some(node) if !node.is_null() => node.boolean().ok_or(RefusalCode::Malformed)?,
            _ => false,
        };
        let text_is_json = match endpoint.dialect() {
            Dialect::OpenAi => openai::text_is_json(root),
            Dialect::Anthropic => anthropic::text_is_json(root),
        };
        drop(document);
        Ok(Self { bytes, model, opaque: findings.opaque, expected: Expected { endpoint, stream, text_is_json }, spared: Vec::new() })
    }

    /// Spares the signed thoughts that the upstream itself sent: they were its own words, and it takes them back only unchanged.
    pub(crate) fn spare_thoughts(&mut self, known: &Thoughts) {
        let is_messages = matches!(self.expected.endpoint, Endpoint::Messages | Endpoint::CountTokens);
        if !is_messages || known.is_empty() {
            return;
        }
        // A body that cannot be read again is refused by what masks it.
        let Ok(document) = Document::parse(&self.bytes) else { return };
        let messages = document.root().get("messages").into_iter().flat_map(Node::items);
        let own = messages.filter(|message| message.get("role").is_some_and(|role| role.is("assistant")));
        let thoughts = own.filter_map(|message| message.get("content")).flat_map(thoughts::thoughts_of);
        let mut spared: Vec<_> = thoughts.filter(|(thought, _)| known.knows(thought)).flat_map(|(_, strings)| strings).collect();
        spared.sort_unstable_by_key(|range| range.start);
        drop(document);
        self.spared = spared;
    }

    /// Whether the string at `span` is one of a spared thought.
    pub(crate) fn spares(&self, span: &Range<usize>) -> bool {
        self.spared.binary_search_by_key(&span.start, |range| range.start).is_ok()
    }

    /// What was asked for.
    pub fn endpoint(&self) -> Endpoint {
        self.expected.endpoint
    }

    /// The model, as it stands in the body.
    pub fn model(&self) -> &Token {
        &self.model
    }

    /// Whether the answer is to be a stream.
    pub fn stream(&self) -> bool {
        self.expected.stream
    }

    /// Whether some part cannot be inspected.
    pub fn opaque(&self) -> bool {
        self.opaque
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What the answer looks like.
    pub fn expects(&self) -> Expected {
        self.expected
    }

    /// The same call with other bytes, which masking made of the old ones. `None` if they name no model any more.
    pub(crate) fn with_masked(self, bytes: Vec<u8>) -> Option<Self> {
        let document = Document::parse(&bytes).ok()?;
        let model = Token::lossy(&document.root().get("model").and_then(Node::text)?);
        drop(document);
        Some(Self { bytes, model, spared: Vec::new(), ..self })
    }
}
