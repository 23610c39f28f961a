//! What the model does next.
use crate::planted::{Planted, flatten};
use serde_json::{Value, json};

/// The next step in a conversation.
pub(super) enum Step {
    /// Call this tool with this input.
    Tool(String, Value),
    /// Say this, and stop.
    Say(String),
}

/// A tool as the script knows it.
pub(super) struct Tool<'b> {
    pub(super) name: &'b str,
    pub(super) schema: &'b Value,
}

/// Decides from the tools, the conversation, and how many tool results stand in it.
pub(super) fn next(tools: &[Tool<'_>], conversation: &Value, results: usize, planted: &Planted) -> Step {
    let mut text = String::new();
    flatten(conversation, &mut text);
    let value = value_in(&text, planted);
    if tools.is_empty() {
        return Step::Say(without_tools(&text, value.as_deref()));
    }
    match value {
        None if results < 3 => read(tools, &text).unwrap_or_else(|| Step::Say("There is nothing that I could do.".to_owned())),
        None => Step::Say("notes.txt holds no address.".to_owned()),
        Some(value) if results < 2 => {
            write(tools, &text, &value).unwrap_or_else(|| Step::Say(format!("I cannot write, but the address is {value}.")))
        }
        Some(value) => Step::Say(format!("contact.txt now holds {value}.")),
    }
}

/// The value that the task is about: an e-mail placeholder, or what was planted.
fn value_in(text: &str, planted: &Planted) -> Option<String> {
    if let Some(place) = text.find("BW_EMAIL_") {
        let end = text[place..].find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')).unwrap_or(text.len() - place);
        return Some(text[place..place + end].to_owned());
    }
    planted.first_in(text).filter(|value| value.contains('@')).map(str::to_owned)
}

fn without_tools(text: &str, value: Option<&str>) -> String {
    if text.contains("commit message") {
        return "feat: add the contact".to_owned();
    }
    value.map_or_else(|| "Hello.".to_owned(), |value| format!("Here it is.\n\ncontact.txt\n```\n{value}\n```\n"))
}

fn read(tools: &[Tool<'_>], text: &str) -> Option<Step> {
    let path = in_directory(text, "notes.txt");
    tools.iter().find_map(|tool| match tool.name {
        "Read" => Some(Step::Tool("Read".to_owned(), json!({"file_path": path}))),
        "read" => Some(Step::Tool("read".to_owned(), json!({"filePath": path}))),
        _ => shell(tool, "cat notes.txt"),
    })
}

fn write(tools: &[Tool<'_>], text: &str, value: &str) -> Option<Step> {
    let path = in_directory(text, "contact.txt");
    let named = tools.iter().find_map(|tool| match tool.name {
        "Write" => Some(Step::Tool("Write".to_owned(), json!({"file_path": path, "content": format!("{value}\n")}))),
        "write" => Some(Step::Tool("write".to_owned(), json!({"filePath": path, "content": format!("{value}\n")}))),
        _ => None,
    });
    named.or_else(|| tools.iter().find_map(|tool| shell(tool, &format!("printf '%s\\n' '{value}' > contact.txt"))))
}

/// A shell tool, known by its one parameter.
fn shell(tool: &Tool<'_>, command: &str) -> Option<Step> {
    tool.schema["properties"]["command"]
        .is_object()
        .then(|| Step::Tool(tool.name.to_owned(), json!({"command": command, "description": "works on the notes"})))
}

/// Agents tell the model where they work; where one does not, a relative path has to do.
fn in_directory(text: &str, name: &str) -> String {
    let directory = text.find("orking directory: ").map(|place| text[place + 18..].lines().next().unwrap_or_default().trim());
    directory.map_or_else(|| name.to_owned(), |directory| format!("{}/{name}", directory.trim_end_matches('/')))
}

/// Pieces of three characters, so that words are split.
pub(super) fn pieces(text: &str) -> Vec<String> {
    text.chars().collect::<Vec<_>>().chunks(3).map(|piece| piece.iter().collect()).collect()
}
