//! Takes the state of a workspace.

use super::Error;
use super::entry::{Digest, Entry, Kind};
use super::manifest::Manifest;
use super::objects::{Intake, Method, Objects};
use super::tree::{Tree, stamp};
use super::walk::walk;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes of a block as stat(2) counts them.
const BLOCK_BYTES: u64 = 512;
/// How often a file is read that changes while it is read.
const READS_MAX: usize = 4;

/// The most that is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) entries_max: u64,
    /// Of content that must be copied; what the file system shares costs nothing.
    pub(super) bytes_max: u64,
}

/// Told of the bytes that were read so far, and of those there are to read.
pub(super) type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// A state, with its content in the store and durable.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) manifest: Manifest,
    pub(super) digest: Digest,
    pub(super) method: Option<Method>,
}

/// Which content is wanted, and what is known of it already.
pub(super) struct Wish<'a> {
    /// An earlier state whose content is in the store.
    pub(super) known: &'a Manifest,
    pub(super) is_wanted: &'a dyn Fn(&Path) -> bool,
    pub(super) bounds: Bounds,
}

/// Takes a state.
///
/// # Errors
/// [`Error::NotKept`] if it is more than the bounds, or changes while it is read; [`Error::Io`] if something cannot be read.
pub(super) fn take(tree: &Tree, objects: &Objects, wish: &Wish<'_>, progress: Progress<'_>) -> Result<Taken, Error> {
    let mut manifest = walk(tree, wish.known, wish.bounds.entries_max)?;
    let is_new = |path: &Path, entry: &Entry| matches!(entry.kind, Kind::File { digest: None, .. }) && (wish.is_wanted)(path);
    let all = manifest.entries.iter();
    let new: Vec<(PathBuf, Entry)> =
        all.filter(|(path, entry)| is_new(path, entry)).map(|(path, entry)| (path.clone(), entry.clone())).collect();
    let mut intake = objects.intake();
    let total = refuse_too_large(tree, &new, &mut intake, wish.bounds.bytes_max)?;
    let mut done = 0;
    for (path, entry) in new {
        done += entry.size();
        let entry = read(tree, &path, entry, &mut intake)?;
        manifest.entries.insert(path, entry);
        progress(done, total);
    }
    let method = intake.method();
    let digest = intake.add_bytes(manifest.encode().as_bytes()).map_err(unstored)?;
    intake.sync().map_err(unstored)?;
    Ok(Taken { manifest, digest, method })
}

/// The bytes there are to read, unless they are too many to be copied.
fn refuse_too_large(tree: &Tree, new: &[(PathBuf, Entry)], intake: &mut Intake<'_>, bytes_max: u64) -> Result<u64, Error> {
    let total = new.iter().fold(0_u64, |total, (_, entry)| total.saturating_add(entry.size()));
    let Some((largest, _)) = new.iter().max_by_key(|(_, entry)| entry.size()).filter(|_| total > bytes_max) else { return Ok(total) };
    if intake.can_share(&tree.file(largest)?).map_err(unstored)? {
        return Ok(total);
    }
    // A file with holes costs less than its size says.
    let mut stored: u64 = 0;
    for (path, _) in new {
        let facts = tree.file(path)?.metadata().map_err(Error::io("look at", &tree.host(path)))?;
        stored = stored.saturating_add(facts.blocks().saturating_mul(BLOCK_BYTES).min(facts.len()));
    }
    if stored <= bytes_max {
        return Ok(total);
    }
    let reason = format!(
        "{stored} bytes would have to be copied, and `session.snapshot.bytes_max` allows {bytes_max}: use --stage, which copies nothing, \
         a smaller workspace, or raise the key"
    );
    Err(Error::NotKept { reason })
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unstored(error: std::io::Error) -> Error {
    Error::NotKept { reason: format!("it cannot be written into the state folder ({error}): make room there, then try again") }
}

/// Keeps a file's content; the result says what was kept, and which file that was.
fn read(tree: &Tree, path: &Path, mut entry: Entry, intake: &mut Intake<'_>) -> Result<Entry, Error> {
    let host = tree.host(path);
    for _ in 0..READS_MAX {
        let file = tree.file(path)?;
        let before = rustix::fs::fstat(&file).map_err(Error::errno("look at", &host))?;
        let size = u64::try_from(before.st_size).unwrap_or(0);
        let digest = intake.add(&file, size).map_err(unstored)?;
        let after = rustix::fs::fstat(&file).map_err(Error::errno("look at", &host))?;
        let is_same = |stat: &rustix::fs::Stat| stamp(stat) == stamp(&before) && stat.st_size == before.st_size;
        if !is_same(&after) {
            continue;
        }
        if stamp(&before) != entry.stamp {
            let Some(found) = tree.entry(path)? else { continue };
            if found.stamp != stamp(&before) {
                continue;
            }
            // A mode that was changed so that the file could be read is not the file's own.
            entry = Entry { mode: entry.mode, ..found };
        }
        entry.kind = Kind::File { size, digest: Some(digest) };
        return Ok(entry);
    }
    let reason = format!("{} is being changed all the time: stop the program that writes it, or use --stage", super::shown(&host));
    Err(Error::NotKept { reason })
}
