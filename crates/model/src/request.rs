//! A chat completion as the caller asked for it (OpenAI API reference of 2026, `POST /v1/chat/completions`).

use crate::limits::{STOP_BYTES_MAX, STOPS_MAX};
use crate::refusal::Refusal;
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// Who speaks. A closed set, so that a role is never made of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    System,
    User,
    Assistant,
    Tool,
}

/// One message.
pub(crate) struct Message {
    pub(crate) role: Role,
    pub(crate) text: String,
}

/// How tokens are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sampling {
    /// 0 takes the likeliest token.
    pub(crate) temperature: f64,
    pub(crate) top_p: f64,
    pub(crate) seed: u64,
}

/// What the model's authors recommend for it.
const TEMPERATURE: f64 = 0.2;
const TOP_P: f64 = 0.9;
/// The same prompt gives the same answer, unless the caller brings a seed.
const SEED: u64 = 1;

/// How the answer is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    Streamed { include_usage: bool },
}

/// A call that can be answered.
pub(crate) struct Request {
    pub(crate) messages: Vec<Message>,
    pub(crate) answer_tokens: Option<usize>,
    pub(crate) sampling: Sampling,
    pub(crate) stops: Vec<String>,
    pub(crate) delivery: Delivery,
}

impl Request {
    /// Parses a body.
    ///
    /// # Errors
    /// A refusal that names the place, never what is written there. The parser's own words quote, so they are not passed on.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let document: Value = serde_json::from_slice(body).map_err(|error| {
            Refusal::malformed(format!("the body is not valid JSON, at line {} column {}", error.line(), error.column()))
        })?;
        let Value::Object(root) = document else { return Err(Refusal::malformed("the body must be a JSON object")) };
        refuse_unsupported(&root)?;
        let streamed = boolean(&root, "stream")?.unwrap_or(false);
        let include_usage = include_usage(&root)?;
        Ok(Self {
            messages: messages(&root)?,
            answer_tokens: answer_tokens(&root)?,
            sampling: sampling(&root)?,
            stops: stops(&root)?,
            delivery: if streamed { Delivery::Streamed { include_usage } } else { Delivery::Whole },
        })
    }
}

/// A member that is there and not null.
fn present<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn boolean(root: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    present(root, name).map(|value| value.as_bool().ok_or_else(|| Refusal::parameter(name, "true or false"))).transpose()
}

fn number(root: &Map<String, Value>, name: &str, most: f64) -> Result<Option<f64>, Refusal> {
    let Some(value) = present(root, name) else { return Ok(None) };
    let number = value.as_f64().filter(|number| (0.0..=most).contains(number));
    number.map(Some).ok_or_else(|| Refusal::parameter(name, &format!("a number from 0 to {most}")))
}

/// What would change an answer in a way that its reader cannot see.
fn refuse_unsupported(root: &Map<String, Value>) -> Result<(), Refusal> {
    if present(root, "n").is_some_and(|n| n.as_u64() != Some(1)) {
        return Err(Refusal::unsupported("n", "the local model gives one choice; leave it out or ask for 1"));
    }
    if boolean(root, "logprobs")? == Some(true) {
        return Err(Refusal::unsupported("logprobs", "the local model tells no probabilities; leave it out"));
    }
    let format = present(root, "response_format");
    if format.is_some_and(|format| format.get("type").and_then(Value::as_str) != Some("text")) {
        return Err(Refusal::unsupported("response_format", "the local model answers in free text; leave it out or ask for text"));
    }
    Ok(())
}

fn include_usage(root: &Map<String, Value>) -> Result<bool, Refusal> {
    match present(root, "stream_options") {
        None => Ok(false),
        Some(Value::Object(options)) => Ok(boolean(options, "include_usage")?.unwrap_or(false)),
        Some(_) => Err(Refusal::parameter("stream_options", "an object")),
    }
}

fn answer_tokens(root: &Map<String, Value>) -> Result<Option<usize>, Refusal> {
    for name in ["max_completion_tokens", "max_tokens"] {
        if let Some(value) = present(root, name) {
            let tokens = value.as_u64().filter(|tokens| *tokens > 0);
            let tokens = tokens.ok_or_else(|| Refusal::parameter(name, "a whole number of at least 1"))?;
            return Ok(Some(usize::try_from(tokens).unwrap_or(usize::MAX)));
        }
    }
    Ok(None)
}

fn sampling(root: &Map<String, Value>) -> Result<Sampling, Refusal> {
    let seed = match present(root, "seed") {
        None => SEED,
        Some(value) => {
            let whole = value.as_u64().or_else(|| value.as_i64().map(i64::cast_unsigned));
            whole.ok_or_else(|| Refusal::parameter("seed", "a whole number"))?
        }
    };
    let temperature = number(root, "temperature", 2.0)?.unwrap_or(TEMPERATURE);
    Ok(Sampling { temperature, top_p: number(root, "top_p", 1.0)?.unwrap_or(TOP_P), seed })
}

fn stops(root: &Map<String, Value>) -> Result<Vec<String>, Refusal> {
    let refuse = || Refusal::parameter("stop", &format!("a text or at most {STOPS_MAX} texts, each of 1 to {STOP_BYTES_MAX} bytes"));
    let stop = |value: &Value| value.as_str().filter(|text| (1..=STOP_BYTES_MAX).contains(&text.len())).map(str::to_owned);
    match present(root, "stop") {
        None => Ok(Vec::new()),
        Some(Value::Array(values)) if values.len() <= STOPS_MAX => values.iter().map(stop).collect::<Option<_>>().ok_or_else(refuse),
        Some(value) => Ok(vec![stop(value).ok_or_else(refuse)?]),
    }
}

fn messages(root: &Map<String, Value>) -> Result<Vec<Message>, Refusal> {
    let refuse = || Refusal::parameter("messages", "a list of at least one message");
    let values = present(root, "messages").and_then(Value::as_array).filter(|values| !values.is_empty()).ok_or_else(refuse)?;
    let mut messages = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        messages.extend(message(value, &format!("messages[{index}]"))?);
    }
    if messages.is_empty() { Err(refuse()) } else { Ok(messages) }
}

/// A message, or nothing where an assistant said nothing.
fn message(value: &Value, place: &str) -> Result<Option<Message>, Refusal> {
    let Value::Object(message) = value else { return Err(Refusal::parameter(place, "an object")) };
    let role = match message.get("role").and_then(Value::as_str) {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("tool" | "function") => Role::Tool,
        _ => return Err(Refusal::parameter(format!("{place}.role"), "system, developer, user, assistant or tool")),
    };
    let text = match present(message, "content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => joined(parts, place)?,
        None if role == Role::Assistant => return Ok(None),
        _ => return Err(Refusal::parameter(format!("{place}.content"), "a text or a list of text parts")),
    };
    Ok(Some(Message { role, text }))
}

fn joined(parts: &[Value], place: &str) -> Result<String, Refusal> {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        let member = match part.get("type").and_then(Value::as_str) {
            Some("text") => "text",
            Some("refusal") => "refusal",
            _ => return Err(Refusal::unsupported(format!("{place}.content[{index}]"), "the local model reads text parts only")),
        };
        let found = part.get(member).and_then(Value::as_str);
        if index > 0 {
            text.push('\n');
        }
        text.push_str(found.ok_or_else(|| Refusal::parameter(format!("{place}.content[{index}].{member}"), "a text"))?);
    }
    Ok(text)
}
