use super::{Bundle, Deriver, Partial};
use crate::{Error, tree::Hash};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

/// Gathers entries, once confirmed, into bundles, and has tiles derived of the full ones.
pub(crate) struct Gatherer {
    directory: PathBuf,
    /// Entries since the last full bundle.
    bundle: Bundle,
    /// Ends of full bundles in the live file: how many entries come before, and the offset.
    ends: VecDeque<(u64, u64)>,
    /// How many entries were in tiles at first, and the hashes of their last tiles.
    start: (u64, Partial),
    /// Runs from the first full bundle on: most sessions never fill one.
    deriver: Option<Deriver>,
}

impl Gatherer {
    /// Over a log whose first `entries` entries are in tiles.
    pub(crate) fn new(directory: &Path, entries: u64, partial: Partial) -> Self {
        let (bundle, ends) = (Bundle::default(), VecDeque::new());
        Self { directory: directory.to_path_buf(), bundle, ends, start: (entries, partial), deriver: None }
    }

    /// Gathers the entry at `index`, whose line in the live file ends at `line_end`.
    ///
    /// # Errors
    /// If tiles cannot be derived.
    pub(crate) fn gather(&mut self, index: u64, entry: &[u8], hash: Hash, line_end: u64) -> Result<(), Error> {
        let Some(full) = self.bundle.add(entry, hash) else { return Ok(()) };
        self.ends.push_back((index + 1, line_end));
        if self.deriver.is_none() {
            let (entries, partial) = std::mem::take(&mut self.start);
            let started = Deriver::start(&self.directory, entries, partial);
            self.deriver = Some(started.map_err(Error::io("start deriving the tiles of", &self.directory))?);
        }
        self.deriver.as_ref().map_or(Ok(()), |deriver| deriver.derive(full))
    }

    /// How many entries, beyond the first `entries`, are in durable tiles, and where they end in the live file. Asks for more if none are.
    ///
    /// # Errors
    /// If tiles cannot be derived.
    pub(crate) fn settled(&mut self, entries: u64) -> Result<Option<(u64, u64)>, Error> {
        let Some(deriver) = &self.deriver else { return Ok(None) };
        let durable = deriver.durable();
        if durable <= entries {
            return deriver.settle().map(|()| None);
        }
        while self.ends.front().is_some_and(|(entries, _)| *entries < durable) {
            self.ends.pop_front();
        }
        Ok(self.ends.pop_front())
    }

    /// The live file lost its first bytes: what was at `from` is at `to`.
    pub(crate) fn moved(&mut self, from: u64, to: u64) {
        for (_, end) in &mut self.ends {
            *end = *end - from + to;
        }
    }

    /// Waits until the tiles of all full bundles are derived. Whether there are any that this writer derived.
    pub(crate) fn finish(&mut self) -> bool {
        self.deriver.take().is_some()
    }
}
