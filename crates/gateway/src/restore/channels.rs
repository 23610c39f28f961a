//! Texts that arrive in pieces: one channel for each, told apart by where in the events its pieces stand.
use crate::dialect::Dialect;
use crate::json::{Kind, Node};

/// Where a text stands: the choice or content block that it belongs to, and the way from there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Channel {
    pub(super) group: u64,
    path: String,
}

/// A string of an event.
pub(super) struct Place<'d> {
    pub(super) node: Node<'d>,
    /// The channel that it is a piece of; `None` if it stands for itself.
    pub(super) channel: Option<Channel>,
}

/// Groups that an event ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Group(u64),
    All,
}

/// Keys whose strings are names of the protocol, never pieces of a text.
const NAMES: [&str; 5] = ["type", "role", "id", "object", "tool_use_id"];

/// Every string of an event, in the order of the text.
pub(super) fn places(dialect: Dialect, root: Node<'_>) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    match dialect {
        Dialect::OpenAi => {
            for (key, value) in root.members() {
                if key.is("choices") {
                    value.items().enumerate().for_each(|(position, choice)| choice_places(position, choice, &mut found));
                } else {
                    walk(value, None, &mut found);
                }
            }
        }
        Dialect::Anthropic => {
            let group = root.get("index").and_then(Node::integer).unwrap_or(0);
            let pieces = root.get("type").is_some_and(|kind| kind.is("content_block_delta"));
            for (key, value) in root.members() {
                let channel = (pieces && key.is("delta")).then(|| Channel { group, path: String::new() });
                walk(value, channel.as_ref(), &mut found);
            }
        }
    }
    found
}

fn choice_places<'d>(position: usize, choice: Node<'d>, found: &mut Vec<Place<'d>>) {
    let group = index_of(choice, position);
    for (key, value) in choice.members() {
        let channel = key.is("delta").then(|| Channel { group, path: String::new() });
        walk(value, channel.as_ref(), found);
    }
}

fn index_of(node: Node<'_>, position: usize) -> u64 {
    node.get("index").and_then(Node::integer).unwrap_or(position as u64)
}

/// Nesting is bounded by the scanner ([`schema::bounds::JSON_DEPTH_MAX`]).
fn walk<'d>(node: Node<'d>, channel: Option<&Channel>, found: &mut Vec<Place<'d>>) {
    match node.kind() {
        Kind::String => found.push(Place { node, channel: channel.cloned() }),
        Kind::Array => {
            for (position, item) in node.items().enumerate() {
                let inner = channel.map(|channel| channel.at(&index_of(item, position).to_string()));
                walk(item, inner.as_ref(), found);
            }
        }
        Kind::Object => {
            for (key, value) in node.members() {
                let name = key.text().unwrap_or_default();
                let inner = channel.filter(|_| !NAMES.contains(&&*name)).map(|channel| channel.at(&name));
                walk(value, inner.as_ref(), found);
            }
        }
        Kind::Key | Kind::Number | Kind::True | Kind::False | Kind::Null => {}
    }
}

impl Channel {
    fn at(&self, step: &str) -> Self {
        Self { group: self.group, path: format!("{}/{step}", self.path) }
    }
}

/// Which groups end with this event.
pub(super) fn ends(dialect: Dialect, root: Node<'_>) -> Vec<Ends> {
    match dialect {
        Dialect::OpenAi => {
            let choices = root.get("choices").into_iter().flat_map(Node::items).enumerate();
            let over = choices.filter(|(_, choice)| choice.get("finish_reason").is_some_and(|reason| !reason.is_null()));
            over.map(|(position, choice)| Ends::Group(index_of(choice, position))).collect()
        }
        Dialect::Anthropic => match super::text_of(root, "type").as_deref() {
            Some("content_block_stop") => vec![Ends::Group(root.get("index").and_then(Node::integer).unwrap_or(0))],
            Some("message_delta" | "message_stop" | "error") => vec![Ends::All],
            _ => Vec::new(),
        },
    }
}
