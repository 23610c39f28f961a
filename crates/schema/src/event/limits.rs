use crate::{SessionId, Token};
use serde::{Deserialize, Serialize};

/// What was done when a bound was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitAction {
    /// The session had no more of it: what would have gone past the bound failed.
    Refused,
    /// The session was held up until it was within the bound again.
    Slowed,
    /// A process of the session was ended.
    Killed,
    /// The session was ended.
    Ended,
}

impl LimitAction {
    /// As it stands in events and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Slowed => "slowed",
            Self::Killed => "killed",
            Self::Ended => "ended",
        }
    }
}

/// See [`super::Event::LimitReached`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitReached {
    /// Whose session.
    pub session_id: SessionId,
    /// The key of the policy that sets the bound, without its table: `memory_bytes_max`, `processes_max`, ….
    pub limit: Token,
    /// The bound, in the unit that the key's name ends with.
    pub bound: u64,
    /// What was done.
    pub action: LimitAction,
}

/// See [`super::Event::PolicyChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyChanged {
    /// Whose session. It keeps the policy that it started with.
    pub session_id: SessionId,
    /// `changed` (the file holds another text) or `deleted`.
    pub change: Token,
}
