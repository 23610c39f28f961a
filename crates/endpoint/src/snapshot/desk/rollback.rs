use super::{Desk, Done, Order, claim, has_content, hold, is_expected, listed, refuse_conflicts, select, take_now};
use crate::snapshot::compare::{Change, Difference, changes};
use crate::snapshot::entry::{Kind, Moment};
use crate::snapshot::manifest::Manifest;
use crate::snapshot::record::{Act, Deed, Record};
use crate::snapshot::restore::{Restore, is_partial};
use crate::snapshot::store::{Facts, Kept, Scene, Store};
use crate::snapshot::take::Taken;
use crate::snapshot::tree::Tree;
use crate::snapshot::walk::walk;
use crate::snapshot::{Digest, Error};
use schema::Token;
use schema::event::ActPhase;
use std::collections::BTreeSet;
use std::path::PathBuf;

impl Desk {
    /// Brings a workspace back to a kept state, whole or by path. The state before is kept, so that this can be undone. Cut short, the
    /// same call completes it.
    ///
    /// # Errors
    /// [`Error::Conflict`] if others changed since the session's end what would be overwritten; [`Error::Damaged`] if what was kept is
    /// not what the log says; [`Error::InUse`] while the session runs. Before the first change all of these are known.
    pub fn rollback(&self, id: &str, order: &Order) -> Result<Done, Error> {
        let store = self.store();
        let kept = store.kept(id)?;
        let _holds = hold(&store, &kept)?;
        let digest = target(&kept)?;
        let mut record = Record::open(&self.directories, &kept.facts.session_id, self.account.name.clone(), self.clock.clone())?;
        record.confirm(digest)?;
        let target = store.manifest(&kept.id, digest)?;
        let tree = Tree::open_for_repair(&kept.facts.workspace)?;
        let known = settled(&kept, &target);
        let current = walk(&tree, &known, super::ENTRIES_MAX)?;
        let changes = what_to_do(&tree, &current, &target);
        let selected = select(&kept.facts.workspace, order, &changes)?;
        let end = kept.end().map(|digest| store.manifest(&kept.id, digest)).transpose()?;
        let conflicts = end.as_ref().map(|end| conflicts(&selected, &current, end, &target)).unwrap_or_default();
        let mut done = Done {
            workspace: kept.facts.workspace.clone(),
            changes: listed(&changes, &selected),
            conflicts,
            undo: None,
            has_end: end.is_some(),
        };
        if order.dry_run || selected.is_empty() {
            return Ok(done);
        }
        let _claim = claim(self, &kept)?;
        if !order.force {
            refuse_conflicts(&done.conflicts, "after the session ended")?;
        }
        let before = take_now(&tree, &store, &known, &|path| selected.contains(path))?;
        let deed = Deed {
            act: Act::Restore,
            paths: done.changes.len() as u64,
            manifest: digest,
            kept: before.digest,
            forced: order.force && !done.conflicts.is_empty(),
        };
        let (undo, _undo_hold) = self.keep_for_undo(&store, &kept, &before)?;
        record.append(deed, ActPhase::Begun)?;
        let restore =
            Restore { tree: &tree, objects: &store.objects, current: &current, target: &target, is_whole: order.paths.is_empty() };
        restore.apply(&changes, &selected)?;
        let after = take_now(&tree, &store, &target, &|_| false)?;
        kept.set_end(after.digest)?;
        undo.set_end(after.digest)?;
        // An undo leaves the session's own state behind too: what it put there is no change of others.
        if let Ok(origin) = store.kept(kept.facts.session_id.as_str())
            && origin.id != kept.id
            && origin.end().is_some()
        {
            origin.set_end(after.digest)?;
        }
        record.append(deed, ActPhase::Done)?;
        done.undo = Some(undo.id);
        Ok(done)
    }

    fn keep_for_undo(&self, store: &Store, of: &Kept, before: &Taken) -> Result<(Kept, crate::snapshot::store::Hold), Error> {
        let id = crate::session::new_session_id().map_err(|_| Error::Evidence(evidence::Error::Random))?;
        let (files, bytes) = before.manifest.kept();
        let facts = Facts {
            scene: Scene::Rollback,
            taken: self.clock.now(),
            agent_id: Token::lossy("bailiwick"),
            method: method(before),
            files,
            bytes,
            manifest: before.digest,
            ..of.facts.clone()
        };
        store.create(id, facts)
    }
}

/// How content was kept, as records say it.
pub(in crate::snapshot) fn method(taken: &Taken) -> Token {
    use crate::snapshot::objects::Method;
    Token::lossy(match taken.method {
        Some(Method::Reflink) => "reflink",
        Some(Method::Copy) => "copy",
        None => "unchanged",
    })
}

/// The state that a rollback brings back.
pub(super) fn target(kept: &Kept) -> Result<Digest, Error> {
    let nothing = |problem| Error::Nothing { id: kept.id.to_string(), problem };
    match kept.facts.scene {
        Scene::Live | Scene::Rollback => Ok(kept.facts.manifest),
        Scene::Staged => {
            kept.before().ok_or_else(|| nothing("nothing of it reached the workspace: `bailiwick session discard` drops what it wrote"))
        }
    }
}

/// What of a state may be taken for known while the workspace is looked through.
pub(super) fn settled(kept: &Kept, target: &Manifest) -> Manifest {
    let seconds = i64::try_from(kept.facts.taken.unix_ms / 1000).unwrap_or(0);
    target.clone().settled_before(Moment { seconds, nanoseconds: 0 })
}

/// The way from how it is to how it was. Files whose content was not kept, because nothing of Bailiwick's was to change them, stay.
pub(super) fn what_to_do(tree: &Tree, current: &Manifest, target: &Manifest) -> Vec<Change> {
    let mut list = changes(current, target, &mut |path, _, wanted| has_content(tree, path, wanted));
    list.retain(|change| {
        let has_none = |kind: &Kind| matches!(kind, Kind::File { digest: None, .. });
        let is_lost = target.get(&change.path).is_some_and(|entry| has_none(&entry.kind) || entry.kind == Kind::Special);
        !(is_lost && matches!(change.difference, Difference::Modified | Difference::Added | Difference::Retyped | Difference::Links))
    });
    list
}

/// Paths that would be overwritten and that are neither as the session left them nor as they are to be.
fn conflicts(selected: &BTreeSet<PathBuf>, current: &Manifest, end: &Manifest, target: &Manifest) -> Vec<PathBuf> {
    let is_foreign = |path: &&PathBuf| !is_partial(path) && !is_expected(current.get(path), end.get(path), target.get(path));
    selected.iter().filter(is_foreign).cloned().collect()
}
