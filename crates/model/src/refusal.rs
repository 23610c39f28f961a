//! What a caller is told when a call is not answered, in OpenAI's shape. Never with content: of a message only its place is named.

use serde::Serialize;

/// A call that is not answered.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    code: &'static str,
    message: String,
    param: Option<String>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'a str>,
    code: &'static str,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), param: None }
    }

    /// The body is no JSON document of the expected kind.
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(400, "malformed_request", message)
    }

    /// A parameter has a value that cannot be used. `param` is its place in the document, made of known names and numbers.
    pub(crate) fn parameter(param: impl Into<String>, expected: &str) -> Self {
        let param = param.into();
        Self { param: Some(param.clone()), ..Self::new(400, "invalid_value", format!("{param} must be {expected}")) }
    }

    /// A parameter asks for something that the model cannot do.
    pub(crate) fn unsupported(param: impl Into<String>, advice: &str) -> Self {
        let param = param.into();
        Self { param: Some(param.clone()), ..Self::new(400, "unsupported_parameter", format!("{param}: {advice}")) }
    }

    /// The prompt leaves no room for an answer. `tokens` is its length where it was counted.
    pub(crate) fn context_length(limit: usize, tokens: Option<usize>) -> Self {
        let found = tokens.map_or_else(|| "many more".to_owned(), |tokens| tokens.to_string());
        let message = format!(
            "this model's maximum context length is {limit} tokens, answer included; the messages have {found}; reduce the length of the messages"
        );
        Self { param: Some("messages".to_owned()), ..Self::new(400, "context_length_exceeded", message) }
    }

    /// The path or method is not served.
    pub(crate) fn unknown_endpoint() -> Self {
        Self::new(404, "unknown_endpoint", "the local model serves POST /v1/chat/completions and GET /v1/models only")
    }

    /// The body did not come in time.
    pub(crate) fn slow_body() -> Self {
        Self::new(408, "request_timeout", "the request's body did not arrive in time; send it again")
    }

    /// The body is larger than the bound.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(413, "request_too_large", format!("the request is larger than {limit} bytes; send less"))
    }

    /// Enough calls wait already.
    pub(crate) fn overloaded() -> Self {
        Self::new(429, "overloaded", "the local model answers one call at a time and enough others wait; try again later")
    }

    /// The computation failed; why is not told, since it could quote.
    pub(crate) fn internal() -> Self {
        Self::new(500, "internal_error", "the local model failed to compute the answer; try again, or send another prompt")
    }

    /// The error as OpenAI writes it.
    pub(crate) fn to_json(&self) -> String {
        let kind = match self.status {
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        };
        let details = Details { message: &self.message, kind, param: self.param.as_deref(), code: self.code };
        crate::reply::to_json(&Envelope { error: details })
    }
}
