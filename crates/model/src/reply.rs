//! Answers as OpenAI writes them (API reference of 2026): one document, or server-sent events.

use crate::generation::{EndReason, Piece};
use crate::refusal::Refusal;
use bytes::Bytes;
use hyper::body::{Body, Frame};
use serde::Serialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

#[cfg(test)]
mod tests;

/// What every part of one answer repeats.
#[derive(Clone)]
pub(crate) struct Label {
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    pub(crate) model: String,
}

#[derive(Serialize)]
struct Document<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Told::is_no")]
    usage: Told,
}

#[derive(Serialize, Default)]
struct Choice<'a> {
    index: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Delta<'a>>,
    logprobs: Option<()>,
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<()>,
}

#[derive(Serialize, Default)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

/// Whether usage is told: not at all, in a later part (written as null), or here.
#[derive(Serialize)]
#[serde(untagged)]
enum Told {
    No,
    Later,
    Here(Usage),
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "OpenAI's names")]
struct Usage {
    prompt_tokens: usize,
    completion_tokens: usize,
    total_tokens: usize,
}

#[derive(Serialize)]
struct Models<'a> {
    object: &'static str,
    data: [ModelEntry<'a>; 1],
}

#[derive(Serialize)]
struct ModelEntry<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

impl Told {
    fn here(prompt_tokens: usize, completion_tokens: usize) -> Self {
        Self::Here(Usage { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens })
    }

    fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }
}

impl EndReason {
    fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
        }
    }
}

/// Plain data always becomes JSON; if it ever does not, the empty text is no answer to anyone.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The list of models: the one.
pub(crate) fn models(label: &Label) -> String {
    let entry = ModelEntry { id: &label.model, object: "model", created: label.created, owned_by: "bailiwick" };
    to_json(&Models { object: "list", data: [entry] })
}

/// Collects an answer whose prompt had so many tokens, and writes it as one document.
pub(crate) async fn whole(label: &Label, prompt_tokens: usize, pieces: &mut mpsc::Receiver<Piece>) -> Result<String, Refusal> {
    let mut text = String::new();
    loop {
        match pieces.recv().await {
            Some(Piece::Text(more)) => text.push_str(&more),
            Some(Piece::Ended { reason, answer_tokens }) => {
                let message = Message { role: "assistant", content: &text, refusal: None };
                let choice = Choice { message: Some(message), finish_reason: Some(reason.name()), ..Choice::default() };
                let usage = Told::here(prompt_tokens, answer_tokens);
                return Ok(label.document("chat.completion", &[choice], usage));
            }
            Some(Piece::Refused(refusal)) => return Err(refusal),
            Some(Piece::Started { .. }) | None => return Err(Refusal::internal()),
        }
    }
}

impl Label {
    fn document(&self, object: &'static str, choices: &[Choice<'_>], usage: Told) -> String {
        to_json(&Document { id: &self.id, object, created: self.created, model: &self.model, choices, usage })
    }
}

/// An answer as server-sent events. Only a complete one ends with `[DONE]`.
pub(crate) struct Events {
    label: Label,
    prompt_tokens: usize,
    include_usage: bool,
    pieces: mpsc::Receiver<Piece>,
    progress: Progress,
}

#[derive(PartialEq, Eq)]
enum Progress {
    Opening,
    Running,
    Over,
}

impl Events {
    pub(crate) fn new(label: Label, prompt_tokens: usize, include_usage: bool, pieces: mpsc::Receiver<Piece>) -> Self {
        Self { label, prompt_tokens, include_usage, pieces, progress: Progress::Opening }
    }

    fn chunk(&self, delta: Delta<'_>, reason: Option<EndReason>) -> String {
        let choice = Choice { delta: Some(delta), finish_reason: reason.map(EndReason::name), ..Choice::default() };
        event(&self.label.document("chat.completion.chunk", &[choice], if self.include_usage { Told::Later } else { Told::No }))
    }

    fn end(&self, reason: EndReason, answer_tokens: usize) -> String {
        let mut out = self.chunk(Delta::default(), Some(reason));
        if self.include_usage {
            let usage = Told::here(self.prompt_tokens, answer_tokens);
            out.push_str(&event(&self.label.document("chat.completion.chunk", &[], usage)));
        }
        out.push_str("data: [DONE]\n\n");
        out
    }

    /// The next events, and whether they are the last.
    fn events(&self, piece: Option<Piece>) -> (String, bool) {
        match piece {
            Some(Piece::Text(text)) => (self.chunk(Delta { role: None, content: Some(&text) }, None), false),
            Some(Piece::Ended { reason, answer_tokens }) => (self.end(reason, answer_tokens), true),
            Some(Piece::Refused(refusal)) => (event(&refusal.to_json()), true),
            Some(Piece::Started { .. }) | None => (event(&Refusal::internal().to_json()), true),
        }
    }
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}

impl Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let text = match this.progress {
            Progress::Over => return Poll::Ready(None),
            Progress::Opening => {
                this.progress = Progress::Running;
                this.chunk(Delta { role: Some("assistant"), content: Some("") }, None)
            }
            Progress::Running => {
                let piece = ready!(this.pieces.poll_recv(cx));
                let (text, last) = this.events(piece);
                if last {
                    this.progress = Progress::Over;
                }
                text
            }
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))))
    }

    fn is_end_stream(&self) -> bool {
        self.progress == Progress::Over
    }
}
