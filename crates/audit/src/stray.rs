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

/// Files below `tile/` that are no tile of entries before `first`.
pub(crate) struct Beyond {
    first: u64,
    files: usize,
    /// How many entries a log must have for each to belong to it; none if it never does.
    found: Vec<(Option<u64>, String)>,
}

impl Beyond {
    /// The first one that is no tile of a log of `size` entries.
    pub(crate) fn find(&self, size: u64) -> Option<&str> {
        let stray = self.found.iter().filter(|(needed, _)| needed.is_none_or(|needed| needed > size));
        stray.map(|(_, name)| name.as_str()).min()
    }
}

/// Lists what stands below `tile/`. Before the live part is read: a writer may derive more at any time.
pub(crate) fn list(directory: &Path, first: u64) -> Result<Beyond, Error> {
    let mut beyond = Beyond { first, files: 0, found: Vec::new() };
    beyond.list(&directory.join("tile"), "", 0)?;
    Ok(beyond)
}

impl Beyond {
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
                continue;
            }
            let needed = if kind.is_file() && self.files < FILES_MAX { needed(&name) } else { None };
            if needed.is_none_or(|needed| needed > self.first) {
                self.found.push((needed, format!("tile/{name}")));
            }
        }
        Ok(())
    }
}

/// How many entries a log has at least if a name below `tile/` is that of a full tile of it.
fn needed(name: &str) -> Option<u64> {
    let name = name.strip_suffix(UNFINISHED).unwrap_or(name);
    let (level, path) = name.split_once('/')?;
    let (level, path) = match level.parse::<u32>() {
        Ok(number) if number.to_string() == level => (number, path),
        _ if level == "entries" => (0, path.strip_suffix(".gz")?),
        _ => return None,
    };
    let width = TILE_WIDTH.checked_shl(level.checked_mul(TILE_HEIGHT)?).filter(|width| *width > 0)?;
    parse_path(path)?.checked_add(1)?.checked_mul(width)
}
