use super::source::{Purpose, Source, Word};
use super::{Report, Repository};

/// Rooms that may hold `unsafe`.
const UNSAFE_ROOMS: &[&str] = &["sandbox", "attest"];
/// A test tool, not shipped: the battery asks the kernel what no safe library would. It keeps this in one file.
const UNSAFE_TEST_FILE: &str = "tests/escape/src/sys.rs";
const PANICKING_METHODS: &[&str] = &["unwrap", "expect", "unwrap_err", "expect_err"];
const PANICKING_MACROS: &[&str] = &["panic", "todo", "unimplemented", "unreachable"];
/// Lints whose `#[expect(…, reason = …)]` on a function says that its panic is proven impossible.
const PROVEN: &[&str] = &["unwrap_used", "expect_used", "panic", "unreachable"];

fn place(source: &Source, word: &Word) -> String {
    format!("{}:{}", source.path, word.line)
}

/// Unit tests have a file of their own.
pub(super) fn unit_tests_apart(repository: &Repository, report: &mut Report) {
    for source in repository.sources.iter().filter(|source| source.purpose != Purpose::Test) {
        let is_test =
            |word: &&Word| word.text == "test" && matches!(word.before, None | Some(':')) && word.after.is_none() && word.next.is_none();
        // `test` alone in brackets is the attribute; `cfg(test)` stands in brackets too, before an item that must be `mod tests;`.
        let inline = |word: &&Word| word.text == "mod" && word.next.as_deref() == Some("tests") && opens(source, word);
        for word in source.words.iter().filter(inline) {
            report.find("unit-tests", place(source, word), "unit tests stand in a file of their own: write `mod tests;`");
        }
        let gates = source.words.iter().filter(|word| word.text == "cfg" && word.after == Some('(')).count();
        let attributes = source.words.iter().filter(is_test).count();
        if attributes > gates {
            report.find("unit-tests", &source.path, "a test stands beside the product: move it to `tests.rs`");
        }
    }
}

/// True if the module has its content here.
fn opens(source: &Source, module: &Word) -> bool {
    let name = source.words.iter().find(|word| word.text == "tests" && word.line == module.line);
    name.is_some_and(|word| word.after == Some('{'))
}

/// `unsafe` stays in the rooms that are made for it.
pub(super) fn unsafe_stays_home(repository: &Repository, report: &mut Report) {
    let mut count = 0;
    let is_home = |source: &&Source| source.room().is_some_and(|room| UNSAFE_ROOMS.contains(&room)) || source.path == UNSAFE_TEST_FILE;
    for source in repository.sources.iter().filter(|source| !is_home(source)) {
        for word in source.words.iter().filter(|word| word.text == "unsafe") {
            count += 1;
            report.find("unsafe", place(source, word), format!("unsafe code is only in {}", UNSAFE_ROOMS.join(" and ")));
        }
    }
    report.meter("unsafe outside sandbox and attest", count, "0");
}

/// Shipped code does not panic.
pub(super) fn no_panics(repository: &Repository, report: &mut Report) {
    let mut count = 0;
    for source in repository.sources.iter().filter(|source| matches!(source.purpose, Purpose::Product | Purpose::Chore)) {
        for word in source.words.iter().filter(|word| panics(word) && !is_proven(source, word.line) && !is_own(source, word)) {
            count += 1;
            report.find("panic", place(source, word), format!("`{}` in shipped code: return an error", word.text));
        }
    }
    report.meter("unwrap, expect, panic in shipped code", count, "0");
}

fn panics(word: &Word) -> bool {
    let text = word.text.as_str();
    (PANICKING_METHODS.contains(&text) && word.before == Some('.') && word.after == Some('('))
        || (PANICKING_MACROS.contains(&text) && word.after == Some('!'))
}

/// True if the file defines a method of that name itself: then the compiler's lint judges the calls.
fn is_own(source: &Source, word: &Word) -> bool {
    source.functions.iter().any(|function| function.name == word.text)
}

/// True inside a function that carries `#[expect(clippy::…_used, reason = …)]` within it or on the lines just above.
fn is_proven(source: &Source, line: usize) -> bool {
    let innermost = source.functions.iter().filter(|function| function.line <= line && line <= function.line_last);
    let Some(function) = innermost.min_by_key(|function| function.line_last - function.line) else { return false };
    let above = source.functions.iter().filter(|other| other.line_last < function.line).map(|other| other.line_last).max().unwrap_or(0);
    let covers = |word: &Word| PROVEN.contains(&word.text.as_str()) && word.before == Some(':') && (above..=line).contains(&word.line);
    source.words.iter().any(covers)
}

/// Every crate says at its top what it is.
pub(super) fn crate_docs(repository: &Repository, report: &mut Report) {
    let is_root = |path: &str| path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs") || path.contains("/src/bin/");
    for file in repository.files.iter().filter(|file| is_root(&file.path) && !file.text.starts_with("//!")) {
        report.find("crate-docs", &file.path, "the first line says what the crate is: `//! …`");
    }
}

/// Every member takes the workspace's lints.
pub(super) fn lints_are_inherited(repository: &Repository, report: &mut Report) {
    for file in repository.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        if !file.text.contains("[lints]\nworkspace = true") {
            report.find("lints", &file.path, "add `[lints]` with `workspace = true`");
        }
    }
}
