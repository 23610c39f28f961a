//! Values assigned to a name that says what they are: `password = "…"`, `"api_key": "…"`, `--token …`, `scheme://user:password@host`.

use super::value::{entropy, is_placeholder, is_stand_in};
use crate::{Kind, finding::Sink, text::Text};

/// What a secret's name ends with or contains.
pub(super) const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "api key",
    "access_key",
    "access-key",
    "accesskey",
    "auth_key",
    "authkey",
    "private_key",
    "privatekey",
    "signing_key",
    "encryption_key",
    "account_key",
    "accountkey",
    "license_key",
    "credential",
    "mot de passe",
    "kennwort",
    "authorization",
    "consumerkey",
    "consumer_key",
    "client_key",
];
/// Names that are part of many other words.
pub(super) const SHORT_NAMES: &[&str] = &["pass", "pw", "psw", "pswd", "passwrd"];
const NAME_BYTES_MAX: usize = 40;
const VALUE_BYTES_MAX: usize = 512;

/// Looks at a short name from `start` to `end`: with no letter or digit beside it.
pub(super) fn detect_short(text: Text<'_>, start: usize, end: usize, sink: &mut Sink) {
    let alone = text.opens(start) && !matches!(text.at(end), b'_' | b'-' | b'.') && text.closes(end);
    if alone {
        detect(text, end, sink);
    }
}

/// Looks at what follows a name that ends at `end`.
pub(super) fn detect(text: Text<'_>, end: usize, sink: &mut Sink) {
    let name = text.span(end, NAME_BYTES_MAX, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let tail = text.slice(end, name);
    if [&b"id"[..], b"ids", b"name", b"url", b"file", b"path", b"type", b"count"]
        .iter()
        .any(|word| tail.len() >= word.len() && tail.get(tail.len() - word.len()..).is_some_and(|part| part.eq_ignore_ascii_case(word)))
    {
        return;
    }
    let Some((start, quote)) = value_start(text, name) else { return };
    let stop = text.span(start, VALUE_BYTES_MAX, |byte| match quote {
        0 => {
            !byte.is_ascii_whitespace()
                && byte > b' '
                && byte < 0x7f
                && !matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'<' | b'>' | b'&' | b')' | b'}' | b']' | b'\\')
        }
        quote => byte != quote && byte != b'\n' && byte != b'\r' && !(byte == b'\\' && quote != b'\\'),
    });
    if is_secret(text.slice(start, stop), quote != 0) {
        sink.push(start, stop, Kind::Secret);
    }
}

/// Past the operator and an opening quote; also past `Bearer ` and the like.
fn value_start(text: Text<'_>, name: usize) -> Option<(usize, u8)> {
    let closed = text.span(name, 4, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']'));
    let typed = text.span(closed, 8, |byte| byte == b' ' || byte == b'\t');
    let typed = if text.slice(typed, typed + 7) == b"string " { typed + 7 } else { typed };
    let operator = text.span(typed, 6, |byte| matches!(byte, b'=' | b':' | b'?' | b'>' | b'.' | b',' | b'|'));
    let by_blank = operator == typed && typed == closed + 1 && is_option(text, name);
    if (operator == typed && !by_blank) || text.slice(typed, operator) == b"::" {
        return None;
    }
    let mut start = text.span(operator, 16, |byte| byte.is_ascii_whitespace());
    let escaped = usize::from(text.at(start) == b'\\');
    let mut quote = 0;
    if matches!(text.at(start + escaped), b'"' | b'\'' | b'`') {
        quote = text.at(start + escaped);
        start += escaped + 1;
    }
    for scheme in [&b"bearer "[..], b"basic ", b"token ", b"apikey "] {
        if text.slice(start, start + scheme.len()).eq_ignore_ascii_case(scheme) {
            start += scheme.len();
        }
    }
    // Between two words of a list there is a comma too.
    let listed = text.slice(typed, operator).contains(&b',');
    (!listed || quote != 0).then_some((start, quote))
}

/// Whether the name that ends at `end` is an option of a command: `--api-token`.
fn is_option(text: Text<'_>, end: usize) -> bool {
    let name = (1..=NAME_BYTES_MAX)
        .map(|back| text.before(end, back))
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let length = name.count();
    length > 2 && text.slice(end - length, end - length + 2) == b"--"
}

/// Letters with digits or signs, not a stand-in, and not as regular as a word.
fn is_secret(value: &[u8], quoted: bool) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let signs = value.iter().filter(|byte| byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'-' | b'.' | b'/' | b':')).count();
    let spaced = value.iter().any(u8::is_ascii_whitespace);
    if !(6..=VALUE_BYTES_MAX).contains(&value.len())
        || spaced
        || is_placeholder(value)
        || (!quoted && is_code(value))
        || is_path(value, digits)
    {
        return false;
    }
    let mixed = (letters > 0 && digits > 0) || (letters > 0 && signs > 0 && quoted) || (digits >= 16 && letters == 0);
    mixed && !is_stand_in(value) && entropy(value) >= if value.len() < 12 { 2.2 } else { 2.8 }
}

/// Whether it is an expression: `crate::Type1`, `tokens[1]`, `read(1)`.
fn is_code(value: &[u8]) -> bool {
    value.iter().any(|byte| matches!(byte, b'(' | b'[')) || value.windows(2).any(|pair| pair == b"::")
}

/// Whether it is a file's path or a route; those have few digits.
fn is_path(value: &[u8], digits: usize) -> bool {
    value.starts_with(b"~/") || (value.starts_with(b"/") && digits <= 2 && value.len() < 64)
}

/// Looks at a URL whose authority starts at `start`: `user:password@host`.
pub(super) fn detect_url(text: Text<'_>, start: usize, sink: &mut Sink) {
    let inner = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'@' | b'"' | b'\'' | b'<' | b'>');
    let user = text.span(start, 128, |byte| inner(byte) && byte != b':');
    if text.at(user) != b':' {
        return;
    }
    let end = text.span(user + 1, 256, inner);
    let value = text.slice(user + 1, end);
    if text.at(end) == b'@' && text.at(end + 1).is_ascii_alphanumeric() && value.len() >= 4 && !is_stand_in(value) && !is_placeholder(value)
    {
        sink.push(user + 1, end, Kind::Secret);
    }
}

/// Looks at what follows `bearer `.
pub(super) fn detect_bearer(text: Text<'_>, start: usize, value: usize, sink: &mut Sink) {
    let end = text.span(value, 4096, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'+' | b'/' | b'='));
    let token = text.slice(value, end);
    let digits = token.iter().any(u8::is_ascii_digit);
    if text.opens(start) && token.len() >= 16 && digits && !is_stand_in(token) && !is_placeholder(token) && entropy(token) >= 3.0 {
        sink.push(value, end, Kind::Secret);
    }
}
