//! Any node of a log's tree, and proofs made of them (RFC 6962, sections 2.1.1 and 2.1.2).

use crate::{
    Error,
    live::LOG_FILE,
    read::LiveEntries,
    tile::{self, HEIGHT, WIDTH},
    tree::{self, Hash, node, root_of},
};
use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

/// Tiles that are kept in mind at once; a proof touches fewer.
const TILES_KEPT_MAX: usize = 1024;

/// Reads the nodes of a log's tree from its tiles and its live file.
pub(crate) struct Nodes {
    directory: PathBuf,
    /// Entries in tiles that the live file relies on.
    tiled: u64,
    /// Hashes of the live file's entries.
    live: Vec<Hash>,
    tiles: HashMap<(u32, u64), Vec<Hash>>,
}

impl Nodes {
    /// Of the log in `directory`, as it stands now: every entry that is confirmed by a checkpoint.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let mut live = LiveEntries::open(&directory.join(LOG_FILE))?;
        let mut hashes = Vec::new();
        let mut confirmed = 0;
        while let Some(line) = live.next_line()? {
            match line {
                crate::line::Line::Entry(entry) => hashes.push(tree::leaf(entry)),
                crate::line::Line::Checkpoint(_) => confirmed = hashes.len(),
            }
        }
        hashes.truncate(confirmed);
        Ok(Self { directory: directory.to_path_buf(), tiled: live.first(), live: hashes, tiles: HashMap::new() })
    }

    /// How many entries the tree has.
    pub(crate) fn size(&self) -> u64 {
        self.tiled + self.live.len() as u64
    }

    /// Proves that the entry at `index` is in the tree over the first `size` entries: the siblings on the way to the root, from below.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::DamagedTile`], [`Error::NoSuchEntry`].
    pub(crate) fn inclusion(&mut self, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
        self.refuse_beyond(size)?;
        if index >= size {
            return Err(Error::NoSuchEntry { index, size });
        }
        let (mut within, mut path) = (0..size, Vec::new());
        while within.end - within.start > 1 {
            let middle = split(&within);
            let (to, sibling) =
                if index < middle { (within.start..middle, middle..within.end) } else { (middle..within.end, within.start..middle) };
            path.push(self.range(sibling)?);
            within = to;
        }
        path.reverse();
        Ok(path)
    }

    /// Proves that the tree over the first `old` entries is the beginning of the one over the first `size`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::DamagedTile`], [`Error::NoSuchEntry`].
    pub(crate) fn consistency(&mut self, old: u64, size: u64) -> Result<Vec<Hash>, Error> {
        self.refuse_beyond(size)?;
        if old > size {
            return Err(Error::NoSuchEntry { index: old, size });
        }
        let (mut within, mut path) = (0..size, Vec::new());
        if old == 0 || old == size {
            return Ok(path);
        }
        // The old tree is whole as long as its left edge is that of the tree: then the verifier knows its root.
        while within.end != old {
            let middle = split(&within);
            let (to, sibling) =
                if old <= middle { (within.start..middle, middle..within.end) } else { (middle..within.end, within.start..middle) };
            path.push(self.range(sibling)?);
            within = to;
        }
        if within.start != 0 {
            path.push(self.range(within)?);
        }
        path.reverse();
        Ok(path)
    }

    /// The perfect subtree of 2^`height` entries, the `number`th of its height.
    ///
    /// # Errors
    /// As [`Nodes::inclusion`].
    pub(crate) fn subtree(&mut self, height: u32, number: u64) -> Result<Hash, Error> {
        let end = (number + 1) << height;
        if end > self.tiled {
            if height == 0 {
                return self.live_leaf(number);
            }
            return Ok(node(&self.subtree(height - 1, number * 2)?, &self.subtree(height - 1, number * 2 + 1)?));
        }
        let (level, above) = (height / HEIGHT, height % HEIGHT);
        let first = number << above;
        let hashes = self.tile_level(level, first, 1 << above)?;
        Ok(root_of(&hashes))
    }

    /// `count` hashes of a level of tiles, all within one tile, from `first` on.
    fn tile_level(&mut self, level: u32, first: u64, count: usize) -> Result<Vec<Hash>, Error> {
        let tile = first / WIDTH as u64;
        let full = ((tile + 1) << (HEIGHT * level)).saturating_mul(WIDTH as u64) <= self.tiled;
        if !full {
            // A tile that is not full yet is not stored: its hashes are roots of the tiles below.
            let below = level.saturating_sub(1);
            return (first..first + count as u64).map(|number| Ok(root_of(self.tile(below, number)?))).collect();
        }
        let from = usize::try_from(first % WIDTH as u64).unwrap_or_default();
        Ok(self.tile(level, tile)?.get(from..from + count).unwrap_or_default().to_vec())
    }

    fn tile(&mut self, level: u32, number: u64) -> Result<&[Hash], Error> {
        if self.tiles.len() >= TILES_KEPT_MAX {
            self.tiles.clear();
        }
        match self.tiles.entry((level, number)) {
            std::collections::hash_map::Entry::Occupied(tile) => Ok(tile.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => Ok(place.insert(tile::read_tile(&self.directory, level, number)?)),
        }
    }

    fn live_leaf(&self, index: u64) -> Result<Hash, Error> {
        let place = usize::try_from(index.saturating_sub(self.tiled)).unwrap_or(usize::MAX);
        self.live.get(place).copied().ok_or(Error::NoSuchEntry { index, size: self.size() })
    }

    /// The root over a range that RFC 6962 splits off: it starts at a multiple of the power of two that it is cut to.
    fn range(&mut self, range: Range<u64>) -> Result<Hash, Error> {
        let mut hashes = Vec::new();
        for (height, number) in subtrees(range) {
            hashes.push(self.subtree(height, number)?);
        }
        let last = hashes.pop().unwrap_or_default();
        Ok(hashes.iter().rev().fold(last, |right, left| node(left, &right)))
    }

    fn refuse_beyond(&self, size: u64) -> Result<(), Error> {
        if size > self.size() { Err(Error::NoSuchEntry { index: size, size: self.size() }) } else { Ok(()) }
    }
}

/// The perfect subtrees that make up a range, from the left: height and number of each. Any range, for an export; one that starts at 0, or
/// was split off, gives them largest first.
pub(crate) fn subtrees(range: Range<u64>) -> Vec<(u32, u64)> {
    let mut found = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let aligned = if start == 0 { u64::BITS - 1 } else { start.trailing_zeros() };
        let height = aligned.min((range.end - start).ilog2());
        found.push((height, start >> height));
        start += 1 << height;
    }
    found
}

/// Where RFC 6962 splits a range: the largest power of two that is smaller than its length.
fn split(range: &Range<u64>) -> u64 {
    let length = range.end - range.start;
    range.start + (1 << (length - 1).ilog2())
}

#[cfg(test)]
mod tests;
