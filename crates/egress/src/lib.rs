//! The only door out of a session: who wants to go where. Opens no content; for now nobody may go anywhere.
#![forbid(unsafe_code)]

pub mod dns;
pub mod head;
pub mod host;
pub mod socks;
