//! Refusals in the words of each dialect: a stable code, the rules that decided and what to do next; never content.

use crate::{dialect::Dialect, json};
use schema::{RefusalCode, RequestId, Token};

#[cfg(test)]
mod tests;

/// A refusal as an HTTP answer (`application/json`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Whether the same call may work later: the value of `x-should-retry`, which the vendors' own libraries obey.
    pub retry: bool,
    /// The body.
    pub body: Vec<u8>,
}

/// The HTTP status of a refusal. What a policy refuses is 403: agents' libraries repeat 408, 409, 429 and 5xx, and a refusal must not
/// be hammered.
pub fn status(code: RefusalCode) -> u16 {
    match code {
        RefusalCode::Unauthenticated => 401,
        RefusalCode::UnknownEndpoint => 404,
        RefusalCode::Malformed | RefusalCode::UnknownShape => 400,
        RefusalCode::TooLarge | RefusalCode::InspectionBound => 413,
        RefusalCode::Encoded => 415,
        RefusalCode::UpstreamFailed | RefusalCode::UpstreamMalformed => 502,
        RefusalCode::EvidenceUnavailable | RefusalCode::Overloaded | RefusalCode::InspectionFailed => 503,
        RefusalCode::NoRoute
        | RefusalCode::Denied
        | RefusalCode::Held
        | RefusalCode::SessionLost
        | RefusalCode::DestinationDenied
        | RefusalCode::NameDenied
        | RefusalCode::FileDenied
        | RefusalCode::SystemCallDenied
        | RefusalCode::ProgramDenied
        | RefusalCode::WallMissing
        | RefusalCode::WorkspaceInUse => 403,
    }
}

/// A refusal before anything of an answer was sent.
pub fn answer(dialect: Dialect, code: RefusalCode, rules: &[Token], request: Option<&RequestId>) -> Answer {
    let retry = matches!(code, RefusalCode::Overloaded | RefusalCode::UpstreamFailed);
    Answer { status: status(code), retry, body: body(dialect, code, rules, request).into_bytes() }
}

/// A refusal after a stream has begun: one server-sent event.
pub fn stream_event(dialect: Dialect, code: RefusalCode, rules: &[Token], request: Option<&RequestId>) -> Vec<u8> {
    let name = match dialect {
        Dialect::OpenAi => "",
        Dialect::Anthropic => "event: error\n",
    };
    format!("{name}data: {}\n\n", body(dialect, code, rules, request)).into_bytes()
}

fn body(dialect: Dialect, code: RefusalCode, rules: &[Token], request: Option<&RequestId>) -> String {
    let mut message = format!("bailiwick refused this call: {} ({code}", code.advice());
    for (place, rule) in rules.iter().enumerate() {
        message.push_str(if place == 0 { "; rules: " } else { ", " });
        message.push_str(rule.as_str());
    }
    message.push(')');
    let kind = quoted(kind(dialect, status(code)));
    let code = quoted(code.name());
    let rules = rules.iter().map(|rule| quoted(rule.as_str())).collect::<Vec<_>>().join(",");
    let request_id = request.map_or_else(|| "null".to_owned(), |request| quoted(request.as_str()));
    let message = quoted(&message);
    let details = format!(r#"{{"code":{code},"rules":[{rules}],"request_id":{request_id}}}"#);
    match dialect {
        Dialect::OpenAi => {
            format!(r#"{{"error":{{"message":{message},"type":{kind},"param":null,"code":{code},"bailiwick":{details}}}}}"#)
        }
        Dialect::Anthropic => {
            format!(r#"{{"type":"error","error":{{"type":{kind},"message":{message},"bailiwick":{details}}},"request_id":{request_id}}}"#)
        }
    }
}

/// The error type that the vendor's own libraries know for a status.
fn kind(dialect: Dialect, status: u16) -> &'static str {
    match (dialect, status) {
        (_, 401) => "authentication_error",
        (_, 403) => "permission_error",
        (Dialect::Anthropic, 404) => "not_found_error",
        (Dialect::Anthropic, 413) => "request_too_large",
        (_, 502 | 503) => match dialect {
            Dialect::OpenAi => "server_error",
            Dialect::Anthropic => "api_error",
        },
        _ => "invalid_request_error",
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    json::encode(text, &mut out);
    out
}
