//! The live part, `log.jsonl`, line by line.

use crate::{
    Error, PublicKey, Reason,
    checkpoint::claim,
    course::{Course, Doubt, LOG_FILE, Stop, Waiting},
    line::{Entries, Head, LINE_BYTES_MAX, Line, read_line},
    meaning::Fact,
    note::Note,
    stored::Chunk,
    tile::{Tiles, bundle_name, hashes_name},
    tree::{Hash, TILE_WIDTH, leaf},
    verification::{BadRecord, Tail},
};
use std::{
    io::{self, BufRead},
    path::Path,
};

/// Most entries in one batch, and so the most without a checkpoint.
pub const BATCH_ENTRIES_MAX: usize = 8192;
/// Most entries between the head and the first checkpoint after a rotation, which keeps only the newest.
pub const ROTATED_ENTRIES_MAX: usize = 262_144;

pub(crate) struct Live<'c, 'a, R> {
    course: &'c mut Course<'a>,
    tiles: Option<&'a Tiles>,
    key: &'c PublicKey,
    head: &'c Head,
    path: &'c Path,
    reader: R,
    /// Lines so far, the head included.
    line: u64,
    /// Bytes before the line at hand.
    offset: u64,
    /// Bytes up to the last good checkpoint, or the head.
    confirmed_bytes: u64,
    /// Entries since the last checkpoint or the head, and how many there may be.
    unconfirmed: usize,
    unconfirmed_max: usize,
    entries: Entries,
    derived: Derived,
}

/// The tiles that were derived of the live part already.
#[derive(Default)]
struct Derived {
    chunk: Chunk,
    is_there: bool,
    /// The first that is not there.
    missing: Option<u64>,
}

/// The file behind its head.
pub(crate) struct Rest<'c, R> {
    pub(crate) path: &'c Path,
    pub(crate) reader: R,
    /// Bytes of the head.
    pub(crate) head_bytes: u64,
}

impl<'c, 'a, R: BufRead> Live<'c, 'a, R> {
    pub(crate) fn new(course: &'c mut Course<'a>, tiles: Option<&'a Tiles>, key: &'c PublicKey, head: &'c Head, rest: Rest<'c, R>) -> Self {
        let Rest { path, reader, head_bytes } = rest;
        let unconfirmed_max = if course.first() > 0 { ROTATED_ENTRIES_MAX } else { BATCH_ENTRIES_MAX };
        Self {
            course,
            tiles,
            key,
            head,
            path,
            reader,
            line: 1,
            offset: head_bytes,
            confirmed_bytes: head_bytes,
            unconfirmed: 0,
            unconfirmed_max,
            entries: Entries::default(),
            derived: Derived::default(),
        }
    }

    /// Reads lines up to the end or the first that does not hold. Returns what follows the last checkpoint.
    pub(crate) fn walk(mut self) -> Result<Option<Tail>, Stop> {
        let mut bytes = Vec::new();
        let mut ends_within_line = false;
        loop {
            let length = self.read(&mut bytes)?;
            if length == 0 {
                break;
            }
            self.line += 1;
            if let Some(line) = bytes.strip_suffix(b"\n") {
                if let Err(stop) = self.take(line, length as u64) {
                    let is_checkpoint = Line::looks_like_checkpoint(line);
                    return Err(self.weigh(stop, is_checkpoint));
                }
                self.offset += length as u64;
                continue;
            }
            let written = bytes.iter().position(|byte| *byte == 0).unwrap_or(length);
            if written == length && length >= LINE_BYTES_MAX {
                return Err(self.stop(Doubt::one(self.course.size()), Reason::LineTooLong));
            }
            if !self.only_zeros_from(bytes.get(written..).unwrap_or_default())? {
                return Err(self.stop(Doubt::one(self.course.size()), Reason::Padding));
            }
            self.offset += written as u64;
            ends_within_line = written > 0;
            break;
        }
        // A checkpoint from elsewhere may cover whole lines that lost their own.
        let (entries, bytes) = (self.course.unproven().entries, self.offset - self.confirmed_bytes);
        Ok((entries > 0 || ends_within_line).then_some(Tail { entries, bytes, ends_within_line }))
    }

    fn read(&mut self, bytes: &mut Vec<u8>) -> Result<usize, Stop> {
        read_line(&mut self.reader, bytes).map_err(|error| self.unreadable(error))
    }

    fn unreadable(&self, error: io::Error) -> Stop {
        Stop::Unreadable(Error::io("read", self.path)(error))
    }

    fn stop(&self, doubt: Doubt, reason: Reason) -> Stop {
        let bad = doubt.bad(LOG_FILE, reason);
        Stop::Bad(Box::new(BadRecord { line: Some(self.line), offset: Some(self.offset), ..bad }))
    }

    fn only_zeros_from(&mut self, begun: &[u8]) -> Result<bool, Stop> {
        if begun.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        loop {
            let (length, all_zero) = match self.reader.fill_buf() {
                Ok(bytes) => (bytes.len(), bytes.iter().all(|byte| *byte == 0)),
                Err(error) => return Err(self.unreadable(error)),
            };
            if length == 0 || !all_zero {
                return Ok(all_zero);
            }
            self.reader.consume(length);
        }
    }

