//! What is known of a log on the way through its entries: their tree, what they say, and up to where they are proven.

use crate::{
    Error, Reason,
    checkpoint::Anchor,
    hex,
    meaning::{Fact, Story},
    tile::{TileError, Tiles, hashes_name},
    tree::{Frontier, Hash, TILE_HEIGHT, TILE_WIDTH},
    verification::{BadRecord, Meaning, Proven, Witnessed},
};
use schema::Timestamp;

/// The live part's name in its directory.
pub const LOG_FILE: &str = "log.jsonl";

/// Why the way ends before the log does.
#[derive(Debug)]
pub(crate) enum Stop {
    Bad(Box<BadRecord>),
    Unreadable(Error),
}

/// Which entries are in doubt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doubt {
    pub(crate) index: u64,
    pub(crate) entries: u64,
}

impl Doubt {
    /// One entry.
    pub(crate) fn one(index: u64) -> Self {
        Self { index, entries: 1 }
    }

    /// The entries below a tile.
    pub(crate) fn below(level: u32, number: u64) -> Self {
        let entries = TILE_WIDTH << (TILE_HEIGHT * level);
        Self { index: number.saturating_mul(entries), entries }
    }

    /// `reason`, found in `file`.
    pub(crate) fn bad(self, file: &str, reason: Reason) -> BadRecord {
        let Self { index, entries } = self;
        BadRecord { index, entries, file: file.to_owned(), line: None, offset: None, could_be_torn: false, reason }
    }

    /// Ends the way.
    pub(crate) fn stop(self, file: &str, reason: Reason) -> Stop {
        Stop::Bad(Box::new(self.bad(file, reason)))
    }

    /// Ends the way for a tile that does not hold.
    pub(crate) fn stop_for(self, file: &str, error: TileError) -> Stop {
        match error {
            TileError::Bad(None, reason) => self.stop(file, reason),
            TileError::Bad(Some(index), reason) => Self::one(index).stop(file, reason),
            TileError::Unreadable(error) => Stop::Unreadable(error),
        }
    }
}

/// An entry that no checkpoint covers yet.
pub(crate) struct Waiting {
    pub(crate) index: u64,
    pub(crate) line: u64,
    pub(crate) offset: u64,
    pub(crate) time: Timestamp,
    pub(crate) fact: Fact,
}

/// The hashes of a level of tiles that are not in a full tile yet.
#[derive(Default)]
struct Level {
    hashes: Vec<Hash>,
    /// Full tiles so far.
    number: u64,
    /// The first tile that is not there, where that may be: among those that are still being derived.
    missing: Option<u64>,
}

pub(crate) struct Course<'a> {
    tiles: Option<&'a Tiles>,
    /// All entries before are in tiles.
    first: u64,
    frontier: Frontier,
    /// From level 1 up.
    levels: Vec<Level>,
    /// By size.
    anchors: std::iter::Peekable<std::vec::IntoIter<Anchor>>,
    quorum: Option<usize>,
    story: Story,
    waiting: Vec<Waiting>,
    times: Option<(Timestamp, Timestamp)>,
    proven: Option<Proven>,
    witnessed: Option<Witnessed>,
}

impl<'a> Course<'a> {
    pub(crate) fn new(tiles: Option<&'a Tiles>, first: u64, mut anchors: Vec<Anchor>, quorum: Option<usize>) -> Self {
        anchors.sort_by_key(|anchor| anchor.size);
        let witnessed = quorum.map(|quorum| Witnessed { quorum, entries: 0, unwitnessed: 0, witnesses: Vec::new(), time: None });
        Self {
            tiles,
            first,
            frontier: Frontier::default(),
            levels: Vec::new(),
            anchors: anchors.into_iter().peekable(),
            quorum,
            story: Story::default(),
            waiting: Vec::new(),
            times: None,
            proven: None,
            witnessed,
        }
    }

    /// How many entries were passed.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// How many entries stand proven.
    pub(crate) fn proven_entries(&self) -> u64 {
        self.proven.as_ref().map_or(0, |proven| proven.entries)
    }

    /// Entries that nothing has proven.
    pub(crate) fn unproven(&self) -> Doubt {
        let index = self.proven_entries();
        Doubt { index, entries: self.size() - index }
    }

    /// The size of the next checkpoint from elsewhere.
    pub(crate) fn next_anchor(&mut self) -> Option<u64> {
        self.anchors.peek().map(|anchor| anchor.size)
    }

    /// Takes what an entry in the tiles says. That waits for no checkpoint: there may be none for millions of entries.
    pub(crate) fn tell(&mut self, index: u64, time: Timestamp, fact: Fact) -> Result<(), Reason> {
        self.pass_time(time);
        self.story.take(index, time, fact)
    }

    /// Keeps what an entry says until a checkpoint covers it.
    pub(crate) fn wait(&mut self, waiting: Waiting) {
        self.pass_time(waiting.time);
        self.waiting.push(waiting);
    }

    fn pass_time(&mut self, time: Timestamp) {
        self.times = Some((self.times.map_or(time, |(first, _)| first), time));
    }

