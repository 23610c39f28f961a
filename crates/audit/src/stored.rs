//! The entries in tiles. One thread reads, decompresses and hashes, the other reads what the entries say; a few tiles wait between them.

use crate::{
    Reason,
    course::{Course, Doubt, Stop},
    line::Entries,
    meaning::Fact,
    tile::{Bundle, TileError, Tiles, bundle_name, hashes_name},
    tree::{Hash, TILE_HEIGHT, TILE_WIDTH, leaf, subtree_root},
};
use std::{
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread,
};

/// Tiles that wait between the threads.
const CHUNKS_WAITING_MAX: usize = 2;

/// A full tile whose entries have the hashes in it.
#[derive(Default)]
pub(crate) struct Chunk {
    bundle: Bundle,
    hashes: Vec<Hash>,
    root: Hash,
}

impl Chunk {
    pub(crate) fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Reads a tile and its bundle, and holds them against each other. Returns which of the two are there.
    pub(crate) fn read(&mut self, tiles: &Tiles, number: u64) -> Result<(bool, bool), Stop> {
        let (all, name, bundle) = (Doubt::below(0, number), hashes_name(0, number), bundle_name(number));
        // The writer may be deriving it just now, the bundle first: so it is looked for last.
        let stored = tiles.hashes(0, number).map_err(|error| all.stop_for(&name, error))?;
        let has_bundle = tiles.bundle(number, &mut self.bundle).map_err(|error| all.stop_for(&bundle, error))?;
        let (true, Some(stored)) = (has_bundle, &stored) else { return Ok((has_bundle, stored.is_some())) };
        self.hashes.clear();
        self.hashes.extend(self.bundle.entries().map(leaf));
        if let Some(at) = stored.iter().zip(&self.hashes).position(|(stored, ours)| stored != ours) {
            let index = all.index + at as u64;
            return Err(all.stop_for(&name, TileError::Bad(Some(index), Reason::TileHash)));
        }
        self.root = subtree_root(&self.hashes).unwrap_or_default();
        Ok((true, true))
    }
}

/// Goes through the tiles before the live part; each must be there.
pub(crate) fn walk(course: &mut Course<'_>, tiles: &Tiles) -> Result<(), Stop> {
    let chunks = course.first() / TILE_WIDTH;
    let (ready, next) = sync_channel(CHUNKS_WAITING_MAX);
    let (used, free) = channel();
    // What this side holds goes when it ends, or the other would wait for ever.
    thread::scope(move |scope| {
        scope.spawn(move || read_all(tiles, chunks, &ready, &free));
        (0..chunks).try_for_each(|number| take(course, number, &next, &used))
    })
}

fn read_all(tiles: &Tiles, chunks: u64, ready: &SyncSender<Result<Chunk, Stop>>, free: &Receiver<Chunk>) {
    for number in 0..chunks {
        let mut chunk = free.try_recv().unwrap_or_default();
        let missing = |name: &str| Doubt::below(0, number).stop(name, Reason::TileMissing);
        let read = match chunk.read(tiles, number) {
            Ok((true, true)) => Ok(chunk),
            Ok((_, false)) => Err(missing(&hashes_name(0, number))),
            Ok((false, true)) => Err(missing(&bundle_name(number))),
            Err(stop) => Err(stop),
        };
        let ends = read.is_err();
        // The other side has found something and does not wait any more.
        if ready.send(read).is_err() || ends {
            return;
        }
    }
}

fn take(course: &mut Course<'_>, number: u64, next: &Receiver<Result<Chunk, Stop>>, used: &Sender<Chunk>) -> Result<(), Stop> {
    let all = Doubt::below(0, number);
    // Without an answer the other thread has died, and nothing is proven.
    let chunk = next.recv().unwrap_or_else(|_| Err(all.stop(&bundle_name(number), Reason::BundleStream)))?;
    let mut entries = Entries::default();
    for (index, bytes) in (all.index..).zip(chunk.bundle.entries()) {
        let told = entries.read(bytes).and_then(|(time, event)| course.tell(index, time, Fact::from(event)));
        told.map_err(|reason| Doubt::one(index).stop(&bundle_name(number), reason))?;
    }
    let end = all.index + all.entries;
    if course.next_anchor().is_some_and(|size| size > all.index && size < end) {
        chunk.hashes.iter().try_for_each(|hash| course.grow(0, *hash))?;
    } else {
        course.grow(TILE_HEIGHT, chunk.root)?;
    }
    // Nobody may be left to take it.
    let _gone = used.send(chunk);
    Ok(())
}
