//! What a log holds when it is opened, and cutting off what a crash left after the last checkpoint.

use crate::{
    Error, Keys, files,
    line::{self, Head, Line, read_line},
    note::Checkpoint,
    tile::Partial,
    tree::{Frontier, Hash, leaf},
};
use schema::{Event, Trust};
use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

/// A log as it was found.
pub(crate) struct Found {
    pub(crate) head: Head,
    /// The tree up to the last checkpoint.
    pub(crate) frontier: Frontier,
    /// Hashes of tiles that wait for the tile above.
    pub(crate) partial: Partial,
    /// Bytes up to and including the last checkpoint.
    pub(crate) confirmed_bytes: u64,
    /// Bytes without the zeros at the end.
    pub(crate) total_bytes: u64,
    /// The last checkpoint; empty if there is none.
    pub(crate) last_note: String,
    /// Who keeps the record, as its last session says.
    pub(crate) trust: Trust,
}

/// An entry of the live file.
pub(crate) struct FoundEntry {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: Hash,
    /// Bytes of the file up to and including its line.
    pub(crate) end: u64,
}

struct Scan<'a> {
    path: &'a Path,
    keys: &'a Keys,
    /// The tree with what waits for its checkpoint.
    tree: Frontier,
    waiting: Vec<FoundEntry>,
    found: Found,
    torn: Option<Torn>,
}

/// A batch that was under way when the machine stopped. Its pages may have reached the disk in any order; what did not is still the zeros
/// that made room for it.
struct Torn {
    line: u64,
    /// Where its checkpoint ends, if that did.
    checkpoint_end: Option<u64>,
}

/// Reads the live file and checks every entry and checkpoint with our own key. `confirmed` gets each entry that a checkpoint covers.
pub(crate) fn scan(file: &File, path: &Path, keys: &Keys, mut confirmed: impl FnMut(FoundEntry)) -> Result<Found, Error> {
    let damaged = |line| Error::Damaged { path: path.to_path_buf(), line };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    reader.seek(SeekFrom::Start(0)).map_err(Error::io("read", path))?;
    let mut bytes = Vec::new();
    let length = read_line(&mut reader, &mut bytes).map_err(Error::io("read", path))? as u64;
    let head = Head::parse(&bytes).ok_or_else(|| damaged(1))?;
    let directory = path.parent().unwrap_or(path);
    let partial = Partial::read(directory, head.first)?;
    let frontier = partial.frontier();
    let tree = frontier.clone();
    let found =
        Found { head, frontier, partial, confirmed_bytes: length, total_bytes: length, last_note: String::new(), trust: Trust::SelfKept };
    let mut scan = Scan { path, keys, tree, waiting: Vec::new(), found, torn: None };
    let mut offset = length;
    for number in 2.. {
        let length = read_line(&mut reader, &mut bytes).map_err(Error::io("read", path))?;
        if length == 0 {
            break;
        }
        offset += length as u64;
        if bytes.iter().any(|byte| *byte != 0) {
            // Zeros after the last byte are room; zeros before it are part of a torn batch.
            let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
            scan.found.total_bytes = offset - zeros as u64;
        }
        scan.take(&bytes, number, offset)?;
        scan.settle(&mut confirmed);
    }
    scan.finish()
}

impl Scan<'_> {
    fn take(&mut self, bytes: &[u8], number: u64, end: u64) -> Result<(), Error> {
        let whole = bytes.strip_suffix(b"\n").filter(|line| !line.contains(&0));
        let Some(line) = whole else {
            // Room, unless something comes after it.
            self.torn.get_or_insert(Torn { line: number, checkpoint_end: None });
            return Ok(());
        };
        match (Line::parse(line), &self.torn) {
            (Some(Line::Entry(entry)), None) => {
                let hash = leaf(entry);
                self.tree.append(hash);
                self.waiting.push(FoundEntry { bytes: entry.to_vec(), hash, end });
            }
            (Some(Line::Checkpoint(note)), None) if self.confirms(&note) => {
                self.found.confirmed_bytes = end;
                self.found.last_note = note;
                self.found.frontier = self.tree.clone();
            }
            // One batch only is under way at a time, so one checkpoint at most comes after the first gap.
            (Some(Line::Checkpoint(_)), Some(Torn { line, checkpoint_end: None })) => {
                self.torn = Some(Torn { line: *line, checkpoint_end: Some(end) });
            }
            (Some(Line::Entry(_)), Some(_)) => {}
            (Some(Line::Checkpoint(_)) | None, _) => return Err(self.damaged(number)),
        }
        Ok(())
    }

    /// Whether a note is our checkpoint over the tree as it stands.
    fn confirms(&self, note: &str) -> bool {
        let Some((checkpoint, signatures)) = Checkpoint::parse(note) else { return false };
        checkpoint.origin == self.found.head.origin
            && checkpoint.size == self.tree.size()
            && checkpoint.root == self.tree.root()
            && signatures.iter().any(|signature| self.keys.verifies(&checkpoint, signature))
    }

    /// Hands on the entries that a checkpoint has confirmed.
    fn settle(&mut self, confirmed: &mut impl FnMut(FoundEntry)) {
        if self.waiting.first().is_none_or(|entry| entry.end > self.found.confirmed_bytes) {
            return;
        }
        for entry in self.waiting.drain(..) {
            if let Some(trust) = trust(&entry.bytes) {
                self.found.trust = trust;
            }
            confirmed(entry);
        }
    }

    fn finish(self) -> Result<Found, Error> {
        match &self.torn {
            // Something stands after the batch that was under way.
            Some(Torn { line, checkpoint_end: Some(end) }) if *end < self.found.total_bytes => Err(self.damaged(*line)),
            _ => Ok(self.found),
        }
    }

    fn damaged(&self, line: u64) -> Error {
        Error::Damaged { path: self.path.to_path_buf(), line }
    }
}

/// Moves what stands after the last checkpoint to a file of its own, so that nothing is destroyed. Returns how many bytes were moved and are
/// not on record yet: also those of a recovery that was itself cut short.
pub(crate) fn cut_tail(file: &File, directory: &Path, path: &Path, found: &Found) -> Result<u64, Error> {
    let name = format!("cut-{}", found.frontier.size());
    let moved_before = match std::fs::symlink_metadata(directory.join(&name)) {
        Ok(facts) => facts.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(Error::io("inspect", &directory.join(&name))(error)),
    };
    let tail_bytes = found.total_bytes.saturating_sub(found.confirmed_bytes);
    if tail_bytes > 0 {
        let mut reader = file;
        reader.seek(SeekFrom::Start(found.confirmed_bytes)).map_err(Error::io("read", path))?;
        let mut tail = Vec::new();
        reader.take(tail_bytes.min(TAIL_BYTES_KEPT_MAX)).read_to_end(&mut tail).map_err(Error::io("read", path))?;
        // If it is there already, what stands here now is the same, or the torn record of that recovery.
        files::write_new(directory, &name, &tail)?;
        files::sync(directory)?;
        file.set_len(found.confirmed_bytes).and_then(|()| file.sync_all()).map_err(Error::io("cut the unconfirmed tail of", path))?;
    }
    Ok(tail_bytes.max(moved_before))
}

/// Most bytes of a cut tail that are kept: more than the largest batch that events of ordinary size make.
const TAIL_BYTES_KEPT_MAX: u64 = 64 * 1024 * 1024;

fn trust(entry: &[u8]) -> Option<Trust> {
    let Event::SessionStarted(event) = line::record(0, entry)?.event else { return None };
    Some(event.subject.trust)
}
