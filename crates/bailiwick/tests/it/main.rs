//! The command as a user has it: real sessions, and what counts is looked at from outside.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::format_push_string,
    reason = "a test that cannot go on has failed, and says why it skips"
)]

mod calls;
mod claims;
mod command_line;
mod demo;
mod endings;
mod escapes;
mod evidence;
mod files;
mod heartbeat;
mod lifecycle;
mod limits;
mod network;
mod place;
mod probes;
mod processes;
mod programs;
mod refusals;
mod snapshot;
mod terminal;
mod upstream;
mod work;
