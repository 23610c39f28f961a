//! Bundles: chosen entries of logs with what proves that they stand there, for someone who has nothing else.
//!
//! A bundle is JSON Lines. Its first line is `{"format":"bailiwick-bundle-v1"}`. Each log in it begins with a line
//! `{"log":ORIGIN,"vkey":VKEY}`, then come, in the log's order, entries as they stand in the log and `{"skip":{"height":H,"hash":BASE64}}` for
//! each perfect subtree of 2^H entries that are not shown, and last its signed checkpoint over all of them.

use crate::{
    Error,
    line::Confirmed,
    live::LOG_FILE,
    log::VERIFIER_KEY_FILE,
    nodes::{Nodes, subtrees},
    note::Checkpoint,
    read::{Entries, last_checkpoint},
    tree::Hash,
};
use data_encoding::BASE64;
use schema::{Record, RequestId, SessionId, Timestamp};
use serde::Serialize;
use std::{io::Write, ops::Range, path::Path};

/// The first line's `format`.
const FORMAT: &str = "bailiwick-bundle-v1";

/// Which entries to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Of this session only.
    pub session: Option<SessionId>,
    /// Of this call only.
    pub request: Option<RequestId>,
    /// From this time on. Without a session or call all entries of the period are shown, and their neighbours, which prove that none is
    /// left out.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

/// What an export holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Logs with at least one entry that was chosen.
    pub logs: u64,
    /// Entries that are shown.
    pub shown: u64,
    /// Entries of those logs that are not.
    pub skipped: u64,
}

#[derive(Serialize)]
struct BundleHead {
    format: &'static str,
}

#[derive(Serialize)]
struct LogHead<'a> {
    log: &'a str,
    vkey: &'a str,
}

#[derive(Serialize)]
struct Skipped {
    skip: Skip,
}

#[derive(Serialize)]
struct Skip {
    height: u32,
    hash: String,
}

/// Writes the chosen entries of the logs in `directories` as a bundle.
///
/// # Errors
/// [`Error::Io`] for the logs and, as `write`, for `out`; [`Error::Damaged`], [`Error::DamagedTile`].
pub fn export(directories: &[impl AsRef<Path>], selection: &Selection, out: &mut impl Write) -> Result<Exported, Error> {
    let mut writing = Writing { out, exported: Exported::default() };
    writing.line(&BundleHead { format: FORMAT })?;
    for directory in directories {
        let directory = directory.as_ref();
        let mut nodes = Nodes::open(directory)?;
        let shown = choose(directory, nodes.size(), selection)?;
        if !shown.is_empty() {
            writing.log(directory, &mut nodes, &shown)?;
        }
    }
    writing.out.flush().map_err(Error::io("write", Path::new("the bundle")))?;
    Ok(writing.exported)
}

/// Proves that the entry at `index` is in the log in `directory`, in the form of C2SP tlog-proof: for any program that knows that form. The
/// entry itself is not part of it.
///
/// # Errors
/// [`Error::NoSuchEntry`], [`Error::Io`], [`Error::Damaged`], [`Error::DamagedTile`].
pub fn inclusion_proof(directory: &Path, index: u64) -> Result<String, Error> {
    let mut nodes = Nodes::open(directory)?;
    let size = nodes.size();
    let path: String = nodes.inclusion(index, size)?.iter().map(|hash| BASE64.encode(hash) + "\n").collect();
    Ok(format!("c2sp.org/tlog-proof@v1\nindex {index}\n{path}\n{}", last_checkpoint(directory, size)?))
}

/// The ranges of entries to show, in order, neither empty nor touching; none if nothing was chosen.
fn choose(directory: &Path, size: u64, selection: &Selection) -> Result<Vec<Range<u64>>, Error> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    // Every record is read: what is handed to others must not depend on an index, which nothing signs.
    for record in crate::read(directory)? {
        let record = record?;
        match ranges.last_mut() {
            _ if record.index >= size => break,
            _ if !selection.picks(&record) => {}
            Some(last) if last.end == record.index => last.end += 1,
            _ => ranges.push(record.index..record.index + 1),
        }
    }
    let (Some(first), Some(last)) = (ranges.first(), ranges.last()) else { return Ok(Vec::new()) };
    if selection.is_only_a_period() {
        // All between, whatever the clock said, and a neighbour on either side: nothing of the period can be missing.
        let all = first.start.saturating_sub(1)..size.min(last.end + 1);
        ranges.clear();
        ranges.push(all);
    }
    Ok(ranges)
}

impl Selection {
    fn is_only_a_period(&self) -> bool {
        self.session.is_none() && self.request.is_none()
    }

    /// Whether a record is chosen.
    pub(crate) fn picks(&self, record: &Record) -> bool {
        let in_time = self.from.is_none_or(|from| record.time >= from) && self.to.is_none_or(|to| record.time < to);
        let event = &record.event;
        let of_session = self.session.as_ref().is_none_or(|session| event.session_id() == Some(session));
        let of_request = self.request.as_ref().is_none_or(|request| event.request_id() == Some(request));
        in_time && of_session && of_request
    }
}

struct Writing<'a, W> {
    out: &'a mut W,
    exported: Exported,
}

impl<W: Write> Writing<'_, W> {
    fn log(&mut self, directory: &Path, nodes: &mut Nodes, shown: &[Range<u64>]) -> Result<(), Error> {
        let note = last_checkpoint(directory, nodes.size())?;
        let (checkpoint, _) = Checkpoint::parse(&note).ok_or_else(|| Error::Damaged { path: directory.join(LOG_FILE), line: 1 })?;
        let vkey = std::fs::read_to_string(directory.join(VERIFIER_KEY_FILE)).map_err(Error::io("read", directory))?;
        self.line(&LogHead { log: &checkpoint.origin, vkey: vkey.trim_end() })?;
        let mut entries = Entries::open(directory)?;
        let mut next = 0;
        for range in shown {
            self.skip(nodes, next..range.start)?;
            while let Some((index, entry)) = entries.next_entry()? {
                if range.contains(&index) {
                    self.bytes(entry)?;
                }
                if index + 1 == range.end {
                    break;
                }
            }
            self.exported.shown += range.end - range.start;
            next = range.end;
        }
        self.skip(nodes, next..nodes.size())?;
        self.exported.logs += 1;
        self.line(&Confirmed { checkpoint: note })
    }

    fn skip(&mut self, nodes: &mut Nodes, range: Range<u64>) -> Result<(), Error> {
        self.exported.skipped += range.end - range.start;
        for (height, number) in subtrees(range) {
            let hash: Hash = nodes.subtree(height, number)?;
            self.line(&Skipped { skip: Skip { height, hash: BASE64.encode(&hash) } })?;
        }
        Ok(())
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let line = serde_json::to_vec(line).map_err(|_| Error::Malformed)?;
        self.bytes(&line)
    }

    fn bytes(&mut self, line: &[u8]) -> Result<(), Error> {
        let written = self.out.write_all(line).and_then(|()| self.out.write_all(b"\n"));
        written.map_err(Error::io("write", Path::new("the bundle")))
    }
}

#[cfg(test)]
mod tests;
