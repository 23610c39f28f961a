//! The upstream that is no model: it answers with the text of the last user message, so that one can see what would have been sent.

use crate::dialect::Endpoint;
use crate::json::{self, Document, Node};
use schema::{RefusalCode, RequestId, Timestamp};
use std::fmt::Write as _;

#[cfg(test)]
mod tests;

/// The name of the model in every answer.
pub const MODEL: &str = "bailiwick-echo";
/// Characters in one delta of a stream: small, so that agents see a stream.
const DELTA_CHARACTERS: usize = 24;

/// An answer.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Echo {
    /// `application/json` or `text/event-stream`.
    pub content_type: &'static str,
    /// The whole body.
    pub body: Vec<u8>,
}

/// What a call came to, ready to be written.
struct Reply {
    /// As JSON strings.
    id: String,
    text: String,
    created: u64,
    tokens_in: usize,
    tokens_out: usize,
}

/// Answers a call with the text of its last user message.
pub fn answer(endpoint: Endpoint, body: &[u8], request: &RequestId, created: Timestamp) -> Result<Echo, RefusalCode> {
    let document = Document::parse(body).map_err(|_| RefusalCode::Malformed)?;
    let root = document.root();
    let text = last_user_text(root);
    let stream = root.get("stream").and_then(Node::boolean).unwrap_or(false);
    let mut id = String::new();
    json::encode(&format!("echo-{}", request.as_str()), &mut id);
    let reply = Reply { id, created: created.unix_ms / 1000, tokens_in: tokens(body.len()), tokens_out: tokens(text.len()), text };
    let (content_type, body) = match (endpoint, stream) {
        (Endpoint::ChatCompletions, false) => ("application/json", reply.openai()),
        (Endpoint::ChatCompletions, true) => ("text/event-stream", reply.openai_stream(include_usage(root))),
        (Endpoint::Messages, false) => ("application/json", reply.anthropic()),
        (Endpoint::Messages, true) => ("text/event-stream", reply.anthropic_stream()),
        (Endpoint::CountTokens, _) => ("application/json", format!(r#"{{"input_tokens":{}}}"#, reply.tokens_in)),
        (Endpoint::Models | Endpoint::Probe, _) => return Err(RefusalCode::UnknownEndpoint),
    };
    Ok(Echo { content_type, body: body.into_bytes() })
}

/// No tokenizer: about four bytes make a token.
fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

fn include_usage(root: Node<'_>) -> bool {
    root.get("stream_options").and_then(|options| options.get("include_usage")).and_then(Node::boolean).unwrap_or(false)
}

fn last_user_text(root: Node<'_>) -> String {
    let messages = root.get("messages").into_iter().flat_map(Node::items);
    let last = messages.filter(|message| message.get("role").is_some_and(|role| role.is("user"))).last();
    let Some(content) = last.and_then(|message| message.get("content")) else { return String::new() };
    if let Some(text) = content.text() {
        return text.into_owned();
    }
    let parts: Vec<String> = content.items().filter_map(part_text).collect();
    parts.join("\n")
}

/// The text of a part, or of the tool result in it.
fn part_text(part: Node<'_>) -> Option<String> {
    if let Some(text) = part.get("text").and_then(Node::text) {
        return Some(text.into_owned());
    }
    let content = part.get("content")?;
    match content.text() {
        Some(text) => Some(text.into_owned()),
        None => content.items().find_map(|inner| inner.get("text").and_then(Node::text)).map(std::borrow::Cow::into_owned),
    }
}

impl Reply {
    fn quoted(text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 2);
        json::encode(text, &mut out);
        out
    }

    fn deltas(&self) -> impl Iterator<Item = String> {
        let characters: Vec<char> = self.text.chars().collect();
        let deltas: Vec<String> = characters.chunks(DELTA_CHARACTERS).map(|part| Self::quoted(&part.iter().collect::<String>())).collect();
        deltas.into_iter()
    }

    fn openai_usage(&self) -> String {
        let (tokens_in, tokens_out) = (self.tokens_in, self.tokens_out);
        format!(r#"{{"prompt_tokens":{tokens_in},"completion_tokens":{tokens_out},"total_tokens":{}}}"#, tokens_in + tokens_out)
    }

    fn openai(&self) -> String {
        let (id, created, usage, text) = (&self.id, self.created, self.openai_usage(), Self::quoted(&self.text));
        format!(
            r#"{{"id":{id},"object":"chat.completion","created":{created},"model":"{MODEL}","choices":[{{"index":0,"message":{{"role":"assistant","content":{text},"refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{usage}}}"#
        )
    }

    fn openai_stream(&self, include_usage: bool) -> String {
        let (id, created) = (&self.id, self.created);
        let head = format!(r#"data: {{"id":{id},"object":"chat.completion.chunk","created":{created},"model":"{MODEL}","choices":["#);
        let mut out = String::new();
        let mut chunk = |delta: &str, finish: &str| {
            let _ = write!(out, "{head}{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n");
        };
        chunk(r#"{"role":"assistant","content":""}"#, "null");
        for delta in self.deltas() {
            chunk(&format!(r#"{{"content":{delta}}}"#), "null");
        }
        chunk("{}", "\"stop\"");
        if include_usage {
            let _ = write!(out, "{head}],\"usage\":{}}}\n\n", self.openai_usage());
        }
        out.push_str("data: [DONE]\n\n");
        out
    }

    fn anthropic(&self) -> String {
        let (id, text, tokens_in, tokens_out) = (&self.id, Self::quoted(&self.text), self.tokens_in, self.tokens_out);
        format!(
            r#"{{"id":{id},"type":"message","role":"assistant","model":"{MODEL}","content":[{{"type":"text","text":{text}}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":{tokens_in},"output_tokens":{tokens_out}}}}}"#
        )
    }

    fn anthropic_stream(&self) -> String {
        let (id, tokens_in, tokens_out) = (&self.id, self.tokens_in, self.tokens_out);
        let mut out = String::new();
        let mut event = |name: &str, fields: &str| {
            let _ = write!(out, "event: {name}\ndata: {{\"type\":\"{name}\"{fields}}}\n\n");
        };
        event(
            "message_start",
            &format!(
                r#","message":{{"id":{id},"type":"message","role":"assistant","model":"{MODEL}","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":{tokens_in},"output_tokens":1}}}}"#
            ),
        );
        event("content_block_start", r#","index":0,"content_block":{"type":"text","text":""}"#);
        for delta in self.deltas() {
            event("content_block_delta", &format!(r#","index":0,"delta":{{"type":"text_delta","text":{delta}}}"#));
        }
        event("content_block_stop", r#","index":0"#);
        let usage = format!(r#","usage":{{"output_tokens":{tokens_out}}}"#);
        event("message_delta", &format!(r#","delta":{{"stop_reason":"end_turn","stop_sequence":null}}{usage}"#));
        event("message_stop", "");
        out
    }
}
