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

/// What the whole machine has of memory that no process's own number shows (proc_meminfo(5)), in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Machine {
    shared: u64,
    swapped: u64,
}

impl Machine {
    pub(super) fn read() -> Self {
        Self::parse(&std::fs::read_to_string("/proc/meminfo").unwrap_or_default())
    }

    pub(super) fn parse(text: &str) -> Self {
        let of = |name| field(text, name).unwrap_or(0);
        Self { shared: of("Shmem:"), swapped: of("SwapTotal:").saturating_sub(of("SwapFree:")) }
    }

    pub(super) fn grown_since(self, before: Self) -> u64 {
        self.shared.saturating_sub(before.shared) + self.swapped.saturating_sub(before.swapped)
    }
}

/// A line's number of kB, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
