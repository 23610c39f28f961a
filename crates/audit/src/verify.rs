use crate::{
    Error, KEY_FILE, PublicKey, Reason,
    chain::Chain,
    hex,
    line::{LINE_BYTES_MAX, Line, read_line},
    meaning::{Fact, Story},
    verification::{BadRecord, KeySource, Proven, SealingKey, Standing, Tail, Verification},
};
use schema::Timestamp;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// A log's name in its directory.
pub const LOG_FILE: &str = "log.jsonl";
/// Most records in one batch, and so the most without a seal.
pub const BATCH_RECORDS_MAX: usize = 8192;

/// A sealed record that someone noted elsewhere, as an earlier check printed it. A log that was cut off or written anew since then does
/// not have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its index.
    pub index: u64,
    /// Its hash, 64 lower-case hex digits.
    pub hash: String,
}

impl Head {
    /// Reads `INDEX:HASH`.
    pub fn parse(text: &str) -> Option<Self> {
        let (index, hash) = text.split_once(':')?;
        hex::decode::<32>(hash)?;
        Some(Self { index: index.parse().ok()?, hash: hash.to_owned() })
    }
}

/// Checks a log, given its directory or its file: every line's form, place, link, hash, event and seal, and what the events say together.
/// Reads it once, line by line. Without `trusted_key`, the key beside the log is used, and the result says so.
///
/// # Errors
/// If the log or the key cannot be read. A log that does not hold is a result, not an error.
pub fn verify(directory_or_file: &Path, trusted_key: Option<PublicKey>) -> Result<Verification, Error> {
    verify_against(directory_or_file, trusted_key, None)
}

/// As [`verify`], and the log must still have the record that was noted as `head`.
///
/// # Errors
/// As [`verify`].
pub fn verify_against(directory_or_file: &Path, trusted_key: Option<PublicKey>, head: Option<&Head>) -> Result<Verification, Error> {
    let path = if directory_or_file.is_dir() { directory_or_file.join(LOG_FILE) } else { directory_or_file.to_path_buf() };
    // A pipe or device could be read only once, or for ever.
    if !path.is_file() {
        return Err(Error::NoLog { path });
    }
    let (key, source) = match trusted_key {
        Some(key) => (key, KeySource::Given),
        None => (key_beside(&path)?, KeySource::BesideLog),
    };
    let mut reader = BufReader::with_capacity(1 << 16, File::open(&path).map_err(Error::io("open", &path))?);
    let walk = Walk::new(&key, head);
    let walk = walk.read_all(&mut reader).map_err(Error::io("read", &path))?;
    Ok(walk.finish(path, SealingKey { id: key.id().to_owned(), public_key: key.to_hex(), source }))
}

fn key_beside(log: &Path) -> Result<PublicKey, Error> {
    let path = log.with_file_name(KEY_FILE);
    if path.is_file() { PublicKey::read(&path) } else { Err(Error::NoKey { path }) }
}

/// Where a line stands.
#[derive(Clone, Copy)]
struct Place {
    index: u64,
    line: u64,
    offset: u64,
}

/// A record whose batch is not sealed yet.
struct Waiting {
    place: Place,
    time: Timestamp,
    fact: Fact,
}

struct Walk<'a> {
    key: &'a PublicKey,
    head: Option<&'a Head>,
    chain: Chain,
    story: Story,
    waiting: Vec<Waiting>,
    proven: Option<Proven>,
    bad: Option<BadRecord>,
    line: u64,
    /// Bytes before the line at hand.
    offset: u64,
    ends_within_line: bool,
}

impl<'a> Walk<'a> {
    fn new(key: &'a PublicKey, head: Option<&'a Head>) -> Self {
        Self {
            key,
            head,
            chain: Chain::new(),
            story: Story::default(),
            waiting: Vec::new(),
            proven: None,
            bad: None,
            line: 0,
            offset: 0,
            ends_within_line: false,
        }
    }

