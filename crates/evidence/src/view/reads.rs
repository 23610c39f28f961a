//! The files that a session opened since its previous call, bounded so that what matters is not crowded out.

use schema::{
    KeyedDigest,
    bounds::FILE_IDS_PER_EVENT_MAX,
    event::{FileMode, FileOpened, PathClass},
};
use std::collections::BTreeSet;

/// Most file ids in one row.
pub const FILE_READS_MAX: usize = FILE_IDS_PER_EVENT_MAX;

/// Files opened for reading. Those of the system and of the agent's own program are the first to be left out: an agent that opens
/// thousands of them cannot hide a document among them.
#[derive(Default)]
pub(crate) struct FileReads {
    telling: Files,
    ordinary: Files,
}

#[derive(Default)]
struct Files {
    ids: Vec<KeyedDigest>,
    known: BTreeSet<KeyedDigest>,
    omitted: u64,
}

/// What a row says of them.
pub(crate) struct Listed {
    pub(crate) ids: Vec<String>,
    pub(crate) omitted: u64,
}

impl FileReads {
    /// Takes an opened file; ignores one that was opened for writing only.
    pub(crate) fn take(&mut self, file: FileOpened) {
        let files = match file.path_class {
            PathClass::System | PathClass::Program => &mut self.ordinary,
            PathClass::Workspace | PathClass::Documents | PathClass::Private | PathClass::Outside => &mut self.telling,
        };
        match file.mode {
            FileMode::Read | FileMode::ReadWrite => files.push(file.file_id),
            FileMode::Write => {}
        }
    }

    /// The ids so far; the next call starts anew.
    pub(crate) fn drain(&mut self) -> Listed {
        let Self { telling, ordinary } = std::mem::take(self);
        let total = (telling.ids.len() + ordinary.ids.len()) as u64 + telling.omitted + ordinary.omitted;
        let ids: Vec<_> = telling.ids.iter().chain(&ordinary.ids).take(FILE_READS_MAX).map(ToString::to_string).collect();
        let omitted = total - ids.len() as u64;
        Listed { ids, omitted }
    }
}

impl Files {
    fn push(&mut self, id: KeyedDigest) {
        if self.ids.len() >= FILE_READS_MAX {
            self.omitted += u64::from(!self.known.contains(&id));
        } else if self.known.insert(id.clone()) {
            self.ids.push(id);
        }
    }
}
