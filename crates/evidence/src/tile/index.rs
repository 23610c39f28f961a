//! Which sessions a bundle of entries tells of, and of what time: derived from the entries, so that a search need not read all of them.
//!
//! One file for 256 bundles: how many of them it covers (2 bytes), the earliest and the latest time (8 bytes each), then for each session the
//! first 8 bytes of the SHA-256 of its id and a bit for each bundle (32 bytes), sorted; numbers are big-endian. A file that is missing or
//! behind only makes a search slower.

use super::{WIDTH, number_path, split};
use crate::{Error, files};
use aws_lc_rs::digest::{SHA256, digest};
use schema::{SessionId, Timestamp};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

const COUNT_BYTES: usize = 2;
const TIME_BYTES: usize = 8;
const HEAD_BYTES: usize = COUNT_BYTES + 2 * TIME_BYTES;
const NAME_BYTES: usize = 8;
const BITS_BYTES: usize = WIDTH / 8;
/// Most bytes of a file that are read: every entry of another session.
const FILE_BYTES_MAX: u64 = (HEAD_BYTES + WIDTH * WIDTH * (NAME_BYTES + BITS_BYTES)) as u64;

type Name = [u8; NAME_BYTES];
type Bits = [u8; BITS_BYTES];

/// The sessions of up to 256 bundles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    /// Bundles that it covers, from the first on.
    covered: usize,
    /// Earliest and latest time in them, milliseconds since 1970.
    times: Option<(u64, u64)>,
    sessions: BTreeMap<Name, Bits>,
}

impl Index {
    /// The index of the 256 bundles that begin with bundle 256 × `span`, as far as it was written.
    pub(crate) fn read(directory: &Path, span: u64) -> Self {
        Self::load(&directory.join(path(span))).unwrap_or_default()
    }

    fn load(path: &Path) -> Option<Self> {
        let length = std::fs::metadata(path).ok()?.len();
        let bytes = if length <= FILE_BYTES_MAX { std::fs::read(path).ok()? } else { return None };
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let (covered, times) = head.split_first_chunk::<COUNT_BYTES>()?;
        let (times, _) = times.as_chunks::<TIME_BYTES>();
        let covered = usize::from(u16::from_be_bytes(*covered));
        let [earliest, latest] = times else { return None };
        let times = (covered > 0).then(|| (u64::from_be_bytes(*earliest), u64::from_be_bytes(*latest)));
        let (records, rest) = rest.as_chunks::<{ NAME_BYTES + BITS_BYTES }>();
        let sessions = records.iter().map(|record| {
            let (name, bits) = record.split_first_chunk::<NAME_BYTES>()?;
            Some((*name, bits.try_into().ok()?))
        });
        let sessions = sessions.collect::<Option<BTreeMap<Name, Bits>>>()?;
        (rest.is_empty() && covered <= WIDTH).then_some(Self { covered, times, sessions })
    }

    /// Writes it. Not durable: it can be derived anew.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn write(&self, directory: &Path, span: u64) -> Result<(), Error> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.sessions.len() * (NAME_BYTES + BITS_BYTES));
        let (earliest, latest) = self.times.unwrap_or_default();
        bytes.extend(u16::try_from(self.covered).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(earliest.to_be_bytes());
        bytes.extend(latest.to_be_bytes());
        for (name, bits) in &self.sessions {
            bytes.extend(name);
            bytes.extend(bits);
        }
        let path = directory.join(path(span));
        files::private_directory(path.parent().unwrap_or(directory))?;
        files::replace(&path, &bytes)
    }

    /// Takes in the next bundle: entries, each after its length.
    pub(crate) fn add(&mut self, entries: &[u8]) {
        for entry in split(entries).unwrap_or_default() {
            if let Some(session) = value_of(&entry, b"\"session_id\":\"") {
                let bits = self.sessions.entry(name_of(session)).or_default();
                if let Some(byte) = bits.get_mut(self.covered / 8) {
                    *byte |= 1 << (self.covered % 8);
                }
            }
            if let Some(time) = value_of(&entry, b"{\"time\":").and_then(number) {
                let (earliest, latest) = self.times.unwrap_or((time, time));
                self.times = Some((earliest.min(time), latest.max(time)));
            }
        }
        self.covered += 1;
    }

    /// How many bundles it covers.
    pub(crate) fn covered(&self) -> usize {
        self.covered
    }

    /// Whether the bundle at place `bundle` of the 256 may hold an entry of `session`. What is not covered may hold anything.
    pub(crate) fn may_tell_of(&self, session: &SessionId, bundle: usize) -> bool {
        if bundle >= self.covered {
            return true;
        }
        let bits = self.sessions.get(&name_of(session.as_str().as_bytes()));
        bits.and_then(|bits| bits.get(bundle / 8)).is_some_and(|byte| byte & (1 << (bundle % 8)) != 0)
    }

    /// Whether all of its bundles lie outside of a period, as far as the log's clock tells.
    pub(crate) fn is_outside(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
        let Some((earliest, latest)) = self.times.filter(|_| self.covered == WIDTH) else { return false };
        from.is_some_and(|from| latest < from.unix_ms) || to.is_some_and(|to| earliest >= to.unix_ms)
    }
}

fn path(span: u64) -> PathBuf {
    Path::new("index").join(number_path(span))
}

fn name_of(session: &[u8]) -> Name {
    digest(&SHA256, session).as_ref().first_chunk().copied().unwrap_or_default()
}

/// What follows `key` in an entry, up to a quote or comma. Entries have one form, and no text of others that could look like a key.
fn value_of<'a>(entry: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = entry.windows(key.len()).position(|window| window == key)?;
    let rest = entry.get(at + key.len()..)?;
    rest.split(|byte| matches!(byte, b'"' | b',')).next()
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
