//! The `bailiwick` command: parses what was typed, calls the room that does it, and turns the result into an exit code.
//!
//! No runtime is started here: a session's processes are forked while this one has a single thread.
#![forbid(unsafe_code)]

mod cli;
mod clock;
mod commands;
mod demo;
mod exit;
mod print;
mod settings;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut timeline = endpoint::Timeline::begin();
    sandbox::read_start_values();
    let parsed = match cli::Cli::try_parse() {
        Ok(parsed) => parsed,
        Err(error) => return exit::usage(&error),
    };
    let settings = settings::Settings::from_environment();
    timeline.done("read the arguments");
    match commands::dispatch(parsed.command, &settings, timeline) {
        Ok(code) => code.into(),
        Err(failure) => failure.report(),
    }
}
