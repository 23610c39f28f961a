/// Longest file about one process that is read.
pub(super) const FILE_BYTES_MAX: usize = 8192;

/// Memory that is not a file's, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// A process's own, swapped memory included.
    pub(super) own: u64,
    /// Shared by mappings.
    pub(super) shared: u64,
}

impl Held {
    /// Of `smaps_rollup` (proc_pid_smaps(5)): each page divided by the number of processes that share it.
    pub(super) fn proportional(text: &str) -> Option<Self> {
        let own = field(text, "Pss_Anon:")? + field(text, "SwapPss:").unwrap_or(0);
        Some(Self { own, shared: field(text, "Pss_Shmem:").unwrap_or(0) })
    }

    /// Of `status` (proc_pid_status(5)): what is shared counts in full for each.
    pub(super) fn resident(text: &str) -> Option<Self> {
        let own = field(text, "RssAnon:")? + field(text, "VmSwap:").unwrap_or(0);
        Some(Self { own, shared: field(text, "RssShmem:").unwrap_or(0) })
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { own: self.own + other.own, shared: self.shared + other.shared }
    }
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

    /// By how much both together grew.
    pub(super) fn grown_since(self, before: Self) -> u64 {
        self.shared_since(before) + self.swapped.saturating_sub(before.swapped)
    }

    /// By how much what is shared grew.
    pub(super) fn shared_since(self, before: Self) -> u64 {
        self.shared.saturating_sub(before.shared)
    }
}

/// A line's number of kB, in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
