//! Every bound that more than one room must agree on. A bound of one room alone lives in that room.

/// Longest [`crate::Token`], in bytes.
pub const TOKEN_BYTES_MAX: usize = 128;
/// Largest request body that the gateway reads, in bytes.
pub const REQUEST_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Largest encoded event, in bytes: one datagram between a process and the log's writer.
pub const EVENT_BYTES_MAX: usize = 48 * 1024;
/// Most file identifiers in one event.
pub const FILE_IDS_PER_EVENT_MAX: usize = 512;
/// Most rule identifiers in one event.
pub const RULES_PER_EVENT_MAX: usize = 32;
/// Deepest nesting of a JSON document from outside.
pub const JSON_DEPTH_MAX: usize = 128;
