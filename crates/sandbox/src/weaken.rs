//! Taking walls away, so that a test sees that the probes of each wall notice. Only the feature `danger-weaken` can, and no product has it:
//! without it, both questions have one answer.

use crate::{Plan, Wall, kernel};

/// What a test takes away.
#[cfg(feature = "danger-weaken")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weakened {
    /// Walls that are not built.
    pub walls: Vec<Wall>,
    /// An older version of Landlock's interface, instead of the kernel's.
    pub landlock_abi: Option<u32>,
    /// The number of the host's mount namespace. Without it, or in it, the mount namespace is not taken away: the host's own mounts would
    /// be changed.
    pub host_mounts: Option<u64>,
}

impl Plan {
    /// Whether a test took this wall away.
    #[cfg(feature = "danger-weaken")]
    pub(crate) fn is_away(&self, wall: Wall) -> bool {
        self.danger_weakened.walls.contains(&wall)
    }

    /// Never: there is nothing to take walls away with.
    #[cfg(not(feature = "danger-weaken"))]
    #[expect(clippy::unused_self, reason = "the same question as with the feature")]
    pub(crate) const fn is_away(&self, _wall: Wall) -> bool {
        false
    }

    /// Whether this process may do without a mount namespace of the session's own.
    #[cfg(feature = "danger-weaken")]
    pub(crate) fn may_share_mounts(&self) -> bool {
        let own = rustix::fs::stat("/proc/self/ns/mnt").map(|stat| stat.st_ino);
        matches!((own, self.danger_weakened.host_mounts), (Ok(own), Some(host)) if own != host)
    }

    /// Never.
    #[cfg(not(feature = "danger-weaken"))]
    #[expect(clippy::unused_self, reason = "the same question as with the feature")]
    pub(crate) const fn may_share_mounts(&self) -> bool {
        false
    }

    /// The version of Landlock's interface whose rights are used.
    #[cfg(feature = "danger-weaken")]
    pub(crate) fn landlock_abi(&self) -> u32 {
        kernel::landlock_abi().min(self.danger_weakened.landlock_abi.unwrap_or(u32::MAX))
    }

    /// The version of Landlock's interface that the kernel speaks.
    #[cfg(not(feature = "danger-weaken"))]
    #[expect(clippy::unused_self, reason = "the same question as with the feature")]
    pub(crate) fn landlock_abi(&self) -> u32 {
        kernel::landlock_abi()
    }
}
