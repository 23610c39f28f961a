//! What a user does with kept states: look, bring back, commit, discard.

mod commit;
mod comparison;
mod rollback;

pub use comparison::{Comparison, Shown, Side};
pub(super) use rollback::method;

use super::compare::{Change, Difference, changes};
use super::entry::{Entry, Kind};
use super::manifest::Manifest;
use super::objects;
use super::record::{Act, Deed, Record};
use super::stage::Layer;
use super::store::{Hold, Kept, Store};
use super::take::{Bounds, Taken, Wish, take};
use super::tree::Tree;
use super::{Digest, Error, shown};
use crate::claim::{Claim, Use};
use crate::session::SessionClock;
use crate::{Account, Directories};
use schema::SessionId;
use schema::event::ActPhase;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Most entries of a workspace that is brought back: an agent may have made many.
const ENTRIES_MAX: u64 = 4_000_000;
/// Most bytes that are copied so that an act can be undone.
const UNDO_BYTES_MAX: u64 = 1 << 40;
/// Most paths that a message names.
const LISTED_MAX: usize = 10;

/// Who acts, and where states and logs are.
#[derive(Clone)]
pub struct Desk {
    /// Where states and logs are kept.
    pub directories: Directories,
    /// Who acts.
    pub account: Account,
    /// The time.
    pub clock: SessionClock,
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Only these paths and what is below them, in the workspace or relative to it; all if there are none.
    pub paths: Vec<PathBuf>,
    /// Whether later changes of others are overwritten.
    pub force: bool,
    /// Whether nothing is changed.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Done {
    /// The workspace.
    pub workspace: PathBuf,
    /// Paths that were changed, with what became of each.
    pub changes: Vec<(PathBuf, Difference)>,
    /// Paths that others changed since, and that a dry run would need `force` for.
    pub conflicts: Vec<PathBuf>,
    /// Under which id the state before is kept.
    pub undo: Option<SessionId>,
    /// Whether the session's end is known, so that later changes of others can be told from its own.
    pub has_end: bool,
}

impl Desk {
    /// The store of kept states.
    pub fn store(&self) -> Store {
        Store::new(self.directories.snapshots())
    }

    /// The state with this id.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn kept(&self, id: &str) -> Result<Kept, Error> {
        self.store().kept(id)
    }

    /// Takes away what a staged session wrote.
    ///
    /// # Errors
    /// [`Error::Nothing`] if nothing is staged, or if its log is gone: what is not recorded is not done. [`Error::InUse`] while the
    /// session runs.
    pub fn discard(&self, id: &str) -> Result<(), Error> {
        let store = self.store();
        let kept = store.kept(id)?;
        let _hold = kept.hold()?;
        if !kept.is_waiting() {
            return Err(Error::Nothing { id: id.to_owned(), problem: "nothing of it waits to be committed or discarded" });
        }
        if kept.before().is_some() && kept.end().is_none() {
            let problem = "its commit was begun and not finished: commit it again, then roll it back if it is not wanted";
            return Err(Error::Nothing { id: id.to_owned(), problem });
        }
        let mut record = Record::open(&self.directories, &kept.facts.session_id, self.account.name.clone(), self.clock.clone())?;
        record.confirm(kept.facts.manifest)?;
        let upper = Tree::open_for_repair(&kept.upper())?;
        let base = store.manifest(&kept.id, kept.facts.manifest)?;
        let target = Layer::read(&upper)?.over(&base);
        let dropped = changes(&base, &target, &mut |_, one, other| one.size() == other.size() && one.modified == other.modified);
        let paths = dropped.iter().filter(|change| change.difference != Difference::Time).count() as u64;
        let list = Digest::of(target.encode().as_bytes());
        let deed = Deed { act: Act::Discard, paths, manifest: kept.facts.manifest, kept: list, forced: false };
        record.append(deed, ActPhase::Begun)?;
        clear_stage(&kept)?;
        record.append(deed, ActPhase::Done)
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("directories", &self.directories).field("account", &self.account).finish_non_exhaustive()
    }
}

/// Takes hold of a state, and keeps its content from being taken away.
fn hold(store: &Store, kept: &Kept) -> Result<[Hold; 2], Error> {
    Ok([kept.hold()?, store.share()?])
}

/// Takes a workspace that is about to be changed, so that no session starts in it meanwhile and none runs there.
fn claim(desk: &Desk, kept: &Kept) -> Result<Claim, Error> {
    let workspace = std::fs::canonicalize(&kept.facts.workspace).map_err(Error::io("find", &kept.facts.workspace))?;
    Ok(Claim::take(&desk.directories, &workspace, &kept.id, Use::Alone)?)
}

