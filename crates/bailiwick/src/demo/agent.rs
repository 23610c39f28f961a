//! The demo's agent: a relationship manager's helper. It decides itself what it reads and writes, and asks the model only to summarise.

use super::http;
use crate::cli::ReferenceAgentArgs;
use crate::exit::{DONE, Failure, NEGATIVE, UNREADABLE};
use crate::print;
use crate::settings::Settings;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Most papers that it reads.
const PAPERS_MAX: usize = 16;
/// Longest paper that it reads, in bytes.
const PAPER_BYTES_MAX: usize = 16 * 1024;
const ANSWER_TOKENS_MAX: u32 = 120;
/// How an answer says that it reached the bound.
const CUT_OFF: &str = "\"finish_reason\":\"length\"";
const LETTERS: &str = "You write short, polite letters for a bank.";
const COPIES: &str = "You copy text exactly.";
const TASK: &str = "Summarise the client's file above in three short sentences. Say how the client can be reached.";

pub(crate) fn run(args: &ReferenceAgentArgs, settings: &Settings) -> Result<u8, Failure> {
    let papers = read_papers(&args.documents)?;
    print::line(format_args!("agent: read {} papers", papers.len()));
    // The newest paper first: a small model keeps to what it read last.
    let text = papers.iter().rev().map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n");
    let summary = ask([LETTERS, &format!("{text}\n{TASK}")], args.stream, settings)?;
    let contact = text.lines().find(|line| line.starts_with("E-mail")).unwrap_or_default();
    let reached = ask([COPIES, &format!("Copy this text exactly:\n\n{contact}")], args.stream, settings)?;
    print::line(format_args!("agent: the model answered twice, {} characters", summary.chars().count() + reached.chars().count()));
    let letter = format!(
        "Dear client,\n\nthis is what we have on file for you:\n\n{}\n\nWe will reach you by: {}\n\nYours sincerely\nYour bank\n",
        summary.trim(),
        reached.trim()
    );
    let target = Path::new("letter.txt");
    fs::write(target, letter).map_err(|error| Failure::new(UNREADABLE, format_args!("cannot write {}: {error}", target.display())))?;
    print::line("agent: wrote letter.txt");
    Ok(DONE)
}

fn read_papers(folder: &Path) -> Result<Vec<(PathBuf, String)>, Failure> {
    let wrong = |error: std::io::Error| Failure::new(UNREADABLE, format_args!("cannot read {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(wrong)?
        .take(PAPERS_MAX)
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(wrong)?;
    paths.sort();
    let mut papers = Vec::new();
    for path in paths {
        let mut text = fs::read_to_string(&path).map_err(wrong)?;
        text.truncate(text.floor_char_boundary(PAPER_BYTES_MAX));
        papers.push((path, text));
    }
    Ok(papers)
}

/// The model's answer to a question.
fn ask([system, question]: [&str; 2], stream: bool, settings: &Settings) -> Result<String, Failure> {
    let base = settings.variable("OPENAI_BASE_URL").and_then(|base| base.into_string().ok()).unwrap_or_default();
    let authority = base.strip_prefix("http://").and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned();
    let request = json!({
        "model": "summariser",
        "max_tokens": ANSWER_TOKENS_MAX,
        "temperature": 0,
        "stream": stream,
        "stream_options": if stream { json!({"include_usage": true}) } else { Value::Null },
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": question},
        ],
    });
    let failed = |error: std::io::Error| Failure::new(UNREADABLE, format_args!("cannot reach the model through {authority}: {error}"));
    let answer = http::post(&authority, "/v1/chat/completions", &request.to_string()).map_err(failed)?;
    if answer.status != 200 {
        let told = serde_json::from_str::<Value>(&answer.body).ok();
        let message = told.as_ref().and_then(|told| told.pointer("/error/message")?.as_str()).unwrap_or("no reason was given");
        return Err(Failure::new(NEGATIVE, format_args!("the call was refused ({}): {message}", answer.status)));
    }
    let text = if stream { streamed(&answer.body) } else { whole(&answer.body) };
    let text = text.ok_or_else(|| Failure::new(NEGATIVE, "the model's answer was not understood"))?;
    Ok(if answer.body.contains(CUT_OFF) { whole_lines(&text).to_owned() } else { text })
}

/// What stands before the last line: an answer that was cut off may end in half a word, or half a placeholder.
fn whole_lines(text: &str) -> &str {
    text.trim_end().rsplit_once('\n').map_or(text, |(before, _)| before)
}

fn whole(body: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(body).ok()?;
    Some(answer.pointer("/choices/0/message/content")?.as_str()?.to_owned())
}

fn streamed(body: &str) -> Option<String> {
    let mut text = String::new();
    for data in body.lines().filter_map(|line| line.strip_prefix("data: ")) {
        if data == "[DONE]" {
            return Some(text);
        }
        let event: Value = serde_json::from_str(data).ok()?;
        text.push_str(event.pointer("/choices/0/delta/content").and_then(Value::as_str).unwrap_or_default());
    }
    None
}

#[cfg(test)]
mod tests;