    /// Takes a whole line.
    fn take(&mut self, line: &[u8], length: u64) -> Result<(), Stop> {
        let index = self.course.size();
        match Line::parse(line) {
            Err(reason) => Err(self.stop(self.course.unproven(), reason)),
            Ok(Line::Checkpoint(text)) => {
                self.confirm(&text)?;
                self.confirmed_bytes = self.offset + length;
                (self.unconfirmed, self.unconfirmed_max) = (0, BATCH_ENTRIES_MAX);
                Ok(())
            }
            Ok(Line::Entry(bytes)) => {
                let (time, event) = self.entries.read(bytes).map_err(|reason| {
                    let reason = if bytes.contains(&0) { Reason::Padding } else { reason };
                    self.stop(Doubt::one(index), reason)
                })?;
                let hash = leaf(bytes);
                self.compare(index, &hash)?;
                self.course.wait(Waiting { index, line: self.line, offset: self.offset, time, fact: Fact::from(event) });
                self.unconfirmed += 1;
                if self.unconfirmed > self.unconfirmed_max {
                    return Err(self.stop(Doubt::one(index), Reason::NoCheckpoint { bound: self.unconfirmed_max }));
                }
                self.course.grow(0, hash)
            }
        }
    }

    fn confirm(&mut self, text: &str) -> Result<(), Stop> {
        let doubt = self.course.unproven();
        let size = self.course.size();
        let checked = Note::parse(text).ok_or(Reason::NotACheckpoint).and_then(|note| {
            let claim = claim(&note, &self.head.origin, self.key, true)?;
            if claim.size != size {
                Err(Reason::Size { expected: size, found: claim.size })
            } else if claim.root != self.course.root() {
                Err(Reason::Root)
            } else if self.is_again() {
                Err(Reason::CheckpointAgain)
            } else {
                Ok(())
            }
        });
        checked.map_err(|reason| self.stop(doubt, reason))?;
        self.course.settle(text)
    }

    /// Whether no entry stands before a checkpoint, although it does not follow the head of a rotated log.
    fn is_again(&self) -> bool {
        let follows_head = self.line == 2;
        if follows_head { self.course.first() == 0 } else { self.unconfirmed == 0 }
    }

    /// Holds an entry against the tile that was derived of it, if it was.
    fn compare(&mut self, index: u64, hash: &Hash) -> Result<(), Stop> {
        let Some(tiles) = self.tiles else { return Ok(()) };
        let number = index / TILE_WIDTH;
        if index.is_multiple_of(TILE_WIDTH) {
            let missing = |number, name: &str| Err(Doubt::below(0, number).stop(name, Reason::TileMissing));
            let (has_bundle, has_tile) = self.derived.chunk.read(tiles, number).map_err(perhaps_torn)?;
            if let Some(gap) = self.derived.missing.filter(|_| has_bundle || has_tile) {
                // Perhaps it was derived meanwhile.
                if Chunk::default().read(tiles, gap).map_err(perhaps_torn)? != (true, true) {
                    return missing(gap, &hashes_name(0, gap));
                }
                self.derived.missing = None;
            }
            if has_tile && !has_bundle {
                return missing(number, &bundle_name(number));
            }
            if !has_tile {
                self.derived.missing.get_or_insert(number);
            }
            self.derived.is_there = has_tile;
        }
        let stored = self.derived.chunk.hashes().get(usize::try_from(index % TILE_WIDTH).unwrap_or_default());
        if self.derived.is_there && stored != Some(hash) {
            return Err(self.stop(Doubt::one(index), Reason::Disagreement));
        }
        Ok(())
    }

    /// Looks whether a crash could have left what does not hold: it belongs to the last batch, after which at most that batch's own
    /// checkpoint stands.
    fn weigh(&mut self, stop: Stop, is_checkpoint: bool) -> Stop {
        let Stop::Bad(mut bad) = stop else { return stop };
        let by_tiles = bad.file != LOG_FILE || bad.reason == Reason::Disagreement || bad.line != Some(self.line);
        if by_tiles {
            return Stop::Bad(bad);
        }
        let mut ended = is_checkpoint;
        let mut bytes = Vec::new();
        loop {
            match self.read(&mut bytes) {
                Err(unreadable) => return unreadable,
                Ok(0) => break,
                Ok(_) if bytes.iter().all(|byte| *byte == 0) => {}
                Ok(_) if ended => return Stop::Bad(bad),
                Ok(_) => ended = Line::looks_like_checkpoint(&bytes),
            }
        }
        bad.could_be_torn = true;
        Stop::Bad(bad)
    }
}

/// Tiles of the live part are made durable later: after a crash they may be there without their content, and are derived anew.
fn perhaps_torn(stop: Stop) -> Stop {
    let Stop::Bad(mut bad) = stop else { return stop };
    bad.could_be_torn = bad.reason != Reason::TileHash && bad.reason != Reason::StrayFile;
    Stop::Bad(bad)
}
