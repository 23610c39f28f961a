//! The file that a log is written to. It is longer than what it holds: zero bytes stand where the next batches will, so that making a batch
//! durable changes no metadata.

use crate::{Error, files, line::Head};
use std::{
    fs::File,
    io::{ErrorKind, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// The live file's name in a log's directory.
pub const LOG_FILE: &str = "log.jsonl";
/// Its successor, until it takes its name.
const NEXT_FILE: &str = "log.jsonl.next";
/// Room that is made at first, and at most at once.
const ROOM_BYTES_MIN: u64 = 64 * 1024;
const ROOM_BYTES_MAX: u64 = 1024 * 1024;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

pub(crate) struct Live {
    path: PathBuf,
    file: File,
    /// Index of its first entry.
    first: u64,
    /// Bytes that it holds.
    length: u64,
    /// Bytes that it has room for.
    room: u64,
}

impl Live {
    /// Begins the live file of a log, with what it holds first, and gives it its name only when that is durable.
    pub(crate) fn begin(directory: &Path, head: &Head, rest: &[u8]) -> Result<Self, Error> {
        Self::prepare(directory, head, rest)?.take_name(directory)
    }

    /// Makes a live file durable that has not got its name yet.
    pub(crate) fn prepare(directory: &Path, head: &Head, rest: &[u8]) -> Result<Self, Error> {
        let path = directory.join(NEXT_FILE);
        let file = files::private().read(true).write(true).create(true).truncate(true).open(&path).map_err(Error::io("open", &path))?;
        let mut live = Self { path, file, first: head.first, length: 0, room: 0 };
        live.append(&[head.line()?.as_slice(), rest].concat())?;
        Ok(live)
    }

    /// As [`Live::begin`] without entries, with a file that was prepared before, if there is one that holds just this.
    pub(crate) fn begin_prepared(directory: &Path, head: &Head) -> Result<Self, Error> {
        let path = directory.join(NEXT_FILE);
        let Ok(file) = files::private().read(true).write(true).open(&path) else { return Self::begin(directory, head, &[]) };
        let line = head.line()?;
        let mut bytes = Vec::new();
        let bound = line.len() as u64 + ROOM_BYTES_MIN + 1;
        (&file).take(bound).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
        let is_whole = bytes.strip_prefix(line.as_slice()).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
        if !is_whole || bytes.len() as u64 == bound {
            return Self::begin(directory, head, &[]);
        }
        Self { path, file, first: head.first, length: line.len() as u64, room: bytes.len() as u64 }.take_name(directory)
    }

    fn take_name(mut self, directory: &Path) -> Result<Self, Error> {
        let path = directory.join(LOG_FILE);
        std::fs::rename(&self.path, &path).map_err(Error::io("name", &path))?;
        self.path = path;
        files::sync(directory)?;
        Ok(self)
    }

    /// Goes on with a file of which `length` bytes are good.
    pub(crate) fn resume(path: PathBuf, file: File, first: u64, length: u64) -> Result<Self, Error> {
        let room = file.metadata().map_err(Error::io("inspect", &path))?.len();
        Ok(Self { path, file, first, length, room })
    }

    /// Appends bytes. When it returns, they are durable.
    ///
    /// # Errors
    /// [`Error::Io`]: what the disk holds is unknown then.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.length + bytes.len() as u64;
        let written = self.make_room(end).and_then(|()| self.file.write_all_at(bytes, self.length)).and_then(|()| self.file.sync_data());
        written.map_err(Error::io("write", &self.path))?;
        self.length = end;
        Ok(())
    }

    /// Makes the file as long as what it holds.
    pub(crate) fn trim(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.length)?;
        self.room = self.length;
        Ok(())
    }

    /// Takes away whatever a failed append left.
    pub(crate) fn cut(&mut self) -> std::io::Result<()> {
        self.trim()?;
        self.file.sync_data()
    }

    /// What it holds from `offset` on.
    pub(crate) fn rest(&self, offset: u64) -> Result<Vec<u8>, Error> {
        let length = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, offset).map_err(Error::io("read", &self.path))?;
        Ok(bytes)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Makes room for what is to come, as far as the disk has any: without room a batch only takes longer.
    fn make_room(&mut self, end: u64) -> std::io::Result<()> {
        if end <= self.room {
            return Ok(());
        }
        let target = end + self.room.clamp(ROOM_BYTES_MIN, ROOM_BYTES_MAX);
        while self.room < target {
            let zeros = ZEROS.get(..usize::try_from(target - self.room).unwrap_or(usize::MAX)).unwrap_or(&ZEROS);
            match self.file.write_at(zeros, self.room) {
                Ok(written) => self.room += written as u64,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
