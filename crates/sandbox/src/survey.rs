use crate::WallStatus;

/// Tries on this host, in a child process, whether each wall can be built.
pub fn survey() -> Vec<WallStatus> {
    Vec::new()
}