    /// Reads lines up to the end or the first bad record.
    fn read_all(mut self, reader: &mut impl BufRead) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        while self.bad.is_none() {
            let length = read_line(reader, &mut bytes)?;
            if length == 0 {
                break;
            }
            self.line += 1;
            if let Some(line) = bytes.strip_suffix(b"\n") {
                self.take(line, length as u64);
            } else if length < LINE_BYTES_MAX {
                self.ends_within_line = true;
            } else {
                self.refuse(self.place(), Reason::LineTooLong);
            }
            self.offset += length as u64;
        }
        if let Some(head) = self.head.filter(|head| self.bad.is_none() && self.proven_records() <= head.index) {
            let place = Place { index: self.chain.next_index(), line: self.line + 1, offset: self.offset };
            self.refuse(place, Reason::Shorter { expected: head.index });
        }
        Ok(self)
    }

    fn take(&mut self, bytes: &[u8], length: u64) {
        let place = self.place();
        match self.check(bytes, place) {
            Err(reason) => self.refuse(place, reason),
            Ok(None) => {}
            Ok(Some(sealed)) => self.settle(Proven { bytes: self.offset + length, ..sealed }),
        }
    }

    /// Checks one line. Returns what is proven if it is sealed.
    fn check(&mut self, bytes: &[u8], place: Place) -> Result<Option<Proven>, Reason> {
        let line = Line::parse(bytes)?;
        let is_sealed = self.chain.take(&line, self.key)?;
        let fact = Fact::from(line.event()?);
        if self.head.is_some_and(|head| head.index == place.index && head.hash != line.hash.as_str()) {
            return Err(Reason::Head);
        }
        self.waiting.push(Waiting { place, time: line.time, fact });
        if !is_sealed && self.waiting.len() >= BATCH_RECORDS_MAX {
            return Err(Reason::NoSeal { bound: BATCH_RECORDS_MAX });
        }
        let first_time = self.proven.as_ref().map(|proven| proven.first_time);
        Ok(is_sealed.then(|| Proven {
            records: place.index + 1,
            last_index: place.index,
            last_hash: line.hash.as_str().to_owned(),
            bytes: 0,
            first_time: first_time.or_else(|| self.waiting.first().map(|first| first.time)).unwrap_or(line.time),
            last_time: line.time,
        }))
    }

    /// A batch is sealed: only now do its events count.
    fn settle(&mut self, proven: Proven) {
        for Waiting { place, time, fact } in std::mem::take(&mut self.waiting) {
            if let Err(reason) = self.story.take(place.index, time, fact) {
                return self.refuse(place, reason);
            }
        }
        self.proven = Some(proven);
    }

    fn place(&self) -> Place {
        // The chain has not moved if this line turns out bad, and has moved past it otherwise.
        Place { index: self.chain.next_index(), line: self.line, offset: self.offset }
    }

    fn refuse(&mut self, Place { index, line, offset }: Place, reason: Reason) {
        self.bad = Some(BadRecord { index, line, offset, reason });
    }

    fn proven_records(&self) -> u64 {
        self.proven.as_ref().map_or(0, |proven| proven.records)
    }

    fn finish(self, log: PathBuf, key: SealingKey) -> Verification {
        let sealed_bytes = self.proven.as_ref().map_or(0, |proven| proven.bytes);
        let has_tail = self.bad.is_none() && self.offset > sealed_bytes;
        let unsealed = has_tail.then(|| Tail {
            records: self.waiting.len() as u64,
            bytes: self.offset - sealed_bytes,
            ends_within_line: self.ends_within_line,
        });
        let standing = match (&self.bad, &unsealed, &self.proven) {
            (Some(_), _, _) => Standing::Broken,
            (None, Some(_), _) => Standing::UnsealedTail,
            (None, None, None) => Standing::Empty,
            (None, None, Some(_)) => Standing::Verified,
        };
        Verification { log, standing, key, proven: self.proven, unsealed, first_bad: self.bad, meaning: self.story.finish() }
    }
}
