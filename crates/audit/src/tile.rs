//! Tiles (C2SP tlog-tiles) as files: names, and reading them.

use crate::{
    Error, Reason,
    gzip::{self, GzipError},
    line::ENTRY_BYTES_MAX,
    tree::{Hash, TILE_WIDTH},
};
use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
};

const TILE_BYTES: usize = 256 * 32;
/// Longest bundle once it is decompressed: entries, each with its length.
const BUNDLE_BYTES_MAX: usize = 256 * (ENTRY_BYTES_MAX + 2);
/// Longest bundle as a file: deflate adds a few bytes to each block of what cannot be made smaller.
const BUNDLE_FILE_BYTES_MAX: u64 = BUNDLE_BYTES_MAX as u64 + (1 << 16);

/// Where a log's tiles are.
#[derive(Clone, Debug)]
pub(crate) struct Tiles {
    directory: PathBuf,
}

/// A tile that does not hold, or that cannot be read.
#[derive(Debug)]
pub(crate) enum TileError {
    /// By itself: which of its entries, if it is one.
    Bad(Option<u64>, Reason),
    Unreadable(Error),
}

impl From<Reason> for TileError {
    fn from(reason: Reason) -> Self {
        Self::Bad(None, reason)
    }
}

impl Tiles {
    /// The tiles of the log in `directory`.
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_path_buf() }
    }

    /// Reads the hashes of a tile; none if it is not there.
    pub(crate) fn hashes(&self, level: u32, number: u64) -> Result<Option<Vec<Hash>>, TileError> {
        let mut bytes = Vec::new();
        if !self.read(&hashes_name(level, number), TILE_BYTES as u64, &mut bytes)? {
            return Ok(None);
        }
        let (hashes, rest) = bytes.as_chunks::<32>();
        if bytes.len() == TILE_BYTES && rest.is_empty() { Ok(Some(hashes.to_vec())) } else { Err(Reason::TileLength.into()) }
    }

    /// Reads a bundle of entries into `bundle`; returns whether it is there.
    pub(crate) fn bundle(&self, number: u64, bundle: &mut Bundle) -> Result<bool, TileError> {
        if !self.read(&bundle_name(number), BUNDLE_FILE_BYTES_MAX, &mut bundle.file)? {
            return Ok(false);
        }
        gzip::decode(&bundle.file, &mut bundle.bytes, BUNDLE_BYTES_MAX).map_err(|error| match error {
            GzipError::Header => Reason::BundleHeader,
            GzipError::Stream => Reason::BundleStream,
            GzipError::Checksum => Reason::BundleChecksum,
            GzipError::Trailing => Reason::BundleTrailing,
        })?;
        if bundle.entries().count() as u64 != TILE_WIDTH || bundle.rest() > 0 {
            return Err(Reason::BundleEntries.into());
        }
        Ok(true)
    }

    /// Reads at most one byte more than `bytes_max`; returns whether the file is there.
    fn read(&self, name: &str, bytes_max: u64, bytes: &mut Vec<u8>) -> Result<bool, TileError> {
        let path = self.directory.join(name);
        bytes.clear();
        // A pipe or device could be read for ever.
        match path.metadata() {
            Ok(found) if found.is_file() => {}
            Ok(_) => return Err(Reason::StrayFile.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(TileError::Unreadable(Error::io("inspect", &path)(error))),
        }
        let opened = File::open(&path).map_err(|error| TileError::Unreadable(Error::io("open", &path)(error)))?;
        opened.take(bytes_max + 1).read_to_end(bytes).map_err(|error| TileError::Unreadable(Error::io("read", &path)(error)))?;
        Ok(true)
    }
}

/// The entries of a full tile. Kept from one to the next, so that nothing is allocated anew.
#[derive(Default)]
pub(crate) struct Bundle {
    file: Vec<u8>,
    bytes: Vec<u8>,
}

impl Bundle {
    /// Its entries.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let entry;
            (entry, rest) = split(rest)?;
            Some(entry)
        })
    }

    /// How many bytes follow the last whole entry.
    fn rest(&self) -> usize {
        self.bytes.len() - self.entries().map(|entry| entry.len() + 2).sum::<usize>()
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length > ENTRY_BYTES_MAX { None } else { rest.split_at_checked(length) }
}

/// The name of a tile of hashes below the log's directory.
pub(crate) fn hashes_name(level: u32, number: u64) -> String {
    format!("tile/{level}/{}", path(number))
}

/// The name of a bundle below the log's directory.
pub(crate) fn bundle_name(number: u64) -> String {
    format!("tile/entries/{}.gz", path(number))
}

/// A number in groups of three digits, all but the last with an `x` before them.
fn path(number: u64) -> String {
    let last = format!("{:03}", number % 1000);
    let mut rest = number / 1000;
    let mut path = last;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The number of which `text` is the path, in its one spelling.
pub(crate) fn parse_path(text: &str) -> Option<u64> {
    let digits: String = text.split('/').map(|part| part.strip_prefix('x').unwrap_or(part)).collect();
    let number = digits.parse().ok()?;
    (path(number) == text).then_some(number)
}
