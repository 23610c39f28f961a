//! What a log holds when it is opened, and cutting off what a crash left after the last seal.

use crate::{
    Error, Keys, files,
    line::{Line, genesis, read_line},
};
use schema::{Digest, Event, Trust, seal_input};
use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::Path,
};

/// A log as it was found.
pub(crate) struct Found {
    /// Index of the record to come.
    pub(crate) next_index: u64,
    /// Hash of the last sealed record.
    pub(crate) previous: Digest,
    /// Bytes up to and including the last sealed record.
    pub(crate) sealed_bytes: u64,
    /// Bytes in the file.
    pub(crate) total_bytes: u64,
    /// Who keeps the record, as its last session says.
    pub(crate) trust: Trust,
}

/// Reads a whole log and checks every link and seal with our own key.
pub(crate) fn scan(file: &File, path: &Path, keys: &Keys) -> Result<Found, Error> {
    let mut reader = BufReader::with_capacity(1 << 16, file);
    reader.seek(SeekFrom::Start(0)).map_err(Error::io("read", path))?;
    let mut found = Found { next_index: 0, previous: genesis(), sealed_bytes: 0, total_bytes: 0, trust: Trust::SelfKept };
    let (mut index, mut previous) = (0, genesis());
    let mut broken_at = None;
    let mut bytes = Vec::new();
    for number in 1.. {
        let length = read_line(&mut reader, &mut bytes).map_err(Error::io("read", path))?;
        if length == 0 {
            break;
        }
        found.total_bytes += length as u64;
        let line = bytes.ends_with(b"\n").then(|| serde_json::from_slice::<Line<'_>>(&bytes).ok()).flatten();
        let fits = line.as_ref().filter(|line| broken_at.is_none() && line.follows(index, &previous));
        if fits.is_none() {
            broken_at.get_or_insert(number);
        }
        let sealed = line.as_ref().and_then(|line| line.seal.as_ref().map(|seal| (line, seal)));
        if let Some((line, seal)) = sealed {
            // A seal after a break, or one that fails, is no torn write: someone changed the log. Leave it as it is.
            if fits.is_none() || !keys.verifies(&seal_input(line.index, &line.hash), seal) {
                return Err(Error::Damaged { path: path.to_path_buf(), line: broken_at.unwrap_or(number) });
            }
        }
        let Some(line) = fits else { continue };
        index += 1;
        previous = line.hash.clone();
        if let Some(trust) = trust(line) {
            found.trust = trust;
        }
        if sealed.is_some() {
            found.next_index = index;
            found.previous = previous.clone();
            found.sealed_bytes = found.total_bytes;
        }
    }
    Ok(found)
}

/// Moves what stands after the last seal to a file of its own, so that nothing is destroyed. Returns how many bytes were moved and are not
/// on record yet: also those of a recovery that was itself cut short.
pub(crate) fn cut_tail(file: &File, directory: &Path, path: &Path, found: &Found) -> Result<u64, Error> {
    let name = format!("cut-{}", found.next_index);
    let moved_before = match std::fs::symlink_metadata(directory.join(&name)) {
        Ok(facts) => facts.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(error) => return Err(Error::io("inspect", &directory.join(&name))(error)),
    };
    let tail_bytes = found.total_bytes - found.sealed_bytes;
    if tail_bytes > 0 {
        let mut reader = file;
        reader.seek(SeekFrom::Start(found.sealed_bytes)).map_err(Error::io("read", path))?;
        let mut tail = Vec::new();
        reader.take(TAIL_BYTES_KEPT_MAX).read_to_end(&mut tail).map_err(Error::io("read", path))?;
        // If it is there already, what stands here now is the same, or the torn record of that recovery.
        files::write_new(directory, &name, &tail)?;
        files::sync_directory(directory)?;
        file.set_len(found.sealed_bytes).and_then(|()| file.sync_all()).map_err(Error::io("cut the unsealed tail of", path))?;
    }
    Ok(tail_bytes.max(moved_before))
}

/// Most bytes of a cut tail that are kept: more than the largest batch that events of ordinary size make.
const TAIL_BYTES_KEPT_MAX: u64 = 64 * 1024 * 1024;

fn trust(line: &Line<'_>) -> Option<Trust> {
    match serde_json::from_str(line.event.get()) {
        Ok(Event::SessionStarted(event)) => Some(event.subject.trust),
        _ => None,
    }
}
