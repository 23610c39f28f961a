//! What differs, for people: names and letters, then the text of what changed.

use crate::cli::DiffArgs;
use crate::exit::{DONE, Failure};
use crate::print;
use endpoint::snapshot::{Comparison, Desk, Difference, Shown, Side, shown};
use serde::Serialize;
use similar::TextDiff;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest file whose text is compared.
const TEXT_BYTES_MAX: u64 = 512 * 1024;
/// Most files whose text is compared, and most bytes that are written.
const TEXTS_MAX: usize = 500;
const OUTPUT_BYTES_MAX: usize = 8 << 20;
/// Longest time for one file; beyond it, the difference is shown coarsely.
const EFFORT: Duration = Duration::from_millis(500);
/// Lines around a change.
const CONTEXT_LINES: usize = 3;

pub(super) fn run(desk: &Desk, args: &DiffArgs) -> Result<u8, Failure> {
    let comparison = desk.compare(&args.session.id)?;
    let look = Look { colours: print::colours(), names: args.names, paths: &args.paths };
    if args.session.json {
        print::json(&machine(&comparison, &look)?);
    } else {
        print::text(&render(&comparison, &look)?);
    }
    Ok(DONE)
}

/// How it is shown.
pub(super) struct Look<'a> {
    pub(super) colours: bool,
    /// Only letters and names.
    pub(super) names: bool,
    /// Only these; all if there are none.
    pub(super) paths: &'a [PathBuf],
}

impl Look<'_> {
    fn shows(&self, comparison: &Comparison, path: &Path) -> bool {
        let is_below = |one: &PathBuf| path.starts_with(one.strip_prefix(&comparison.workspace).unwrap_or(one));
        self.paths.is_empty() || self.paths.iter().any(is_below)
    }
}

/// One path that differs, for machines.
#[derive(Serialize)]
pub(super) struct Difference1 {
    path: String,
    change: char,
    old_bytes: Option<u64>,
    new_bytes: Option<u64>,
    old_sha256: Option<String>,
    new_sha256: Option<String>,
    old_mode: Option<String>,
    new_mode: Option<String>,
}

pub(super) fn machine(comparison: &Comparison, look: &Look<'_>) -> Result<Vec<Difference1>, Failure> {
    let asked = comparison.list.iter().filter(|one| look.shows(comparison, &one.path));
    asked.map(|one| path_facts(comparison, one)).collect()
}

fn path_facts(comparison: &Comparison, one: &Shown) -> Result<Difference1, Failure> {
    let digest = |side| comparison.digest(side, &one.path).map(|digest| digest.map(|digest| digest.hex()));
    let mode = |side| comparison.mode(side, &one.path).map(|mode| format!("{mode:04o}"));
    Ok(Difference1 {
        path: shown(&one.path),
        change: one.difference.letter(),
        old_bytes: comparison.size(Side::Old, &one.path),
        new_bytes: comparison.size(Side::New, &one.path),
        old_sha256: digest(Side::Old)?,
        new_sha256: digest(Side::New)?,
        old_mode: mode(Side::Old),
        new_mode: mode(Side::New),
    })
}

/// Letters and names, then texts.
pub(super) fn render(comparison: &Comparison, look: &Look<'_>) -> Result<String, Failure> {
    let asked: Vec<&Shown> = comparison.list.iter().filter(|one| look.shows(comparison, &one.path)).collect();
    let mut out = String::new();
    for one in &asked {
        let (on, off) = colour(look, letter_colour(one.difference));
        let path = if one.path.as_os_str().is_empty() { ".".to_owned() } else { shown(&one.path) };
        let _ok = writeln!(out, "{on}{} {path}{off}", one.difference.letter());
    }
    if asked.is_empty() {
        out.push_str("nothing differs\n");
    }
    if look.names {
        return Ok(out);
    }
    for (place, one) in asked.iter().enumerate() {
        if place >= TEXTS_MAX || out.len() > OUTPUT_BYTES_MAX {
            let _ok = writeln!(out, "\nand {} more paths: name them with --path", asked.len() - place);
            break;
        }
        write_one(comparison, one, look, &mut out)?;
    }
    Ok(out)
}

fn colour(look: &Look<'_>, code: &'static str) -> (&'static str, &'static str) {
    if look.colours { (code, "\x1b[0m") } else { ("", "") }
}

fn letter_colour(difference: Difference) -> &'static str {
    match difference {
        Difference::Added => "\x1b[32m",
        Difference::Deleted => "\x1b[31m",
        Difference::Modified | Difference::Retyped | Difference::Mode | Difference::Links | Difference::Time => "\x1b[33m",
    }
}

fn write_one(comparison: &Comparison, one: &Shown, look: &Look<'_>, out: &mut String) -> Result<(), Failure> {
    let path = one.path.as_path();
    let name = shown(path);
    for (side, sign) in [(Side::Old, '-'), (Side::New, '+')] {
        if let Some(target) = comparison.link(side, path) {
            let _ok = writeln!(out, "\n{sign} {name} -> {}", shown(&target));
        }
    }
    let (old_mode, new_mode) = (comparison.mode(Side::Old, path), comparison.mode(Side::New, path));
    if let (Some(old), Some(new), Difference::Mode) = (old_mode, new_mode, one.difference) {
        let _ok = writeln!(out, "\n{name}: mode {old:04o}, now {new:04o}");
    }
    let sizes = [comparison.size(Side::Old, path), comparison.size(Side::New, path)];
    if sizes == [None, None] || matches!(one.difference, Difference::Mode | Difference::Links) {
        return Ok(());
    }
    let is_small = sizes.iter().flatten().all(|size| *size <= TEXT_BYTES_MAX);
    let content = |side| comparison.content(side, path, TEXT_BYTES_MAX).map(Option::unwrap_or_default);
    let texts = if is_small { (text(content(Side::Old)?), text(content(Side::New)?)) } else { (None, None) };
    let (Some(old), Some(new)) = texts else {
        for (side, sign, size) in [(Side::Old, '-', sizes[0]), (Side::New, '+', sizes[1])] {
            if let (Some(size), Some(digest)) = (size, comparison.digest(side, path)?) {
                let _ok = writeln!(out, "\n{sign} {name}: {size} bytes, SHA-256 {}", digest.hex());
            }
        }
        return Ok(());
    };
    let _ok = writeln!(out);
    let diff = TextDiff::configure().timeout(EFFORT).diff_lines(&old, &new);
    let before = if sizes[0].is_some() { format!("a/{name}") } else { "/dev/null".to_owned() };
    let after = if sizes[1].is_some() { format!("b/{name}") } else { "/dev/null".to_owned() };
    let unified = diff.unified_diff().context_radius(CONTEXT_LINES).header(&before, &after).to_string();
    for line in unified.lines() {
        let code = match line.bytes().next() {
            Some(b'+') => "\x1b[32m",
            Some(b'-') => "\x1b[31m",
            Some(b'@') => "\x1b[36m",
            _ => "",
        };
        let (on, off) = if code.is_empty() { ("", "") } else { colour(look, code) };
        let _ok = writeln!(out, "{on}{}{off}", printable(line));
    }
    Ok(())
}

/// Bytes as text, if they are.
fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// A line whose characters control no terminal.
fn printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for character in line.chars() {
        if character == '\t' || !character.is_control() && !is_hidden(character) {
            out.push(character);
        } else {
            out.extend(character.escape_unicode());
        }
    }
    out
}

/// Whether a character shows nothing, or turns the direction of writing: format characters, separators of lines, fillers and tags (Unicode
/// Standard Annexes 9 and 31).
fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests;
