use crate::{
    Error, Keys, files,
    line::{self, Head},
    live::{LOG_FILE, Live},
    note::{self, Checkpoint},
    recovery,
    tile::{Gatherer, Partial},
    tree::{Frontier, Hash, leaf},
};
use rustix::fs::{FlockOperation, flock};
use schema::{Clock, Event, Token, Trust, event::LogRecovered};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

const LOCK_FILE: &str = "log.lock";
/// The key that checks the log's checkpoints, in signed-note form.
pub(crate) const VERIFIER_KEY_FILE: &str = "log.vkey";
/// The newest checkpoint, for readers of tiles.
const CHECKPOINT_FILE: &str = "checkpoint";
/// Before what is unique in a log's name.
pub(crate) const ORIGIN_PREFIX: &str = "bailiwick/log/";
/// Most events in one batch.
pub const BATCH_EVENTS_MAX: usize = 8192;
/// Once the live file is longer, what is in tiles is taken out of it.
const LIVE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The place of a record that is on the disk: it outlives a crash from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurableIndex(pub(crate) u64);

impl DurableIndex {
    /// The record's `index`.
    pub fn value(self) -> u64 {
        self.0
    }
}

/// A log that this process alone writes: a Merkle tree over entries, each batch confirmed by a signed checkpoint.
pub struct Log {
    directory: PathBuf,
    keeper: Keeper,
    origin: String,
    live: Live,
    frontier: Frontier,
    gatherer: Gatherer,
    last_note: String,
    poisoned: bool,
}

/// Who writes a log, and when.
struct Keeper {
    _lock: File,
    keys: Keys,
    clock: Arc<dyn Clock>,
}

