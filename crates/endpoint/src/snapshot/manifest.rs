//! A workspace's state as a list of its entries.

use super::entry::{Entry, Kind, Moment};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

const HEADER: &str = "bailiwick-workspace 1";
/// Largest manifest that is read.
pub(super) const MANIFEST_BYTES_MAX: u64 = 1 << 30;

/// Entries by their path in the workspace; the workspace itself is the empty path. Folders stand before what is in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) entries: BTreeMap<PathBuf, Entry>,
}

impl Manifest {
    pub(super) fn get(&self, path: &Path) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The manifest as text. The same state has the same text.
    pub(super) fn encode(&self) -> String {
        let mut out = String::with_capacity(HEADER.len() + self.entries.len() * 160);
        out.push_str(HEADER);
        out.push('\n');
        for (path, entry) in &self.entries {
            entry.encode(path, &mut out);
            out.push('\n');
        }
        out
    }

    /// Reads it back; `None` if it is not a manifest.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next() != Some(HEADER) {
            return None;
        }
        let entries = lines.map(Entry::decode).collect::<Option<BTreeMap<_, _>>>()?;
        // Whatever lies in a folder needs that folder.
        let has_home = |path: &PathBuf| path.parent().is_none_or(|parent| entries.get(parent).is_some_and(Entry::is_folder));
        entries.keys().all(has_home).then_some(Self { entries })
    }

    /// For each file that has several names here: the first of them.
    pub(super) fn leaders(&self) -> HashMap<&Path, &Path> {
        let mut first: HashMap<(u64, u64), &Path> = HashMap::new();
        let mut leaders = HashMap::new();
        for (path, entry) in self.entries.iter().filter(|(_, entry)| matches!(entry.kind, Kind::File { .. })) {
            let leader = *first.entry((entry.stamp.device, entry.stamp.inode)).or_insert(path);
            if leader != path.as_path() {
                leaders.insert(path.as_path(), leader);
            }
        }
        leaders
    }

    /// Number and bytes of the files whose content is kept.
    pub(super) fn kept(&self) -> (u64, u64) {
        let kept = self.entries.values().filter(|entry| entry.digest().is_some());
        kept.fold((0, 0), |(files, bytes), entry| (files + 1, bytes + entry.size()))
    }

    /// What may be taken from an earlier state without looking again: entries that were still long before it was taken. A file that is
    /// written within one tick of its file system's clock keeps its times.
    pub(super) fn settled_before(mut self, taken: Moment) -> Self {
        /// Longer than the coarsest clock of a file system that has inodes and a change time.
        const TICK_SECONDS: i64 = 2;
        let settled = Moment { seconds: taken.seconds - TICK_SECONDS, ..taken };
        self.entries.retain(|_, entry| entry.stamp.changed < settled);
        self
    }
}
