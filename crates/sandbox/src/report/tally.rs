//! What was refused and how often. The first of a kind is told at once, repetitions when their number has grown sixteenfold and at the end:
//! a flood of refusals costs few records, and each attempt is counted in one of them.

use super::{Journal, Report};
use crate::Error;
use crate::seccomp::Number;
use schema::event::FileMode;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// How many different refusals of files are told apart, and bytes of their paths; later ones are told together, at the root.
const FILES_MAX: usize = 16_384;
const PATHS_BYTES_MAX: usize = 4 << 20;
/// How many different system calls are told apart; later ones are told together.
const CALLS_MAX: usize = 4096;
/// By how much a number has grown when it is told again.
const GROWTH: u64 = 16;

/// A number of attempts, and how many of them are told.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    seen: u64,
    told: u64,
}

impl Tally {
    /// One more; how many are to be told now, if it is time.
    fn count(&mut self) -> Option<u64> {
        self.seen = self.seen.saturating_add(1);
        (self.seen / GROWTH >= self.told).then(|| self.untold())
    }

    fn untold(self) -> u64 {
        self.seen.saturating_sub(self.told)
    }
}

/// All that was refused in a session, by kind.
#[derive(Debug)]
pub(super) struct Refusals {
    files: HashMap<(PathBuf, FileMode, i32), Tally>,
    /// None stands for all that are not told apart.
    calls: BTreeMap<Option<Number>, Tally>,
    paths_bytes: usize,
    pub(super) files_max: usize,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { files: HashMap::new(), calls: BTreeMap::new(), paths_bytes: 0, files_max: FILES_MAX }
    }
}

impl Journal {
    /// Reports a refused file.
    pub(crate) fn refused(&mut self, path: &Path, mode: FileMode, errno: i32) -> Result<(), Error> {
        let refusals = &mut self.refusals;
        let mut key = (path.to_owned(), mode, errno);
        if !refusals.files.contains_key(&key) {
            let bytes = refusals.paths_bytes.saturating_add(path.as_os_str().len());
            if refusals.files.len() < refusals.files_max && bytes <= PATHS_BYTES_MAX {
                refusals.paths_bytes = bytes;
            } else {
                key.0 = PathBuf::from("/");
            }
        }
        let (path, tally) = (key.0.clone(), refusals.files.entry(key.clone()).or_default());
        let Some(attempts) = tally.count() else { return Ok(()) };
        self.send(Report::FileRefused { path, mode, errno, attempts })?;
        if let Some(tally) = self.refusals.files.get_mut(&key) {
            tally.told = tally.seen;
        }
        Ok(())
    }

    /// Reports a refused call.
    pub(crate) fn call(&mut self, number: Number) -> Result<(), Error> {
        let calls = &mut self.refusals.calls;
        // An agent cannot make the list grow past its bound by inventing numbers.
        let is_told_apart = calls.contains_key(&Some(number)) || calls.len() < CALLS_MAX;
        let key = is_told_apart.then_some(number);
        let Some(attempts) = calls.entry(key).or_default().count() else { return Ok(()) };
        self.send(Report::SystemCallRefused { name: name(key), attempts })?;
        if let Some(tally) = self.refusals.calls.get_mut(&key) {
            tally.told = tally.seen;
        }
        Ok(())
    }

    /// Reports what was counted and is not told yet.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        let mut refusals = std::mem::take(&mut self.refusals);
        for ((path, mode, errno), tally) in refusals.files.iter_mut().filter(|(_, tally)| tally.untold() > 0) {
            self.send(Report::FileRefused { path: path.clone(), mode: *mode, errno: *errno, attempts: tally.untold() })?;
            tally.told = tally.seen;
        }
        for (number, tally) in refusals.calls.iter_mut().filter(|(_, tally)| tally.untold() > 0) {
            self.send(Report::SystemCallRefused { name: name(*number), attempts: tally.untold() })?;
            tally.told = tally.seen;
        }
        self.refusals = refusals;
        Ok(())
    }

    /// In a copy of the warden: what was counted before is told by the warden itself.
    pub(crate) fn leave_counts(&mut self) {
        let calls = self.refusals.calls.values_mut();
        for tally in self.refusals.files.values_mut().chain(calls) {
            tally.told = tally.seen;
        }
    }
}

fn name(number: Option<Number>) -> String {
    number.map_or_else(|| "call_any".to_owned(), Number::name)
}

#[cfg(test)]
mod tests;
