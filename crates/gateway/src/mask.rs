//! Shows every string, key and number of a body to inspection, also those inside of strings that are JSON themselves.

use crate::dialect::Body;
use crate::json::{self, Document, Kind, Node};
use dlp::{Error, Inspectable};
use std::ops::Range;

#[cfg(test)]
mod tests;

/// Strings in strings: a tool's arguments hold a file that is JSON that holds JSON. Deeper ones are inspected as plain text.
const LEVELS_MAX: usize = 4;
/// Longest value that is shown together with its key; in longer ones the key says little.
const KEYED_BYTES_MAX: usize = 4096;
/// Longest number that is also inspected in its plain spelling.
const PLAIN_NUMBER_BYTES_MAX: usize = 64;
/// Keys of the protocols themselves: they say nothing about their values.
const PROTOCOL_KEYS: [&str; 14] = [
    "arguments",
    "content",
    "data",
    "description",
    "id",
    "input",
    "model",
    "name",
    "role",
    "signature",
    "text",
    "thinking",
    "tool_use_id",
    "type",
];

/// Whether the string at a place is left alone.
type Spares<'s> = &'s dyn Fn(&Range<usize>) -> bool;
type Masker<'m> = dyn FnMut(&str) -> Result<Option<String>, Error> + 'm;

impl Inspectable for Body {
    fn mask_all(self, show: &mut dyn FnMut(&str) -> Result<Option<String>, Error>) -> Result<Self, Error> {
        // A body was scanned when it was made; one that cannot be read again must not travel.
        let document = Document::parse(self.bytes()).map_err(|_| Error::Crashed)?;
        let spares = |span: &Range<usize>| self.spares(span);
        let masked = mask_document(&document, show, LEVELS_MAX, &spares)?;
        drop(document);
        match masked {
            Some(text) => self.with_masked(text.into_bytes()).ok_or(Error::Crashed),
            None => Ok(self),
        }
    }

    fn opaque(&self) -> bool {
        Self::opaque(self)
    }
}

fn mask_document(document: &Document<'_>, show: &mut Masker<'_>, levels: usize, spares: Spares<'_>) -> Result<Option<String>, Error> {
    document.rewrite(&mut |node| match node.kind() {
        Kind::Number => mask_number(node, show),
        Kind::Key => mask_text(&node.text().unwrap_or_default(), show, 0),
        Kind::String if spares(&node.span()) => Ok(None),
        Kind::String => mask_string(node, show, levels),
        Kind::Object | Kind::Array | Kind::True | Kind::False | Kind::Null => Ok(None),
    })
}

fn mask_string(node: Node<'_>, show: &mut Masker<'_>, levels: usize) -> Result<Option<String>, Error> {
    let text = node.text().unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let keyed = node.key().filter(|key| text.len() <= KEYED_BYTES_MAX && !PROTOCOL_KEYS.contains(&key.as_ref()) && !is_json(&text));
    if let Some(key) = keyed
        && let Some(masked) = mask_keyed(&key, &text, show)?
    {
        return Ok(Some(masked));
    }
    mask_text(&text, show, levels)
}

fn is_json(text: &str) -> bool {
    text.trim_ascii_start().starts_with(['{', '['])
}

/// Shows a value with its key, as in `"password": "…"`, since some values are known only by their names.
fn mask_keyed(key: &str, value: &str, show: &mut Masker<'_>) -> Result<Option<String>, Error> {
    let head = format!("\"{key}\": \"");
    let Some(masked) = show(&format!("{head}{value}\""))? else { return Ok(None) };
    let inner = masked.strip_prefix(&head).and_then(|rest| rest.strip_suffix('"'));
    Ok(inner.filter(|inner| *inner != value).map(str::to_owned))
}

fn mask_text(text: &str, show: &mut Masker<'_>, levels: usize) -> Result<Option<String>, Error> {
    if levels > 0
        && is_json(text)
        && let Ok(document) = Document::parse_text(text)
    {
        return mask_document(&document, show, levels - 1, &|_| false);
    }
    let masked = show(text)?;
    let Some(plain) = unescaped(masked.as_deref().unwrap_or(text)) else { return Ok(masked) };
    // Something hides behind escapes: what is sent is the text without them, masked.
    Ok(show(&plain)?.or(masked))
}

/// `text` with `\uXXXX` and `\/` resolved however many backslashes stand before; `None` if there are none.
fn unescaped(text: &str) -> Option<String> {
    if memchr::memmem::find(text.as_bytes(), b"\\u").is_none() && memchr::memmem::find(text.as_bytes(), b"\\/").is_none() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\\') {
        let (plain, tail) = rest.split_at(start);
        out.push_str(plain);
        let escape = tail.trim_start_matches('\\');
        let length = match escape.as_bytes().first() {
            Some(b'u') => 5,
            Some(b'/') => 1,
            _ => 0,
        };
        let body = escape.get(..length).unwrap_or_default();
        if let Some(character) = json::decode_one(body) {
            out.push(character);
            rest = escape.get(length..).unwrap_or_default();
        } else {
            out.push_str(tail.get(..tail.len() - escape.len()).unwrap_or_default());
            rest = escape;
        }
    }
    out.push_str(rest);
    Some(out)
}

/// A number that holds a value becomes a string with its placeholder.
fn mask_number(node: Node<'_>, show: &mut Masker<'_>) -> Result<Option<String>, Error> {
    let raw = node.raw();
    if raw.len() < 4 {
        return Ok(None);
    }
    for spelling in [Some(raw.trim_start_matches('-').to_owned()), plain_number(raw)].into_iter().flatten() {
        if let Some(key) = node.key()
            && let Some(masked) = mask_keyed(&key, &spelling, show)?
        {
            return Ok(Some(masked));
        }
        if let Some(masked) = show(&spelling)? {
            return Ok(Some(masked));
        }
    }
    Ok(None)
}

/// The digits of a whole number that is written with a fraction or an exponent (`4.111e3`, `4111.0`).
fn plain_number(raw: &str) -> Option<String> {
    if raw.len() > PLAIN_NUMBER_BYTES_MAX || !raw.contains(['.', 'e', 'E']) {
        return None;
    }
    let unsigned = raw.trim_start_matches('-');
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let point = usize::try_from(point).ok().filter(|point| *point <= PLAIN_NUMBER_BYTES_MAX)?;
    while digits.len() < point {
        digits.push('0');
    }
    if digits.get(point..)?.bytes().any(|digit| digit != b'0') {
        return None;
    }
    digits.truncate(point);
    Some(digits.trim_start_matches('0').to_owned())
}
