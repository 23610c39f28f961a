//! The only door out of a session: who wants to go where. Opens no content; for now nobody may go anywhere.
//!
//! Three ways lead to it: connections that the kernel redirected, the proxy port, and DNS. Each attempt is recorded, durably, before its
//! refusal is answered; when it cannot be recorded it is refused without an answer. Repeated attempts share a record ([`serve`] says how).
#![forbid(unsafe_code)]

pub mod dns;
mod door;
pub mod head;
pub mod host;
mod ledger;
mod listen;
mod proxy;
mod redirect;
mod resolver;
pub mod socks;
#[cfg(test)]
mod tests;

pub use door::{DoorConfig, Error, serve};