impl Log {
    /// Makes the folder of a log that is to begin, with its name and key in it, so that [`Log::open`] has less to wait for. It is no log yet.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn make_room(directory: &Path, keys: &Keys) -> Result<(), Error> {
        files::private_directory(directory)?;
        let (origin, is_new) = name_log(directory, &Keys::random_id()?, keys)?;
        if is_new {
            files::sync(directory.parent().unwrap_or(directory))?;
            Live::prepare(directory, &first_head(&origin), &[])?;
        }
        Ok(())
    }

    /// Opens the log in `directory`, or begins one there with a random name.
    ///
    /// What a crash left after the last checkpoint was never confirmed to anyone; it is moved to a file `cut-INDEX` beside the log, and
    /// [`Event::LogRecovered`] says so in the log.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process writes it; [`Error::KeyChanged`] if it was begun with another key; [`Error::Damaged`],
    /// [`Error::DamagedTile`] and [`Error::LiveFileMissing`] if what was confirmed does not fit; [`Error::Io`].
    pub fn open(directory: &Path, keys: Keys, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let id = Keys::random_id()?;
        Self::open_as(directory, &id, keys, clock)
    }

    /// As [`Log::open`]; a log that is begun is named after `id`, which must be unique.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_as(directory: &Path, id: &Token, keys: Keys, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        files::private_directory(directory)?;
        let keeper = Keeper { _lock: lock(directory)?, keys, clock };
        let path = directory.join(LOG_FILE);
        match files::private().read(true).write(true).open(&path) {
            Ok(file) => Self::resume(directory, path, file, keeper),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if directory.join("tile").exists() {
                    return Err(Error::LiveFileMissing { path });
                }
                let (origin, _) = name_log(directory, id, &keeper.keys)?;
                Self::begin(directory, origin, keeper)
            }
            Err(error) => Err(Error::io("open", &path)(error)),
        }
    }

    fn begin(directory: &Path, origin: String, keeper: Keeper) -> Result<Self, Error> {
        Ok(Self {
            directory: directory.to_path_buf(),
            keeper,
            live: Live::begin_prepared(directory, &first_head(&origin))?,
            origin,
            frontier: Frontier::default(),
            gatherer: Gatherer::new(directory, 0, Partial::default()),
            last_note: String::new(),
            poisoned: false,
        })
    }

    fn resume(directory: &Path, path: PathBuf, file: File, keeper: Keeper) -> Result<Self, Error> {
        files::refuse_exposed(&file, &path)?;
        keeper.keys.check_verifier_key(&directory.join(VERIFIER_KEY_FILE))?;
        let mut entries = Vec::new();
        let found = recovery::scan(&file, &path, &keeper.keys, |entry| entries.push(entry))?;
        let dropped = recovery::cut_tail(&file, directory, &path, &found)?;
        let first = found.head.first;
        let mut log = Self {
            directory: directory.to_path_buf(),
            keeper,
            origin: found.head.origin,
            live: Live::resume(path, file, first, found.confirmed_bytes)?,
            frontier: found.frontier,
            gatherer: Gatherer::new(directory, first, found.partial),
            last_note: found.last_note,
            poisoned: false,
        };
        // Tiles that were not durable yet are derived anew.
        for (index, entry) in (first..).zip(entries) {
            log.gatherer.gather(index, &entry.bytes, entry.hash, entry.end)?;
        }
        log.note_recovery(dropped, found.trust)?;
        Ok(log)
    }

    fn note_recovery(&mut self, bytes_dropped: u64, trust: Trust) -> Result<(), Error> {
        if bytes_dropped > 0 {
            self.append(&[Event::LogRecovered(LogRecovered { bytes_dropped, trust })])?;
        }
        Ok(())
    }

    /// Appends events as one batch: one write of the entries and their signed checkpoint, one `fdatasync`. When it returns, they are
    /// durable; the index is that of the last.
    ///
    /// # Errors
    /// [`Error::BatchSize`] and [`Error::TooLarge`] refuse the batch and leave the log as it was, as does [`Error::Unsigned`]. After an
    /// [`Error::Io`] the log takes nothing more ([`Error::Poisoned`]): what the disk holds is unknown until it is opened again. A batch
    /// that found no room is cut off, so that the log still ends with a checkpoint.
    pub fn append(&mut self, events: &[Event]) -> Result<DurableIndex, Error> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        if events.is_empty() || events.len() > BATCH_EVENTS_MAX {
            return Err(Error::BatchSize { events: events.len() });
        }
        let batch = self.encode(events)?;
        if let Err(error) = self.live.append(&batch.bytes) {
            self.poisoned = true;
            // Part of a batch that nobody was told of; if it cannot be cut off, verifiers report it as unconfirmed.
            let _left = self.live.cut();
            return Err(error);
        }
        self.frontier = batch.frontier;
        self.last_note = batch.note;
        self.gather_batch(&batch.bytes, &batch.entries).inspect_err(|_| self.poisoned = true)?;
        Ok(DurableIndex(self.next_index() - 1))
    }

    /// Takes what is durable in tiles out of the live file once that has grown. To be called when nobody waits for a confirmation.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn tidy(&mut self) -> Result<(), Error> {
        if self.poisoned || self.live.length() <= LIVE_BYTES_MAX {
            return Ok(());
        }
        let settled = self.gatherer.settled(self.live.first());
        let rotated = settled.and_then(|settled| settled.map_or(Ok(()), |(first, offset)| self.rotate(first, offset)));
        rotated.inspect_err(|_| self.poisoned = true)
    }

    /// The index that the next record gets.
    pub fn next_index(&self) -> u64 {
        self.frontier.size()
    }

    /// The log's live file.
    pub fn path(&self) -> &Path {
        self.live.path()
    }

    /// The log's name in its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    fn encode(&self, events: &[Event]) -> Result<Batch, Error> {
        let time = self.keeper.clock.now();
        let mut batch = Batch {
            bytes: Vec::with_capacity(events.len() * 512),
            entries: Vec::with_capacity(events.len()),
            frontier: self.frontier.clone(),
            note: String::new(),
        };
        for event in events {
            let raw = line::encode(event, line::LOGGED_EVENT_BYTES_MAX)?;
            let start = batch.bytes.len();
            line::write_entry(time, &raw, &mut batch.bytes)?;
            let hash = leaf(batch.bytes.get(start..).unwrap_or_default());
            batch.frontier.append(hash);
            batch.entries.push(Placed { start, end: batch.bytes.len(), hash });
            batch.bytes.push(b'\n');
        }
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: batch.frontier.size(), root: batch.frontier.root() };
        batch.note = checkpoint.sign(self.keeper.keys.signer())?;
        batch.bytes.extend(line::checkpoint(batch.note.clone())?);
        Ok(batch)
    }

    /// Gathers a batch, just written, into bundles.
    fn gather_batch(&mut self, bytes: &[u8], entries: &[Placed]) -> Result<(), Error> {
        let written_at = self.live.length() - bytes.len() as u64;
        let first = self.next_index() - entries.len() as u64;
        for (index, entry) in (first..).zip(entries) {
            let line_end = written_at + entry.end as u64 + 1;
            self.gatherer.gather(index, bytes.get(entry.start..entry.end).unwrap_or_default(), entry.hash, line_end)?;
        }
        Ok(())
    }

    /// Writes the live file anew from the entry `first` on, which stands at `offset`; those before it are in tiles.
    fn rotate(&mut self, first: u64, offset: u64) -> Result<(), Error> {
        let rest = self.live.rest(offset)?;
        self.write_checkpoint()?;
        let head = Head { format: line::FORMAT.to_owned(), origin: self.origin.clone(), first };
        let live = Live::begin(&self.directory, &head, &rest)?;
        self.gatherer.moved(offset, live.length() - rest.len() as u64);
        self.live = live;
        Ok(())
    }

    fn write_checkpoint(&self) -> Result<(), Error> {
        files::replace(&self.directory.join(CHECKPOINT_FILE), self.last_note.as_bytes())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if self.poisoned {
            return;
        }
        // The room after the last batch means nothing; a reader that meets it leaves it out.
        let _room_left = self.live.trim();
        if self.gatherer.finish() {
            // Derived from the live file, which has the same checkpoint.
            let _missing = self.write_checkpoint();
        }
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("path", &self.path()).field("next_index", &self.next_index()).finish_non_exhaustive()
    }
}

struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Placed>,
    /// The tree with them.
    frontier: Frontier,
    note: String,
}

/// An entry's place in a batch's bytes, without its line feed.
struct Placed {
    start: usize,
    end: usize,
    hash: Hash,
}

/// The first line of a log that has nothing in tiles.
fn first_head(origin: &str) -> Head {
    Head { format: line::FORMAT.to_owned(), origin: origin.to_owned(), first: 0 }
}

/// A log's name in its checkpoints. A log that has none is named after `id`; true if it was: the file's name is not durable yet.
fn name_log(directory: &Path, id: &Token, keys: &Keys) -> Result<(String, bool), Error> {
    let path = directory.join(VERIFIER_KEY_FILE);
    let is_missing = !path.exists();
    if is_missing {
        let vkey = note::verifier_key(&format!("{ORIGIN_PREFIX}{id}"), keys.signer()) + "\n";
        files::write_new(directory, VERIFIER_KEY_FILE, vkey.as_bytes())?;
    }
    Ok((keys.check_verifier_key(&path)?, is_missing))
}

fn lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join(LOCK_FILE);
    let file = files::private().write(true).create(true).truncate(false).open(&path).map_err(Error::io("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Locked { path: directory.to_path_buf() }),
        Err(errno) => Err(Error::io("lock", &path)(errno.into())),
    }
}
