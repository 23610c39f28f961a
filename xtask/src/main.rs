//! Chores of the repository. `cargo xtask tidy` checks the rules of the house and prints its meters; `--json` prints them for machines.
#![forbid(unsafe_code)]

mod tidy;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy [--json]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_json = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => false,
        ["tidy", "--json"] => true,
        _ => return complain(USAGE),
    };
    let report = match tidy::Repository::read(root()) {
        Ok(repository) => tidy::check(&repository),
        Err(error) => return complain(&error.to_string()),
    };
    let printed = if is_json { report.json().to_string() } else { report.text() };
    if writeln!(io::stdout(), "{printed}").is_err() {
        return ExitCode::FAILURE;
    }
    if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

fn complain(message: &str) -> ExitCode {
    // Nothing is left to do if standard error is closed.
    let _closed = writeln!(io::stderr(), "{message}");
    ExitCode::from(2)
}
