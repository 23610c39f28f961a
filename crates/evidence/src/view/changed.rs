use super::row::Who;
use schema::event::{FileChange, FileChanged, PathClass};
use serde::Serialize;

/// See [`super::Row::FileChanged`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChangedRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// The path: `hmac-sha256:KEY:HEX`.
    pub file_id: String,
    /// Where it lies.
    pub path_class: PathClass,
    /// What became of it.
    pub change: FileChange,
}

impl FileChangedRow {
    pub(crate) fn new(who: Who, event: &FileChanged) -> Self {
        Self { who, file_id: event.file_id.to_string(), path_class: event.path_class, change: event.change }
    }
}
