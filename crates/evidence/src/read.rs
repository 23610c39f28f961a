use crate::{
    Error,
    line::{self, Head, Line, read_line},
    live::LOG_FILE,
    tile::{self, WIDTH},
};
use schema::Record;
use std::{
    collections::VecDeque,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

/// The records of a log, in order: those in tiles, then those in the live file. Reading checks the form only; `bailiwick-verify` checks the
/// tree.
#[derive(Debug)]
pub struct Records {
    directory: PathBuf,
    path: PathBuf,
    reader: BufReader<File>,
    /// Index of the live file's first entry.
    live_first: u64,
    next_index: u64,
    /// Entries of the bundle at hand.
    bundle: VecDeque<Vec<u8>>,
    /// Lines read of the live file.
    line: u64,
    bytes: Vec<u8>,
    ended: bool,
}

/// Opens a log for reading: its directory, or its live file. Does not disturb its writer.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`] if the live file does not begin as one.
pub fn read(path: &Path) -> Result<Records, Error> {
    let path = if path.is_dir() { path.join(LOG_FILE) } else { path.to_path_buf() };
    let mut reader = BufReader::new(File::open(&path).map_err(Error::io("open", &path))?);
    let mut bytes = Vec::new();
    read_line(&mut reader, &mut bytes).map_err(Error::io("read", &path))?;
    let head = Head::parse(&bytes).ok_or_else(|| Error::Damaged { path: path.clone(), line: 1 })?;
    let directory = path.parent().unwrap_or(&path).to_path_buf();
    let bundle = VecDeque::new();
    Ok(Records { directory, path, reader, live_first: head.first, next_index: 0, bundle, line: 1, bytes, ended: false })
}

/// The directories that hold a log: `directory` itself or those right below it, sorted by name.
///
/// # Errors
/// [`Error::Io`].
pub fn log_directories(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    if directory.join(LOG_FILE).is_file() {
        return Ok(vec![directory.to_path_buf()]);
    }
    let entries = std::fs::read_dir(directory).map_err(Error::io("list", directory))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("list", directory))?.path();
        if path.join(LOG_FILE).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl Records {
    fn advance(&mut self) -> Result<Option<Record>, Error> {
        if self.next_index < self.live_first {
            return self.next_in_tiles().map(Some);
        }
        loop {
            self.line += 1;
            read_line(&mut self.reader, &mut self.bytes).map_err(Error::io("read", &self.path))?;
            let Some(line) = self.bytes.strip_suffix(b"\n") else {
                // The end, room after it, or a line that is being written.
                let unfinished = self.bytes.len() < line::LINE_BYTES_MAX || self.bytes.contains(&0);
                return if unfinished { Ok(None) } else { Err(self.damaged()) };
            };
            match Line::parse(line) {
                Some(Line::Checkpoint(_)) => {}
                Some(Line::Entry(entry)) => {
                    let record = line::record(self.next_index, entry).ok_or_else(|| self.damaged())?;
                    self.next_index += 1;
                    return Ok(Some(record));
                }
                None => return Err(self.damaged()),
            }
        }
    }

    fn next_in_tiles(&mut self) -> Result<Record, Error> {
        let number = self.next_index / WIDTH as u64;
        if self.bundle.is_empty() {
            self.bundle = tile::read_bundle(&self.directory, number)?.into();
        }
        let entry = self.bundle.pop_front().unwrap_or_default();
        let record = line::record(self.next_index, &entry).ok_or_else(|| tile::damaged(&self.directory, number))?;
        self.next_index += 1;
        Ok(record)
    }

    fn damaged(&self) -> Error {
        Error::Damaged { path: self.path.clone(), line: self.line }
    }
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    /// The next record; after an error there are no more. A last line that is being written is left out.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
