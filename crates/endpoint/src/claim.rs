//! A session's claim on its workspace. Two sessions that work in one folder, or in a folder and one below it, would race each other's
//! warden and spoil what is kept of the workspace.

use crate::Directories;
use crate::snapshot::shown;
use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;
use schema::{RefusalCode, SessionId};
use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Most claims of one user at once.
const CLAIMS_MAX: usize = 4096;
/// Largest file of a claim: an id, a path and a number for each folder above it.
const CLAIM_BYTES_MAX: u64 = 256 * 1024;
/// Held while claims are looked through and one is added.
const LOCK: &str = "lock";

/// How a workspace is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// It is changed.
    Alone,
    /// It is only read: what is written lies in a layer of the session's own.
    Layered,
}

impl Use {
    const fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Layered => "layered",
        }
    }
}

/// Why a workspace could not be claimed.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another session, rollback or commit uses it, or a folder above or below it.
    #[error(
        "{code}: {} is in use: {holder} works in {held}; wait for its end, take a folder that is neither above nor below it (`git worktree` \
         makes one), or run both with --stage",
        shown(workspace),
        code = RefusalCode::WorkspaceInUse
    )]
    InUse {
        /// The folder that was asked for.
        workspace: PathBuf,
        /// The other's session and process.
        holder: String,
        /// The other's folder, fit to print.
        held: String,
    },
    /// The system refused.
    #[error("cannot {attempt}: {source}; check who owns the state folder, and that it has room")]
    System {
        /// What was attempted.
        attempt: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder's device and inode, and those of all folders above it.
type Chain = Vec<(u64, u64)>;

/// Held as long as the workspace is used; a process that is killed gives it up.
#[derive(Debug)]
pub(crate) struct Claim {
    _file: File,
    path: PathBuf,
}

impl Claim {
    /// Claims a workspace, which is a path without links.
    ///
    /// # Errors
    /// [`ClaimError::InUse`] if it overlaps with another one that is in use.
    pub(crate) fn take(directories: &Directories, workspace: &Path, id: &SessionId, how: Use) -> Result<Self, ClaimError> {
        let failed = |attempt| move |source| ClaimError::System { attempt, source };
        let folder = directories.workspaces();
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed("make the folder of claims on workspaces"))?;
        let chain = chain(workspace).map_err(failed("look at the folders above the workspace"))?;
        let lock = create(&folder.join(LOCK)).map_err(failed("open the lock of claims on workspaces"))?;
        rustix::io::retry_on_intr(|| flock(&lock, FlockOperation::LockExclusive))
            .map_err(|errno| failed("lock the claims on workspaces")(errno.into()))?;
        if let Some(other) = overlapping(&folder, &chain, how).map_err(failed("look through the claims on workspaces"))? {
            return Err(ClaimError::InUse { workspace: workspace.to_owned(), holder: other.holder, held: other.held });
        }
        let path = folder.join(format!("{id}-{}", std::process::id()));
        let added = create(&path).and_then(|mut file| {
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(&print(workspace, id, how, &chain))?;
            Ok(file)
        });
        let file = added.map_err(failed("write a claim on the workspace"))?;
        Ok(Self { _file: file, path })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Without its lock it is none: whoever comes next takes it away.
        let _left = std::fs::remove_file(&self.path);
    }
}

/// What the file of a claim says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    holder: String,
    held: String,
    how: Use,
    chain: Chain,
}

impl Said {
    fn overlaps(&self, chain: &Chain, how: Use) -> bool {
        let both_layered = how == Use::Layered && self.how == Use::Layered;
        let is_in = |inner: &Chain, outer: &Chain| outer.first().is_some_and(|own| inner.contains(own));
        !both_layered && (is_in(chain, &self.chain) || is_in(&self.chain, chain))
    }
}

/// The first claim that overlaps; those that nobody holds any more are taken away.
fn overlapping(folder: &Path, chain: &Chain, how: Use) -> io::Result<Option<Said>> {
    for (count, entry) in std::fs::read_dir(folder)?.enumerate() {
        if count > CLAIMS_MAX {
            return Err(io::Error::other(format!("there are more than {CLAIMS_MAX}: end some sessions")));
        }
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name == LOCK) {
            continue;
        }
        let held = held(&path)?;
        if let Some(other) = held.filter(|other| other.overlaps(chain, how)) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// What a claim says, if somebody holds it; else its file is taken away.
fn held(path: &Path) -> io::Result<Option<Said>> {
    let if_there = |error: io::Error| if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) };
    let file = match File::options().read(true).write(true).custom_flags(no_follow()).open(path) {
        Ok(file) => file,
        Err(error) => return if_there(error),
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => std::fs::remove_file(path).map(|()| None).or_else(if_there),
        Err(Errno::WOULDBLOCK) => {
            let mut text = String::new();
            file.take(CLAIM_BYTES_MAX).read_to_string(&mut text)?;
            let said = parse(&text);
            said.map(Some).ok_or_else(|| io::Error::other("one of them cannot be read: end this user's sessions, then try again"))
        }
        Err(errno) => Err(errno.into()),
    }
}

fn chain(path: &Path) -> io::Result<Chain> {
    path.ancestors().map(|folder| std::fs::metadata(folder).map(|facts| (facts.dev(), facts.ino()))).collect()
}

fn print(workspace: &Path, id: &SessionId, how: Use, chain: &Chain) -> Vec<u8> {
    let numbers: Vec<String> = chain.iter().map(|(device, inode)| format!("{device}:{inode}")).collect();
    format!("{id} process {}\n{}\n{} {}\n", std::process::id(), shown(workspace), how.name(), numbers.join(" ")).into_bytes()
}

fn parse(text: &str) -> Option<Said> {
    let mut lines = text.strip_suffix('\n')?.lines();
    let (holder, held, rest) = (lines.next()?.to_owned(), lines.next()?.to_owned(), lines.next()?);
    let mut words = rest.split(' ');
    let name = words.next()?;
    let how = [Use::Alone, Use::Layered].into_iter().find(|how| how.name() == name)?;
    let number = |word: &str| word.split_once(':').and_then(|(device, inode)| Some((device.parse().ok()?, inode.parse().ok()?)));
    let chain = words.map(number).collect::<Option<Chain>>()?;
    (!chain.is_empty()).then_some(Said { holder, held, how, chain })
}

fn create(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(no_follow()).open(path)
}

fn no_follow() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

#[cfg(test)]
mod tests;
