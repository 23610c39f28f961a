//! Prints the reference of a kind of document from its table.

use super::shape::{Key, Presence, Section, Shape};
use std::fmt::Write;

/// Every key of the document, in Markdown: type, default, example, meaning. `root` is what the reader itself checks against.
pub fn reference(root: &Section) -> String {
    let mut out = String::new();
    section(&mut out, "", "Top level", root);
    out
}

fn section(out: &mut String, path: &str, title: &str, section_here: &Section) {
    let _ = write!(out, "## {title}\n\n{}\n", section_here.summary);
    for key in section_here.keys.iter().filter(|key| inner(&key.shape).is_none()) {
        write_key(out, key);
    }
    for key in section_here.keys {
        let Some((title, below)) = inner(&key.shape).map(|below| (heading(path, key), below)) else { continue };
        out.push('\n');
        let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        section(out, &path, &title, below);
        if let Shape::Named { names, .. } = key.shape {
            let _ = write!(out, "\nNames: {}.\n", code_list(names));
        }
    }
}

fn inner(shape: &Shape) -> Option<&'static Section> {
    match shape {
        Shape::Table(section) | Shape::Tables { section, .. } | Shape::Named { section, .. } => Some(section),
        Shape::Name
        | Shape::Text
        | Shape::Path
        | Shape::Variable
        | Shape::Pattern
        | Shape::Boolean
        | Shape::Integer { .. }
        | Shape::Bytes { .. }
        | Shape::OneOf(_)
        | Shape::List(_) => None,
    }
}

fn heading(path: &str, key: &Key) -> String {
    let full = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
    if matches!(key.shape, Shape::Tables { .. }) {
        return format!("`[[{full}]]`");
    }
    let name = if matches!(key.shape, Shape::Named { .. }) { ".NAME" } else { "" };
    format!("`[{full}{name}]`")
}

fn write_key(out: &mut String, key: &Key) {
    let presence = match key.presence {
        Presence::Required => "required".to_owned(),
        Presence::Default(value) => format!("`{value}`"),
        Presence::Optional(absent) => format!("absent: {absent}"),
    };
    let _ = write!(out, "\n### `{}`\n\n{}\n\n", key.name, key.summary);
    let _ = writeln!(out, "- type: {}\n- default: {presence}", key.shape.wanted());
    let _ = writeln!(out, "- example: `{} = {}`", key.name, key.example);
}

fn code_list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
