//! OpenAI chat completions (API reference of 2026: `POST /v1/chat/completions`).

use super::shape::{Findings, Shape, array, expect_object, object, present, refuse_present, text};
use crate::json::{Kind, Node};
use schema::RefusalCode;

const TOP: [&str; 14] = [
    "model",
    "messages",
    "stream",
    "tools",
    "functions",
    "web_search_options",
    "response_format",
    "audio",
    "modalities",
    "prediction",
    "store",
    "metadata",
    "tool_choice",
    "previous_response_id",
];
const MESSAGE: [&str; 7] = ["role", "content", "tool_calls", "function_call", "audio", "refusal", "name"];
const PART: [&str; 6] = ["type", "text", "image_url", "input_audio", "file", "refusal"];
const TOOL: [&str; 3] = ["type", "function", "custom"];

pub(super) fn check(root: Node<'_>) -> Shape<Findings> {
    expect_object(root, &TOP)?;
    let mut findings = Findings::default();
    for hosted in ["web_search_options", "previous_response_id"] {
        refuse_hosted(root, hosted)?;
    }
    let messages = array(root, "messages")?.ok_or(RefusalCode::Malformed)?;
    for message in messages.items() {
        check_message(message, &mut findings)?;
    }
    for tool in array(root, "tools")?.into_iter().flat_map(Node::items) {
        expect_object(tool, &TOOL)?;
        if !matches!(text(tool, "type").as_deref(), Some("function" | "custom")) {
            return Err(RefusalCode::UnknownShape);
        }
    }
    if let Some(prediction) = present(root, "prediction") {
        expect_object(prediction, &["type", "content"])?;
        check_content(prediction, &mut findings)?;
    }
    Ok(findings)
}

/// Whether the answer's text is itself to be JSON.
pub(super) fn text_is_json(root: Node<'_>) -> bool {
    let kind = root.get("response_format").and_then(|format| text(format, "type"));
    matches!(kind.as_deref(), Some("json_object" | "json_schema"))
}

/// A hosted tool is switched on by an object, even by an empty one.
fn refuse_hosted(root: Node<'_>, name: &str) -> Shape<()> {
    if present(root, name).is_some() { Err(RefusalCode::UnknownShape) } else { Ok(()) }
}

fn check_message(message: Node<'_>, findings: &mut Findings) -> Shape<()> {
    expect_object(message, &MESSAGE)?;
    if text(message, "role").is_none() {
        return Err(RefusalCode::Malformed);
    }
    // An earlier spoken answer is named by an id that only the vendor can resolve.
    refuse_present(message, "audio")?;
    array(message, "tool_calls")?;
    check_content(message, findings)
}

fn check_content(message: Node<'_>, findings: &mut Findings) -> Shape<()> {
    let Some(content) = present(message, "content") else { return Ok(()) };
    match content.kind() {
        Kind::String => Ok(()),
        Kind::Array => content.items().try_for_each(|part| check_part(part, findings)),
        Kind::Object | Kind::Key | Kind::Number | Kind::True | Kind::False | Kind::Null => Err(RefusalCode::Malformed),
    }
}

fn check_part(part: Node<'_>, findings: &mut Findings) -> Shape<()> {
    expect_object(part, &PART)?;
    match text(part, "type").as_deref() {
        Some("text" | "refusal") => {
            for other in ["image_url", "input_audio", "file"] {
                refuse_present(part, other)?;
            }
        }
        Some("image_url") => {
            let image = object(part, "image_url", &["url", "detail"])?;
            let url = text(image, "url").ok_or(RefusalCode::Malformed)?;
            // The vendor would fetch anything else itself, and with it whatever stands in the address.
            if !url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
                return Err(RefusalCode::UnknownShape);
            }
            findings.opaque = true;
        }
        Some("input_audio") => {
            object(part, "input_audio", &["data", "format"])?;
            findings.opaque = true;
        }
        Some("file") => {
            let file = object(part, "file", &["file_data", "file_id", "filename", "file_url"])?;
            refuse_present(file, "file_id")?;
            refuse_present(file, "file_url")?;
            findings.opaque = true;
        }
        _ => return Err(RefusalCode::UnknownShape),
    }
    Ok(())
}
