//! Computes one answer.

use crate::limits::{Limits, PREFILL_TOKENS};
use crate::model_file::Model;
use crate::refusal::Refusal;
use crate::request::{Request, Sampling};
use crate::stop::Stops;
use crate::text::Characters;
use candle_core::{Device, Tensor};
use candle_transformers::generation::LogitsProcessor;
use candle_transformers::models::quantized_llama::ModelWeights;
use tokio::sync::mpsc;

/// What an answer is made of, in this order: `Started`, any number of `Text`, `Ended`. `Refused` may come instead of any of them, and is
/// then the last.
pub(crate) enum Piece {
    Started { prompt_tokens: usize },
    Text(String),
    Ended { reason: EndReason, answer_tokens: usize },
    Refused(Refusal),
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// The model said so, or a stop sequence came.
    Stop,
    /// The bound on the answer or on the context was reached.
    Length,
}

/// Why nothing more is computed.
pub(crate) enum Halt {
    /// Nobody listens any more.
    Gone,
    Refused(Refusal),
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<candle_core::Error> for Halt {
    /// The library's words are dropped: they could quote.
    fn from(_: candle_core::Error) -> Self {
        Self::Refused(Refusal::internal())
    }
}

/// Most pieces of an answer: the channel that takes them never fills, so that a slow reader holds nobody up.
pub(crate) fn pieces_max(limits: &Limits) -> usize {
    limits.answer_tokens.saturating_add(4)
}

/// Computes the answer and sends it piece by piece.
pub(crate) fn answer(model: &Model, limits: &Limits, request: &Request, out: &mpsc::Sender<Piece>) -> Result<(), Halt> {
    let context = limits.context_tokens.min(model.context_tokens);
    let prompt = model.vocabulary.prompt(&request.messages, context)?;
    let budget = request.answer_tokens.unwrap_or(limits.answer_tokens).min(limits.answer_tokens).min(context - prompt.len());
    send(out, Piece::Started { prompt_tokens: prompt.len() })?;
    let mut writer = Writer { out, characters: Characters::default(), stops: Stops::new(&request.stops) };
    let mut course = Course { weights: model.weights.clone(), position: 0 };
    let mut logits = course.read(&prompt, out)?;
    let mut choice = choice(request.sampling);
    let mut answer_tokens = 0;
    let reason = loop {
        let token = choice.sample(&logits)?;
        if model.vocabulary.ends(token) {
            break EndReason::Stop;
        }
        answer_tokens += 1;
        if writer.push(&model.vocabulary.bytes(token))? {
            return send(out, Piece::Ended { reason: EndReason::Stop, answer_tokens });
        }
        if answer_tokens >= budget {
            break EndReason::Length;
        }
        logits = course.step(&[token])?;
    };
    let reason = if writer.finish()? { EndReason::Stop } else { reason };
    send(out, Piece::Ended { reason, answer_tokens })
}

fn choice(sampling: Sampling) -> LogitsProcessor {
    LogitsProcessor::new(sampling.seed, Some(sampling.temperature), Some(sampling.top_p))
}

/// A full channel cannot be; if it were, the answer would lose text, so it ends instead.
fn send(out: &mpsc::Sender<Piece>, piece: Piece) -> Result<(), Halt> {
    out.try_send(piece).map_err(|_| Halt::Gone)
}

/// The model in the course of one conversation.
struct Course {
    weights: ModelWeights,
    position: usize,
}

impl Course {
    /// Reads a prompt, and looks up now and then whether somebody still waits.
    fn read(&mut self, prompt: &[u32], out: &mpsc::Sender<Piece>) -> Result<Tensor, Halt> {
        let mut logits = Err(Halt::Refused(Refusal::internal()));
        for part in prompt.chunks(PREFILL_TOKENS) {
            if out.is_closed() {
                return Err(Halt::Gone);
            }
            logits = Ok(self.step(part)?);
        }
        logits
    }

    /// Takes these tokens in, and weighs every token that could follow.
    fn step(&mut self, tokens: &[u32]) -> Result<Tensor, Halt> {
        let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let logits = self.weights.forward(&input, self.position)?.squeeze(0)?;
        self.position += tokens.len();
        Ok(logits)
    }
}

/// Sends bytes as text: whole characters, up to the first stop sequence.
struct Writer<'a> {
    out: &'a mpsc::Sender<Piece>,
    characters: Characters,
    stops: Stops,
}

impl Writer<'_> {
    /// Whether a stop sequence was reached.
    fn push(&mut self, bytes: &[u8]) -> Result<bool, Halt> {
        let text = self.characters.push(bytes);
        self.tell(&text)
    }

    fn finish(&mut self) -> Result<bool, Halt> {
        let text = self.characters.finish();
        if self.tell(&text)? {
            return Ok(true);
        }
        let rest = self.stops.finish();
        if rest.is_empty() { Ok(false) } else { send(self.out, Piece::Text(rest)).map(|()| false) }
    }

    fn tell(&mut self, text: &str) -> Result<bool, Halt> {
        let released = self.stops.push(text);
        if !released.text.is_empty() {
            send(self.out, Piece::Text(released.text))?;
        } else if self.out.is_closed() {
            return Err(Halt::Gone);
        }
        Ok(released.stopped)
    }
}
