//! What else stands below `tile/`: nothing may.

use crate::{
    Error,
    tile::parse_path,
    tree::{TILE_HEIGHT, TILE_WIDTH},
};
use std::{io::ErrorKind, path::Path};

/// Most files below `tile/`: those of more entries than a log of years has.
const FILES_MAX: usize = 16 * 1024 * 1024;
/// Directories below one another: a level, and groups of three digits of a number of 64 bits.
const DEPTH_MAX: usize = 8;
/// What the writer puts behind a name while it writes; a crash may leave such a file.
const UNFINISHED: &str = ".next";

/// The first file below `tile/` that is no tile of a log of `size` entries; none if there is nothing else.
pub(crate) fn find(directory: &Path, size: u64) -> Result<Option<String>, Error> {
    let mut search = Search { size, files: 0, found: Vec::new() };
    search.list(&directory.join("tile"), "", 0)?;
    search.found.sort();
    Ok(search.found.into_iter().next())
}

struct Search {
    size: u64,
    files: usize,
    found: Vec<String>,
}

impl Search {
    fn list(&mut self, directory: &Path, below: &str, depth: usize) -> Result<(), Error> {
        let entries = match std::fs::read_dir(directory) {
            Err(error) if error.kind() == ErrorKind::NotFound && depth == 0 => return Ok(()),
            other => other.map_err(Error::io("list", directory))?,
        };
        for entry in entries {
            let entry = entry.map_err(Error::io("list", directory))?;
            let kind = entry.file_type().map_err(Error::io("inspect", directory))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let name = if below.is_empty() { name } else { format!("{below}/{name}") };
            self.files += 1;
            if kind.is_dir() && depth < DEPTH_MAX && self.files < FILES_MAX {
                self.list(&entry.path(), &name, depth + 1)?;
            } else if !kind.is_file() || self.files >= FILES_MAX || !self.belongs(&name) {
                self.found.push(format!("tile/{name}"));
            }
        }
        Ok(())
    }

    /// Whether a name below `tile/` is that of a full tile of the log.
    fn belongs(&self, name: &str) -> bool {
        let name = name.strip_suffix(UNFINISHED).unwrap_or(name);
        let Some((level, path)) = name.split_once('/') else { return false };
        let (level, path) = match level.parse::<u32>() {
            Ok(number) if number.to_string() == level => (number, Some(path)),
            _ if level == "entries" => (0, path.strip_suffix(".gz")),
            _ => return false,
        };
        let width = level.checked_mul(TILE_HEIGHT).and_then(|height| TILE_WIDTH.checked_shl(height)).filter(|width| *width > 0);
        path.and_then(parse_path).zip(width).is_some_and(|(number, width)| number < self.size / width)
    }
}
