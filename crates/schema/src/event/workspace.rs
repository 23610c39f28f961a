//! Events about the state of a session's workspace: kept, brought back, committed.

use crate::{SessionId, Token};
use serde::{Deserialize, Serialize};

/// See [`super::Event::WorkspaceSnapshotted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceSnapshotted {
    /// Whose session.
    pub session_id: SessionId,
    /// How its content was kept: `reflink`, `copy`, `unchanged` (all of it was kept before), `overlay` (nothing reaches the workspace
    /// before a commit), `none` (by the policy's `danger_none`: nothing can be brought back).
    pub method: Token,
    /// Files whose content is kept.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// SHA-256 of the list of entries; none if nothing was kept.
    pub manifest_digest: Option<Token>,
}

/// Whether an act on a workspace begins or is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActPhase {
    /// Durable before the first path is changed.
    Begun,
    /// Every path is as it was to be. An act that begun and is not done was cut short; the same act again completes it.
    Done,
}

/// What a user does with a workspace. See [`super::Event::WorkspaceRestored`], [`super::Event::WorkspaceCommitted`] and
/// [`super::Event::WorkspaceDiscarded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkspaceAct {
    /// In whose log the state is on record.
    pub session_id: SessionId,
    /// The account that asked for it.
    pub user_id: Token,
    /// Begun or done.
    pub phase: ActPhase,
    /// Paths that are changed; of what is dropped, that the session had changed.
    pub paths: u64,
    /// SHA-256 of the list of entries that the workspace becomes; of what is dropped, that it stays.
    pub manifest_digest: Token,
    /// SHA-256 of the list of entries before, which is kept so that this can be undone; of what is dropped, that the session had made of
    /// it, which is not kept.
    pub kept_digest: Token,
    /// Whether later changes of others were overwritten on request.
    pub forced: bool,
}
