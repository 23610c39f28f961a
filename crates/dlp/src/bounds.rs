//! The bounds of this room. Where one is reached, inspection refuses; it never skips.

/// Longest single text that is searched, in bytes.
pub const TEXT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most findings in one text, before overlaps are resolved.
pub const FINDINGS_MAX: usize = 100_000;
/// Most different values that one session's vault holds.
pub const VAULT_ENTRIES_MAX: usize = 50_000;
/// Most bytes of values that one session's vault holds.
pub const VAULT_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest value that one placeholder stands for, in bytes.
pub const VALUE_BYTES_MAX: usize = 256 * 1024;
