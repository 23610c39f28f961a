//! Entries and hashes at rest, in the form of C2SP tlog-tiles: full tiles only. What is not in a full tile yet is in the live file.

use crate::{
    Error,
    tree::{Frontier, Hash, root_of},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use std::{
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};

mod deriver;
mod gatherer;
mod index;

use deriver::Deriver;
pub(crate) use gatherer::Gatherer;
pub(crate) use index::Index;

/// Hashes in a full tile, entries in a full bundle.
pub(crate) const WIDTH: usize = 256;
const HASH_BYTES: usize = 32;
/// A tile spans this many levels of the tree.
pub(crate) const HEIGHT: u32 = 8;
/// Levels of tiles that are looked for: more than 2^64 entries have.
const LEVELS_MAX: u32 = 8;
/// Largest bundle: every entry as long as a length of 16 bits can say.
const BUNDLE_BYTES_MAX: u64 = WIDTH as u64 * (2 + u16::MAX as u64);

/// Entries on their way to a full bundle.
#[derive(Debug, Default)]
pub(crate) struct Bundle {
    /// Each entry after its length (16 bits, big-endian).
    pub(crate) entries: Vec<u8>,
    pub(crate) hashes: Vec<Hash>,
}

impl Bundle {
    /// Adds an entry; returns the bundle once it is full.
    pub(crate) fn add(&mut self, entry: &[u8], hash: Hash) -> Option<Self> {
        // An entry is shorter than the 51,200 bytes of a line.
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        self.entries.extend_from_slice(&length.to_be_bytes());
        self.entries.extend_from_slice(entry);
        self.hashes.push(hash);
        (self.hashes.len() == WIDTH).then(|| std::mem::take(self))
    }
}

/// Where a tile of hashes lies, from the log's directory.
fn tile_path(level: u32, number: u64) -> PathBuf {
    Path::new("tile").join(level.to_string()).join(number_path(number))
}

/// Where a bundle of entries lies, from the log's directory.
fn bundle_path(number: u64) -> PathBuf {
    let mut path = Path::new("tile/entries").join(number_path(number)).into_os_string();
    path.push(".gz");
    path.into()
}

/// `1234067` is `x001/x234/067`.
fn number_path(number: u64) -> PathBuf {
    let mut groups = vec![format!("{:03}", number % 1000)];
    let mut rest = number / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.iter().rev().collect()
}

/// Says that a bundle is not what it should be.
pub(crate) fn damaged(directory: &Path, number: u64) -> Error {
    Error::DamagedTile { path: directory.join(bundle_path(number)) }
}

/// The entries of a full bundle.
pub(crate) fn read_bundle(directory: &Path, number: u64) -> Result<Vec<Vec<u8>>, Error> {
    split(&bundle_bytes(directory, number)?).ok_or_else(|| damaged(directory, number))
}

/// The entries of a full bundle, each after its length.
fn bundle_bytes(directory: &Path, number: u64) -> Result<Vec<u8>, Error> {
    let path = directory.join(bundle_path(number));
    let file = File::open(&path).map_err(Error::io("open", &path))?;
    let mut bytes = Vec::new();
    GzDecoder::new(file).take(BUNDLE_BYTES_MAX).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
    Ok(bytes)
}

fn split(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::with_capacity(WIDTH);
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    (bytes.is_empty() && entries.len() == WIDTH).then_some(entries)
}

fn compress(entries: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(entries.len() / 4), Compression::default());
    encoder.write_all(entries)?;
    encoder.finish()
}

pub(crate) fn read_tile(directory: &Path, level: u32, number: u64) -> Result<Vec<Hash>, Error> {
    let path = directory.join(tile_path(level, number));
    let mut bytes = Vec::new();
    let file = File::open(&path).map_err(Error::io("open", &path))?;
    file.take((WIDTH * HASH_BYTES + 1) as u64).read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if hashes.len() == WIDTH && rest.is_empty() { Ok(hashes.to_vec()) } else { Err(Error::DamagedTile { path }) }
}

/// The hashes of tiles that are still to be gathered into tiles one level up, by level; those of level 0 are in the live file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Partial {
    levels: Vec<Vec<Hash>>,
}

impl Partial {
    /// Of a log whose first `entries` entries, a multiple of 256, are in tiles.
    pub(crate) fn read(directory: &Path, entries: u64) -> Result<Self, Error> {
        let mut levels = Vec::new();
        let mut tiles = entries / WIDTH as u64;
        for level in 0..LEVELS_MAX {
            if tiles == 0 {
                break;
            }
            let full = tiles - tiles % WIDTH as u64;
            let tile_root = |number| read_tile(directory, level, number).map(|hashes| root_of(&hashes));
            let hashes: Result<Vec<_>, Error> = (full..tiles).map(tile_root).collect();
            levels.push(hashes?);
            tiles /= WIDTH as u64;
        }
        Ok(Self { levels })
    }

    /// The tree over all entries in tiles.
    pub(crate) fn frontier(&self) -> Frontier {
        let mut frontier = Frontier::default();
        for (hashes, height) in self.levels.iter().zip(1..).collect::<Vec<_>>().into_iter().rev() {
            for hash in hashes {
                frontier.append_subtree(height * HEIGHT, *hash);
            }
        }
        frontier
    }
}

#[cfg(test)]
mod tests;
