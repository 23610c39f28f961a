//! The gateway as agents, upstreams and auditors see it: real sockets on loopback, a real log on the disk.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests stop at what they did not expect, also in their shared parts"
)]

mod agent;
mod dialect;
mod evidence_lost;
mod gateway_under_test;
mod masking;
mod matrix;
mod order;
mod refusals;
mod shapes;
mod standalone;
mod thinking;
mod upstream;
mod upstream_failures;
mod wire;
