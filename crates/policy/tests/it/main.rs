//! The crate as others use it.
#![expect(clippy::expect_used, clippy::panic, reason = "tests stop at what they did not expect, also in their shared parts")]

mod bounds;
mod calls;
mod decisions;
mod errors;
mod programs;
mod properties;
mod reference;
mod upstreams;
