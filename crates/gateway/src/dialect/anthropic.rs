//! Anthropic messages (API version 2023-06-01: `POST /v1/messages`, `POST /v1/messages/count_tokens`).

use super::shape::{Findings, Shape, array, expect_object, object, present, refuse_present, text};
use crate::json::{Kind, Node};
use schema::RefusalCode;

const TOP: [&str; 9] = ["model", "messages", "system", "stream", "tools", "mcp_servers", "container", "output_format", "output_config"];
const MESSAGE: [&str; 2] = ["role", "content"];
const BLOCK: [&str; 5] = ["type", "text", "source", "content", "input"];
const SOURCE: [&str; 7] = ["type", "media_type", "data", "url", "file_id", "content", "id"];
const TOOL: [&str; 3] = ["type", "name", "input_schema"];
/// Tools that the vendor defines and the agent runs, without the date in their names.
const CLIENT_TOOLS: [&str; 4] = ["bash_", "text_editor_", "computer_", "memory_"];
/// Blocks hold blocks: a tool's result holds documents, a document holds content.
const BLOCK_DEPTH_MAX: usize = 4;

pub(super) fn check(root: Node<'_>) -> Shape<Findings> {
    expect_object(root, &TOP)?;
    let mut findings = Findings::default();
    refuse_present(root, "mcp_servers")?;
    refuse_present(root, "container")?;
    let messages = array(root, "messages")?.ok_or(RefusalCode::Malformed)?;
    for message in messages.items() {
        expect_object(message, &MESSAGE)?;
        if text(message, "role").is_none() {
            return Err(RefusalCode::Malformed);
        }
        check_content(message, "content", BLOCK_DEPTH_MAX, &mut findings)?;
    }
    check_content(root, "system", BLOCK_DEPTH_MAX, &mut findings)?;
    for tool in array(root, "tools")?.into_iter().flat_map(Node::items) {
        check_tool(tool)?;
    }
    Ok(findings)
}

/// Whether the answer's text is itself to be JSON.
pub(super) fn text_is_json(root: Node<'_>) -> bool {
    let format = root.get("output_format").or_else(|| root.get("output_config").and_then(|config| config.get("format")));
    format.and_then(|format| text(format, "type")).is_some_and(|kind| kind == "json_schema")
}

fn check_tool(tool: Node<'_>) -> Shape<()> {
    expect_object(tool, &TOOL)?;
    let Some(kind) = present(tool, "type") else { return Ok(()) };
    let kind = kind.text().ok_or(RefusalCode::Malformed)?;
    if kind == "custom" || CLIENT_TOOLS.iter().any(|known| kind.starts_with(known)) {
        return Ok(());
    }
    Err(RefusalCode::UnknownShape)
}

fn check_content(parent: Node<'_>, name: &str, depth: usize, findings: &mut Findings) -> Shape<()> {
    let Some(content) = present(parent, name) else { return Ok(()) };
    match content.kind() {
        Kind::String => Ok(()),
        Kind::Array if depth > 0 => content.items().try_for_each(|block| check_block(block, depth - 1, findings)),
        Kind::Array => Err(RefusalCode::UnknownShape),
        Kind::Object | Kind::Key | Kind::Number | Kind::True | Kind::False | Kind::Null => Err(RefusalCode::Malformed),
    }
}

fn check_block(block: Node<'_>, depth: usize, findings: &mut Findings) -> Shape<()> {
    expect_object(block, &BLOCK)?;
    match text(block, "type").as_deref() {
        Some("text" | "tool_use" | "thinking" | "redacted_thinking" | "tool_reference") => refuse_present(block, "source"),
        Some("tool_result") => {
            refuse_present(block, "source")?;
            check_content(block, "content", depth, findings)
        }
        // A result of the agent's own search; its `source` is a text for citations.
        Some("search_result") => check_content(block, "content", depth, findings),
        Some("image" | "document") => check_source(block, depth, findings),
        _ => Err(RefusalCode::UnknownShape),
    }
}

fn check_source(block: Node<'_>, depth: usize, findings: &mut Findings) -> Shape<()> {
    let source = object(block, "source", &SOURCE)?;
    for remote in ["url", "file_id", "id"] {
        refuse_present(source, remote)?;
    }
    match text(source, "type").as_deref() {
        Some("base64") => {
            findings.opaque = true;
            Ok(())
        }
        Some("text") => Ok(()),
        Some("content") => check_content(source, "content", depth, findings),
        _ => Err(RefusalCode::UnknownShape),
    }
}
