//! Reading objects whose field names matter.

use crate::json::{Kind, Node};
use schema::RefusalCode;

/// Why a body is not accepted.
pub(super) type Shape<T> = Result<T, RefusalCode>;

/// What a walk over a body has found.
#[derive(Clone, Copy, Default)]
pub(super) struct Findings {
    /// Some part cannot be inspected.
    pub(super) opaque: bool,
}

/// Refuses names that a careless reader would take for `known` ones (`Tools`, `ſtream`): readers differ in whether case matters.
pub(super) fn refuse_lookalikes(object: Node<'_>, known: &[&str]) -> Shape<()> {
    for (key, _) in object.members() {
        let name = key.text().unwrap_or_default();
        if known.contains(&name.as_ref()) {
            continue;
        }
        let folded: String = name
            .chars()
            .map(|character| match character {
                '\u{17f}' => 's',
                '\u{212a}' => 'k',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        if known.contains(&folded.as_str()) {
            return Err(RefusalCode::UnknownShape);
        }
    }
    Ok(())
}

/// The member `name`, which must be an object with the `known` names spelled right.
pub(super) fn object<'d>(parent: Node<'d>, name: &str, known: &[&str]) -> Shape<Node<'d>> {
    let node = parent.get(name).ok_or(RefusalCode::Malformed)?;
    expect_object(node, known)?;
    Ok(node)
}

/// Checks that `node` is an object with the `known` names spelled right.
pub(super) fn expect_object(node: Node<'_>, known: &[&str]) -> Shape<()> {
    if node.kind() != Kind::Object {
        return Err(RefusalCode::Malformed);
    }
    refuse_lookalikes(node, known)
}

/// The member `name` if it is there and not null.
pub(super) fn present<'d>(object: Node<'d>, name: &str) -> Option<Node<'d>> {
    object.get(name).filter(|node| !node.is_null())
}

/// The member `name`, which must be an array if it is there.
pub(super) fn array<'d>(object: Node<'d>, name: &str) -> Shape<Option<Node<'d>>> {
    match present(object, name) {
        Some(node) if node.kind() != Kind::Array => Err(RefusalCode::Malformed),
        other => Ok(other),
    }
}

/// The string in the member `name`.
pub(super) fn text<'d>(object: Node<'d>, name: &str) -> Option<std::borrow::Cow<'d, str>> {
    object.get(name).and_then(Node::text)
}

/// Refuses the call when `name` is there with anything in it.
pub(super) fn refuse_present(object: Node<'_>, name: &str) -> Shape<()> {
    match present(object, name) {
        Some(node) if !node.is_empty() => Err(RefusalCode::UnknownShape),
        _ => Ok(()),
    }
}
