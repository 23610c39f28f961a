//! The server as its callers see it: over its Unix socket, with a tiny model that is made here, and with the real one where it is installed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "tests stop at what they did not expect, also in their shared parts, and tell what they skip"
)]

mod answers;
mod caller;
mod files;
mod refusals;
mod small_model;
mod smollm2;
