//! What agents speak: OpenAI chat completions and Anthropic messages. Which paths exist, what a body must look like, and which of its
//! parts cannot be inspected.
//!
//! Every string of a body is inspected wherever it stands, so an unknown field is no danger. What is refused here is content that
//! the gateway would never see: references that the vendor resolves itself (URLs, file ids) and tools that the vendor runs itself.

mod anthropic;
mod body;
mod openai;
mod shape;
#[cfg(test)]
mod tests;

pub use body::{Body, Expected};

use crate::json;
use schema::{RefusalCode, Token};

/// The two families of agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI chat completions.
    OpenAi,
    /// Anthropic messages.
    Anthropic,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `POST /v1/messages`
    Messages,
    /// `POST /v1/messages/count_tokens`
    CountTokens,
    /// `GET /v1/models`: answered by the gateway itself.
    Models,
    /// `HEAD` or `GET` of `/` or `/api/hello`: some agents look whether anybody is there. Answered by the gateway itself.
    Probe,
}

impl Endpoint {
    /// The endpoint of a request line, or [`RefusalCode::UnknownEndpoint`]. Where something is forwarded, a query may only be
    /// `beta=true`: any other could carry content that nobody inspects.
    pub fn of(method: &str, path_and_query: &str) -> Result<Self, RefusalCode> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        if method == "POST" && !matches!(query, "" | "beta=true") {
            return Err(RefusalCode::UnknownEndpoint);
        }
        match (method, path) {
            ("POST", "/v1/chat/completions" | "/chat/completions") => Ok(Self::ChatCompletions),
            ("POST", "/v1/messages") => Ok(Self::Messages),
            ("POST", "/v1/messages/count_tokens") => Ok(Self::CountTokens),
            ("GET", "/v1/models" | "/models") => Ok(Self::Models),
            ("HEAD" | "GET", "/" | "/api/hello") => Ok(Self::Probe),
            _ => Err(RefusalCode::UnknownEndpoint),
        }
    }

    /// The dialect of bodies and errors. Models and probes exist in both; they count as OpenAI here.
    pub fn dialect(self) -> Dialect {
        match self {
            Self::ChatCompletions | Self::Models | Self::Probe => Dialect::OpenAi,
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
        }
    }

    /// The path at an upstream.
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
            Self::Models => "/v1/models",
            Self::Probe => "/",
        }
    }

    /// Whether a request carries a body, which then is a [`Body`].
    pub fn takes_body(self) -> bool {
        matches!(self, Self::ChatCompletions | Self::Messages | Self::CountTokens)
    }
}

/// The answer to [`Endpoint::Models`].
pub fn models_answer(dialect: Dialect, models: &[Token]) -> Vec<u8> {
    let entry = |model: &Token| {
        let mut id = String::new();
        json::encode(model.as_str(), &mut id);
        match dialect {
            Dialect::OpenAi => format!(r#"{{"id":{id},"object":"model","created":0,"owned_by":"bailiwick"}}"#),
            Dialect::Anthropic => format!(r#"{{"type":"model","id":{id},"display_name":{id},"created_at":"1970-01-01T00:00:00Z"}}"#),
        }
    };
    let entries = models.iter().map(entry).collect::<Vec<_>>().join(",");
    match dialect {
        Dialect::OpenAi => format!(r#"{{"object":"list","data":[{entries}]}}"#),
        Dialect::Anthropic => format!(r#"{{"data":[{entries}],"has_more":false,"first_id":null,"last_id":null}}"#),
    }
    .into_bytes()
}
