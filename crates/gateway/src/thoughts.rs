//! Signed thoughts. A vendor signs what its model thinks and takes it back only unchanged, so thoughts are neither restored on the way
//! to the agent nor masked on the way back. What proves that nothing else is in them: the gateway remembers, as digests, the thoughts
//! that the upstream itself sent in this session, and spares no others.
use crate::json::{Kind, Node};
use crate::limits::THOUGHTS_MAX;
use aws_lc_rs::digest::{Context, SHA256};
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

#[cfg(test)]
mod tests;

/// The strings of a thought that its signature covers.
const SIGNED: [&str; 3] = ["thinking", "signature", "data"];

/// A digest of one thought together with its signature.
pub(crate) type ThoughtDigest = [u8; 32];

/// The thoughts that an upstream sent in a session. A bounded set; what does not fit is treated as the agent's own text.
#[derive(Default)]
pub(crate) struct Thoughts(HashSet<ThoughtDigest>);

impl Thoughts {
    /// Takes note of what an upstream sent.
    pub(crate) fn remember(&mut self, thoughts: &[ThoughtDigest]) {
        let room = THOUGHTS_MAX.saturating_sub(self.0.len());
        self.0.extend(thoughts.iter().take(room));
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the upstream sent this.
    pub(crate) fn knows(&self, thought: &ThoughtDigest) -> bool {
        self.0.contains(thought)
    }
}

/// The thoughts among content blocks, each with where its signed strings stand; whatever else a block has is no part of the thought.
pub(crate) fn thoughts_of(content: Node<'_>) -> impl Iterator<Item = (ThoughtDigest, Vec<Range<usize>>)> {
    content.items().filter_map(|block| {
        let member = |name| block.get(name).and_then(Node::text).unwrap_or_default();
        if !matches!(&*member("type"), "thinking" | "redacted_thinking") {
            return None;
        }
        let strings = SIGNED.iter().filter_map(|name| block.get(name)).filter(|value| value.kind() == Kind::String);
        let digest = digest(&member("type"), &member("thinking"), &member("signature"), &member("data"));
        Some((digest, strings.map(Node::span).collect()))
    })
}

/// Each part with its length before it, so that no two thoughts look alike.
fn digest(kind: &str, thinking: &str, signature: &str, data: &str) -> ThoughtDigest {
    let mut context = Context::new(&SHA256);
    for part in [kind, thinking, signature, data] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut bytes = ThoughtDigest::default();
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// Gathers the thoughts of a stream from its events.
#[derive(Default)]
pub(crate) struct ThoughtStream {
    /// By content block.
    open: BTreeMap<u64, Draft>,
    whole: Vec<ThoughtDigest>,
}

/// A thought that is still coming.
#[derive(Default)]
struct Draft {
    kind: String,
    thinking: String,
    signature: String,
    data: String,
}

impl ThoughtStream {
    /// Takes an event; says whether it is part of a thought. Its size is bounded with the answer's.
    pub(crate) fn take(&mut self, event: Node<'_>) -> bool {
        let index = event.get("index").and_then(Node::integer).unwrap_or(0);
        let text = |node: Node<'_>, name| node.get(name).and_then(Node::text).unwrap_or_default().into_owned();
        match text(event, "type").as_str() {
            "content_block_start" => {
                let Some(block) = event.get("content_block") else { return false };
                let kind = text(block, "type");
                let is_thought = matches!(kind.as_str(), "thinking" | "redacted_thinking");
                if is_thought {
                    let (thinking, signature, data) = (text(block, "thinking"), text(block, "signature"), text(block, "data"));
                    self.open.insert(index, Draft { kind, thinking, signature, data });
                }
                is_thought
            }
            "content_block_delta" => {
                let (Some(draft), Some(delta)) = (self.open.get_mut(&index), event.get("delta")) else { return false };
                draft.thinking.push_str(&text(delta, "thinking"));
                draft.signature.push_str(&text(delta, "signature"));
                true
            }
            "content_block_stop" => {
                let Some(draft) = self.open.remove(&index) else { return false };
                self.whole.push(digest(&draft.kind, &draft.thinking, &draft.signature, &draft.data));
                true
            }
            _ => false,
        }
    }

    /// The thoughts that came whole since the last time.
    pub(crate) fn drain(&mut self) -> Vec<ThoughtDigest> {
        std::mem::take(&mut self.whole)
    }
}