/// Takes a staged session's layer away, whatever modes its agent set.
pub(super) fn clear_stage(kept: &Kept) -> Result<(), Error> {
    let tree = Tree::open_for_repair(&kept.folder)?;
    // The upper folder last: as long as it stands, there is something to discard.
    for name in ["work", "upper"] {
        if tree.entry(Path::new(name))?.is_some() {
            let folder = tree.folder(Path::new(""))?;
            super::restore::remove_all(std::os::fd::AsFd::as_fd(&folder), name.as_ref())
                .map_err(Error::errno("remove", &kept.folder.join(name)))?;
        }
    }
    Ok(())
}

/// Which of the changes are asked for.
fn select(workspace: &Path, order: &Order, changes: &[Change]) -> Result<BTreeSet<PathBuf>, Error> {
    let asked = order.paths.iter().map(|path| inside(workspace, path)).collect::<Result<Vec<_>, _>>()?;
    let is_asked = |path: &Path| asked.is_empty() || asked.iter().any(|one| path.starts_with(one));
    let mut selected: BTreeSet<PathBuf> =
        changes.iter().filter(|change| is_asked(&change.path)).map(|change| change.path.clone()).collect();
    // What is asked for needs the folders above it, where they are gone.
    let above = changes.iter().filter(|change| matches!(change.difference, Difference::Added | Difference::Retyped));
    let above: Vec<PathBuf> =
        above.filter(|change| selected.iter().any(|path| path.starts_with(&change.path))).map(|change| change.path.clone()).collect();
    selected.extend(above);
    Ok(selected)
}

/// A path that a user gave, as a path in the workspace.
fn inside(workspace: &Path, path: &Path) -> Result<PathBuf, Error> {
    let relative = if path.is_absolute() { path.strip_prefix(workspace).ok() } else { Some(path) };
    let plain = relative.filter(|path| path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)));
    let plain = plain.ok_or_else(|| Error::Nothing { id: shown(path), problem: "it is not a path in the workspace" })?;
    Ok(plain.components().filter(|part| matches!(part, Component::Normal(_))).collect())
}

/// Whether a path is as it was, or as it is to be, or on the way from the one to the other.
fn is_expected(now: Option<&Entry>, before: Option<&Entry>, target: Option<&Entry>) -> bool {
    let Some(now) = now else {
        // What becomes another kind of thing is away in between.
        return before.zip(target).is_none_or(|(before, target)| before.kind_letter() != target.kind_letter());
    };
    let Some((one, other)) = before.or(target).zip(target.or(before)) else { return false };
    if now.looks_like(one) || now.looks_like(other) {
        return true;
    }
    let is_either = |one: bool, other: bool| one || other;
    let modes = [one.mode, other.mode, other.mode | 0o600];
    matches!(now.kind, Kind::File { .. })
        && is_either(now.size() == one.size(), now.size() == other.size())
        && is_either(now.modified == one.modified, now.modified == other.modified)
        && modes.contains(&now.mode)
        && now.kind_letter() == one.kind_letter()
}

/// Refuses to overwrite what others changed.
fn refuse_conflicts(conflicts: &[PathBuf], since: &'static str) -> Result<(), Error> {
    if conflicts.is_empty() {
        return Ok(());
    }
    let listed = conflicts.iter().take(LISTED_MAX).map(|path| shown(path)).collect();
    Err(Error::Conflict { count: conflicts.len(), listed, since })
}

/// Whether a file of the tree still has this content.
pub(super) fn has_content(tree: &Tree, path: &Path, entry: &Entry) -> bool {
    let Some(digest) = entry.digest() else { return false };
    tree.file(path).is_ok_and(|mut file| objects::copy(&mut file, &mut std::io::sink()).is_ok_and(|found| found == digest))
}

/// The workspace as it is, with the content of some paths; for an undo, or with none to know later what others changed.
pub(super) fn take_now(tree: &Tree, store: &Store, known: &Manifest, is_wanted: &dyn Fn(&Path) -> bool) -> Result<Taken, Error> {
    let bounds = Bounds { entries_max: ENTRIES_MAX, bytes_max: UNDO_BYTES_MAX };
    take(tree, &store.objects, &Wish { known, is_wanted, bounds }, &mut |_, _| {})
}

/// What is to be done, without times.
fn listed(changes: &[Change], selected: &BTreeSet<PathBuf>) -> Vec<(PathBuf, Difference)> {
    let is_told = |change: &&Change| change.difference != Difference::Time;
    let mine = changes.iter().filter(|change| selected.contains(&change.path));
    mine.filter(is_told).map(|change| (change.path.clone(), change.difference)).collect()
}
