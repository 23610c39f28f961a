use super::row::Who;
use schema::Token;
use schema::event::{ActPhase, WorkspaceAct};
use serde::Serialize;

/// See [`super::Row::WorkspaceRestored`], [`super::Row::WorkspaceCommitted`] and [`super::Row::WorkspaceDiscarded`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkspaceRow {
    /// Of which session, and when. The account is the one that asked for this, not the session's.
    #[serde(flatten)]
    pub who: Who,
    /// `begun` or `done`.
    pub phase: ActPhase,
    /// Paths that are changed.
    pub paths: u64,
    /// SHA-256 of the list of entries that the workspace becomes.
    pub manifest_digest: Token,
    /// SHA-256 of the list of entries before.
    pub kept_digest: Token,
    /// Whether later changes of others were overwritten on request.
    pub forced: bool,
}

impl WorkspaceRow {
    pub(crate) fn new(who: Who, event: WorkspaceAct) -> Self {
        let WorkspaceAct { session_id: _, user_id, phase, paths, manifest_digest, kept_digest, forced } = event;
        Self { who: Who { user_id: Some(user_id), ..who }, phase, paths, manifest_digest, kept_digest, forced }
    }
}
