use crate::{KeyedDigest, SessionId, event::PathClass};
use serde::{Deserialize, Serialize};

/// What became of a name or of a file's attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// The name was removed.
    Removed,
    /// What the name stood for has another name now.
    RenamedAway,
    /// The name stands for what had another one.
    RenamedHere,
    /// The name is a new link: to a file that has other names, or to a path.
    Linked,
    /// Mode, owner or extended attributes.
    Attributes,
}

/// See [`crate::Event::FileChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileChanged {
    /// Whose session.
    pub session_id: SessionId,
    /// Keyed digest of the path.
    pub file_id: KeyedDigest,
    /// Where it lies.
    pub path_class: PathClass,
    /// What became of it.
    pub change: FileChange,
}
