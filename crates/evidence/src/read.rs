use crate::{Error, line::read_line, log::LOG_FILE};
use schema::Record;
use std::{
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

/// The records of a log, in order, as they stand in the file. Reading checks the form only; `bailiwick-verify` checks the chain.
#[derive(Debug)]
pub struct Records {
    reader: BufReader<File>,
    path: PathBuf,
    line: u64,
    bytes: Vec<u8>,
    ended: bool,
}

/// Opens a log for reading: its directory, or the file itself. Does not disturb its writer.
///
/// # Errors
/// [`Error::Io`].
pub fn read(path: &Path) -> Result<Records, Error> {
    let path = if path.is_dir() { path.join(LOG_FILE) } else { path.to_path_buf() };
    let file = File::open(&path).map_err(Error::io("open", &path))?;
    Ok(Records { reader: BufReader::new(file), path, line: 0, bytes: Vec::new(), ended: false })
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

impl Iterator for Records {
    type Item = Result<Record, Error>;

    /// The next record; after an error there are no more. A last line without its line feed is being written and is left out.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.line += 1;
        let next = match read_line(&mut self.reader, &mut self.bytes) {
            Err(error) => Some(Err(Error::io("read", &self.path)(error))),
            Ok(0) => None,
            Ok(_) => match serde_json::from_slice(&self.bytes) {
                Ok(record) if self.bytes.ends_with(b"\n") => Some(Ok(record)),
                _ if !self.bytes.ends_with(b"\n") && self.bytes.len() < crate::line::LINE_BYTES_MAX => None,
                _ => Some(Err(Error::Damaged { path: self.path.clone(), line: self.line })),
            },
        };
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
