//! Puts values back into answers, for the agent: into whole ones, and into streams, where a placeholder may be split over events.
mod channels;
mod frames;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub use stream::{AnswerStream, StreamEnd};
pub use usage::Usage;

use crate::dialect::{Dialect, Endpoint, Expected};
use crate::json::{Document, Node};
use crate::thoughts::{self, ThoughtDigest};
use dlp::{Escape, Vault};
use schema::RefusalCode;
use std::borrow::Cow;

/// A restored answer. No `Debug`: it is content.
#[expect(missing_debug_implementations, reason = "holds content, which is never printed")]
pub struct Restored {
    /// The answer for the agent.
    pub bytes: Vec<u8>,
    /// What it cost.
    pub usage: Usage,
    /// Placeholders that were restored.
    pub values_restored: u64,
    /// Signed thoughts in it, which stay as they are.
    pub(crate) thoughts: Vec<ThoughtDigest>,
}

/// Restores a whole answer, or the JSON body of an error.
///
/// # Errors
/// [`RefusalCode::UpstreamMalformed`] if it is not JSON.
pub fn answer(expected: Expected, bytes: Vec<u8>, vault: &Vault) -> Result<Restored, RefusalCode> {
    let document = Document::parse(&bytes).map_err(|_| RefusalCode::UpstreamMalformed)?;
    let mut usage = Usage::default();
    usage.read(expected.endpoint, document.root());
    let (mut values_restored, mut thoughts, mut signed) = (0, Vec::new(), Vec::new());
    if expected.endpoint == Endpoint::Messages {
        for (digest, strings) in document.root().get("content").into_iter().flat_map(thoughts::thoughts_of) {
            thoughts.push(digest);
            signed.extend(strings);
        }
    }
    let rewritten: Result<_, RefusalCode> = document.rewrite(&mut |node| {
        let Some(text) = node.text().filter(|_| !signed.contains(&node.span())) else { return Ok(None) };
        let (restored, count) = vault.restore_with(&text, escape_of(expected, node.key().as_deref()));
        values_restored += count;
        Ok(if count > 0 { Some(restored.into_owned()) } else { None })
    });
    let rewritten = rewritten?;
    drop(document);
    Ok(Restored { bytes: rewritten.map_or(bytes, String::into_bytes), usage, values_restored, thoughts })
}

/// How a value is written into the string under `key`: the strings that are JSON themselves need it escaped once more.
fn escape_of(expected: Expected, key: Option<&str>) -> Escape {
    let is_json = match key {
        Some("arguments" | "partial_json") => true,
        Some("content") => expected.text_is_json && expected.endpoint.dialect() == Dialect::OpenAi,
        Some("text") => expected.text_is_json,
        Some(_) | None => false,
    };
    if is_json { Escape::Json } else { Escape::None }
}

/// The member `name` as a text.
fn text_of<'d>(node: Node<'d>, name: &str) -> Option<Cow<'d, str>> {
    node.get(name)?.text()
}
