use crate::{SessionId, Token};
use serde::{Deserialize, Serialize};

/// When the walls were probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeOccasion {
    /// Before the agent started.
    Start,
    /// While it ran.
    Periodic,
}

/// See [`super::Event::WallsProbed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WallsProbed {
    /// Whose session.
    pub session_id: SessionId,
    /// When.
    pub occasion: ProbeOccasion,
    /// How many attempts were made from inside.
    pub probes: u64,
    /// How many were refused, as they must be.
    pub refused: u64,
    /// The names of the others. One of a wall that the policy lets be missing does not end the session; any other does.
    pub failed: Vec<Token>,
    /// The running kernel's release.
    pub kernel: Token,
    /// SHA-256 over what the walls are made of: the compiled filter, Landlock's version, mounts and limits.
    pub profile_digest: Token,
    /// Who holds the walls: `launcher` (the user's own processes, by seccomp notification).
    pub tier: Token,
}
