//! The command as a user has it: real sessions, and what counts is looked at from outside.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod command_line;
mod demo;
mod evidence;
mod files;
mod lifecycle;
mod network;
mod place;
mod terminal;
mod upstream;
