/// Longest file about one process that is read.
pub(super) const FILE_BYTES_MAX: usize = 8192;

/// Of `smaps_rollup` (proc_pid_smaps(5)): memory that is not a file's, each page divided by the number of processes that share it; of
/// swapped memory the same.
pub(super) fn proportional_bytes(text: &str) -> Option<u64> {
    let anonymous = field(text, "Pss_Anon:")?;
    Some(anonymous + field(text, "Pss_Shmem:").unwrap_or(0) + field(text, "SwapPss:").unwrap_or(0))
}

/// Of `status` (proc_pid_status(5)): the same, but what is shared counts in full.
pub(super) fn resident_bytes(text: &str) -> Option<u64> {
    let anonymous = field(text, "RssAnon:")?;
    Some(anonymous + field(text, "RssShmem:").unwrap_or(0) + field(text, "VmSwap:").unwrap_or(0))
}

/// A line's number of kB, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