    /// Adds the root of the next whole subtree of entries, and holds the tiles above against what is whole with it.
    pub(crate) fn grow(&mut self, height: u32, hash: Hash) -> Result<(), Stop> {
        let Self { frontier, levels, .. } = self;
        frontier.push(height, hash, |height, hash| {
            let level = (height / TILE_HEIGHT) as usize;
            if height.is_multiple_of(TILE_HEIGHT) && level > 0 {
                if levels.len() < level {
                    levels.resize_with(level, Level::default);
                }
                levels.get_mut(level - 1).into_iter().for_each(|at| at.hashes.push(*hash));
            }
        });
        for (level, at) in (1..).zip(&mut self.levels) {
            if at.hashes.len() as u64 == TILE_WIDTH {
                if let Some(tiles) = self.tiles {
                    at.compare(level, tiles, self.first)?;
                }
                at.hashes.clear();
                at.number += 1;
            }
        }
        self.meet()
    }

    /// Holds the tree against the checkpoints from elsewhere that are of its size.
    pub(crate) fn meet(&mut self) -> Result<(), Stop> {
        while let Some(anchor) = self.anchors.next_if(|anchor| anchor.size <= self.frontier.size()) {
            if anchor.root != self.root() {
                let reason = if anchor.is_noted { Reason::Fork } else { Reason::Root };
                return Err(self.unproven().stop(&anchor.file, reason));
            }
            self.witness(&anchor);
            self.settle(&anchor.note)?;
        }
        Ok(())
    }

    fn witness(&mut self, anchor: &Anchor) {
        let mut times: Vec<_> = anchor.cosigned.iter().map(|(_, time)| *time).collect();
        times.sort_unstable();
        let reached = self.quorum.and_then(|quorum| times.get(quorum.checked_sub(1)?));
        if let Some((witnessed, seconds)) = self.witnessed.as_mut().zip(reached) {
            witnessed.entries = anchor.size;
            witnessed.witnesses = anchor.cosigned.iter().map(|(name, _)| name.clone()).collect();
            witnessed.time = Some(Timestamp { unix_ms: seconds.saturating_mul(1000) });
        }
    }

    /// All entries so far are covered by `checkpoint`: only now does what waits count.
    pub(crate) fn settle(&mut self, checkpoint: &str) -> Result<(), Stop> {
        for Waiting { index, line, offset, time, fact } in self.waiting.drain(..) {
            if let Err(reason) = self.story.take(index, time, fact) {
                let bad = Doubt::one(index).bad(LOG_FILE, reason);
                return Err(Stop::Bad(Box::new(BadRecord { line: Some(line), offset: Some(offset), ..bad })));
            }
        }
        let Some((first_time, last_time)) = self.times else { return Ok(()) };
        let (entries, root) = (self.frontier.size(), hex::encode(&self.frontier.root()));
        self.proven = Some(Proven { entries, root, checkpoint: checkpoint.to_owned(), first_time, last_time });
        Ok(())
    }

    /// The first checkpoint from elsewhere that the log does not reach.
    pub(crate) fn not_reached(&mut self) -> Option<BadRecord> {
        let anchor = self.anchors.next()?;
        let doubt = Doubt { index: self.size(), entries: anchor.size - self.size() };
        Some(doubt.bad(&anchor.file, Reason::Shorter { expected: anchor.size }))
    }

    /// What was found.
    pub(crate) fn finish(self) -> (Option<Proven>, Option<Witnessed>, Meaning) {
        let entries = self.proven_entries();
        let witnessed = self.witnessed.map(|witnessed| Witnessed { unwitnessed: entries.saturating_sub(witnessed.entries), ..witnessed });
        let meaning = if entries < self.first || entries == 0 { Meaning::default() } else { self.story.finish() };
        (self.proven, witnessed, meaning)
    }
}

impl Level {
    /// Holds a full tile against the file, if there must be one or if there is one.
    fn compare(&mut self, level: u32, tiles: &Tiles, first: u64) -> Result<(), Stop> {
        let (all, name) = (Doubt::below(level, self.number), hashes_name(level, self.number));
        let stored = tiles.hashes(level, self.number).map_err(|error| all.stop_for(&name, error))?;
        if let Some(missing) = self.missing.filter(|_| stored.is_some()) {
            let (all, name) = (Doubt::below(level, missing), hashes_name(level, missing));
            // Perhaps it was derived meanwhile.
            if tiles.hashes(level, missing).map_err(|error| all.stop_for(&name, error))?.is_none() {
                return Err(all.stop(&name, Reason::TileMissing));
            }
            self.missing = None;
        }
        match stored {
            Some(stored) => {
                let Some(at) = stored.iter().zip(&self.hashes).position(|(stored, ours)| stored != ours) else { return Ok(()) };
                let below = Doubt::below(level - 1, self.number * TILE_WIDTH + at as u64);
                Err(below.stop(&name, Reason::TileHash))
            }
            None if all.index + all.entries <= first => Err(all.stop(&name, Reason::TileMissing)),
            None => {
                self.missing.get_or_insert(self.number);
                Ok(())
            }
        }
    }
}
