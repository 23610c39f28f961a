use crate::{
    Error, Keys, files,
    line::{self, Line},
    recovery,
};
use rustix::fs::{FlockOperation, flock};
use schema::{Clock, Digest, Event, event::LogRecovered, seal_input};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The log's name in its directory.
pub const LOG_FILE: &str = "log.jsonl";
const LOCK_FILE: &str = "log.lock";
/// Most events in one batch.
pub const BATCH_EVENTS_MAX: usize = 8192;

/// The place of a record that is on the disk: it outlives a crash from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurableIndex(pub(crate) u64);

impl DurableIndex {
    /// The record's `index`.
    pub fn value(self) -> u64 {
        self.0
    }
}

/// A log that this process alone writes. See [`schema::Record`] for the format.
pub struct Log {
    path: PathBuf,
    file: File,
    _lock: File,
    keys: Keys,
    clock: Arc<dyn Clock>,
    next_index: u64,
    previous: Digest,
    /// Length of the file up to its last sealed record.
    sealed_bytes: u64,
    poisoned: bool,
}

impl Log {
    /// Makes the folder of a log that is to begin, with the public key in it, so that [`Log::open`] has less to wait for. It is no log yet.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn make_room(directory: &Path, keys: &Keys) -> Result<(), Error> {
        files::private_directory(directory)?;
        if keys.export_public(directory)? {
            files::sync_directory(directory.parent().unwrap_or(directory))?;
        }
        Ok(())
    }

    /// Opens or begins the log in `directory`: `log.jsonl`, `log.lock` and a copy of the public key.
    ///
    /// What a crash left after the last seal was never confirmed to anyone; it is moved to a file `cut-INDEX` beside the log, and
    /// [`Event::LogRecovered`] says so in the log.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process writes it; [`Error::KeyChanged`] if it was begun with another key; [`Error::Damaged`] if
    /// records before the last seal do not fit; [`Error::Io`].
    pub fn open(directory: &Path, keys: Keys, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        files::private_directory(directory)?;
        let lock = lock(directory)?;
        keys.export_public(directory)?;
        let path = directory.join(LOG_FILE);
        let file = files::private().read(true).append(true).create(true).open(&path).map_err(Error::io("open", &path))?;
        files::refuse_exposed(&file, &path)?;
        files::sync_directory(directory)?;
        let found = recovery::scan(&file, &path, &keys)?;
        let dropped = recovery::cut_tail(&file, directory, &path, &found)?;
        let recovery::Found { next_index, previous, sealed_bytes, trust, .. } = found;
        let mut log = Self { path, file, _lock: lock, keys, clock, next_index, previous, sealed_bytes, poisoned: false };
        if dropped > 0 {
            log.append(&[Event::LogRecovered(LogRecovered { bytes_dropped: dropped, trust })])?;
        }
        Ok(log)
    }

    /// Appends events as one batch: one write, the last record sealed, one `fdatasync`. When it returns, they are durable; the index is
    /// that of the last.
    ///
    /// # Errors
    /// [`Error::BatchSize`] and [`Error::TooLarge`] refuse the batch and leave the log as it was. After an [`Error::Io`] the log takes
    /// nothing more ([`Error::Poisoned`]): what the disk holds is unknown until it is opened again. A batch that found no room is cut off,
    /// so that the log still ends with a seal.
    pub fn append(&mut self, events: &[Event]) -> Result<DurableIndex, Error> {
        if self.poisoned {
            return Err(Error::Poisoned);
        }
        if events.is_empty() || events.len() > BATCH_EVENTS_MAX {
            return Err(Error::BatchSize { events: events.len() });
        }
        let batch = self.encode(events)?;
        if let Err(error) = (&self.file).write_all(&batch.bytes) {
            self.poisoned = true;
            // Part of a batch that nobody was told of; if it cannot be cut off, verifiers report it as unsealed.
            let _left = self.file.set_len(self.sealed_bytes).and_then(|()| self.file.sync_data());
            return Err(Error::io("write", &self.path)(error));
        }
        if let Err(error) = self.file.sync_data() {
            self.poisoned = true;
            return Err(Error::io("write", &self.path)(error));
        }
        self.sealed_bytes += batch.bytes.len() as u64;
        let last = self.next_index + events.len() as u64 - 1;
        self.next_index = last + 1;
        self.previous = batch.last_hash;
        Ok(DurableIndex(last))
    }

    /// The index that the next record gets.
    pub fn next_index(&self) -> u64 {
        self.next_index
    }

    /// The log's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn encode(&self, events: &[Event]) -> Result<Batch, Error> {
        let time = self.clock.now();
        let mut batch = Batch { bytes: Vec::with_capacity(events.len() * 512), last_hash: self.previous.clone() };
        for (index, (place, event)) in (self.next_index..).zip(events.iter().enumerate()) {
            let raw = line::encode(event, line::LOGGED_EVENT_BYTES_MAX)?;
            let mut line = Line::link(index, time, batch.last_hash, &raw);
            if place + 1 == events.len() {
                line.seal = Some(self.keys.seal(&seal_input(index, &line.hash)));
            }
            line.write(&mut batch.bytes)?;
            batch.last_hash = line.hash;
        }
        Ok(batch)
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("path", &self.path).field("next_index", &self.next_index).finish_non_exhaustive()
    }
}

struct Batch {
    bytes: Vec<u8>,
    last_hash: Digest,
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
