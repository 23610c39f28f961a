use super::{Desk, Done, Order, claim, clear_stage, hold, is_expected, listed, refuse_conflicts, take_now};
use crate::snapshot::compare::{Change, Difference, changes};
use crate::snapshot::entry::Kind;
use crate::snapshot::manifest::Manifest;
use crate::snapshot::objects;
use crate::snapshot::record::{Act, Deed, Record};
use crate::snapshot::restore::{Restore, is_partial};
use crate::snapshot::stage::Layer;
use crate::snapshot::store::{Kept, Scene, Store};
use crate::snapshot::tree::Tree;
use crate::snapshot::walk::walk;
use crate::snapshot::{Digest, Error};
use schema::event::ActPhase;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

impl Desk {
    /// Brings what a staged session wrote into its workspace. The state before is kept: a rollback of the session undoes the commit. Cut
    /// short, the same call completes it; done already, it changes nothing.
    ///
    /// # Errors
    /// [`Error::Conflict`] if others changed meanwhile what the session changed too; [`Error::Nothing`] if nothing is staged;
    /// [`Error::InUse`] while the session runs.
    pub fn commit(&self, id: &str, order: &Order) -> Result<Done, Error> {
        let store = self.store();
        let kept = store.kept(id)?;
        let workspace = kept.facts.workspace.clone();
        if kept.facts.scene != Scene::Staged {
            return Err(Error::Nothing {
                id: id.to_owned(),
                problem: "it worked in the workspace itself, so that there is nothing to commit",
            });
        }
        let _holds = hold(&store, &kept)?;
        let mut done = Done { workspace, changes: Vec::new(), conflicts: Vec::new(), undo: None, has_end: true };
        if kept.is_committed() {
            clear_stage(&kept)?;
            return Ok(done);
        }
        if !kept.is_waiting() {
            return Err(Error::Nothing { id: id.to_owned(), problem: "what it wrote was discarded" });
        }
        let mut record = Record::open(&self.directories, &kept.facts.session_id, self.account.name.clone(), self.clock.clone())?;
        record.confirm(kept.facts.manifest)?;
        let tree = Tree::open_for_repair(&done.workspace)?;
        let plan = Plan::make(&store, &kept, &tree)?;
        done.changes = listed(&plan.todo, &plan.selected);
        done.conflicts = plan.conflicts();
        if order.dry_run {
            return Ok(done);
        }
        let _claim = claim(self, &kept)?;
        if !order.force {
            refuse_conflicts(&done.conflicts, "while the session worked on its own copy")?;
        }
        let before = match kept.before() {
            Some(digest) => digest,
            None => take_now(&tree, &store, &Manifest::default(), &|path| plan.selected.contains(path))?.digest,
        };
        let forced = order.force && !done.conflicts.is_empty();
        let target = plan.keep_content(&store, &kept, &tree)?;
        let deed = Deed { act: Act::Commit, paths: done.changes.len() as u64, manifest: target.1, kept: before, forced };
        record.append(deed, ActPhase::Begun)?;
        kept.set_before(before)?;
        let restore = Restore { tree: &tree, objects: &store.objects, current: &plan.current, target: &target.0, is_whole: true };
        restore.apply(&plan.todo, &plan.selected)?;
        kept.set_end(take_now(&tree, &store, &Manifest::default(), &|_| false)?.digest)?;
        record.append(deed, ActPhase::Done)?;
        clear_stage(&kept)?;
        done.undo = Some(kept.id.clone());
        Ok(done)
    }
}

/// What a commit does.
pub(super) struct Plan {
    upper: Tree,
    layer: Layer,
    pub(super) base: Manifest,
    pub(super) target: Manifest,
    current: Manifest,
    /// What the session changed.
    pub(super) changed: Vec<Change>,
    /// What is to be done now, and more: only the selected is.
    todo: Vec<Change>,
    selected: BTreeSet<PathBuf>,
}

impl Plan {
    pub(super) fn make(store: &Store, kept: &Kept, tree: &Tree) -> Result<Self, Error> {
        let base = store.manifest(&kept.id, kept.facts.manifest)?;
        let upper = Tree::open_for_repair(&kept.upper())?;
        let layer = Layer::read(&upper)?;
        let target = layer.over(&base);
        // A file that was opened for writing and not written lies there too.
        let changed = changes(&base, &target, &mut |path, _, _| layer.wrote(path) && have_same_content(tree, &upper, path));
        let current = walk(tree, &base, super::ENTRIES_MAX)?;
        let todo = changes(&current, &target, &mut |path, _, _| layer.wrote(path) && have_same_content(tree, &upper, path));
        let own: BTreeSet<&Path> = changed.iter().map(|change| change.path.as_path()).collect();
        let gone = changed.iter().filter(|change| matches!(change.difference, Difference::Deleted | Difference::Retyped));
        let gone: BTreeSet<&Path> = gone.map(|change| change.path.as_path()).collect();
        let is_mine = |path: &Path| own.contains(path) || path.ancestors().any(|above| gone.contains(above));
        let selected = todo.iter().filter(|change| is_mine(&change.path)).map(|change| change.path.clone()).collect();
        Ok(Self { upper, layer, base, target, current, changed, todo, selected })
    }

    /// Paths that others changed too.
    fn conflicts(&self) -> Vec<PathBuf> {
        let is_expected = |path: &Path| is_expected(self.current.get(path), self.base.get(path), self.target.get(path));
        self.selected.iter().filter(|path| !is_partial(path) && !is_expected(path)).cloned().collect()
    }

    /// Puts the content of what is to be written into the store, where it cannot change any more.
    fn keep_content(&self, store: &Store, kept: &Kept, tree: &Tree) -> Result<(Manifest, Digest), Error> {
        let mut target = self.target.clone();
        let mut intake = store.objects.intake();
        for path in &self.selected {
            let Some(entry) = target.entries.get_mut(path) else { continue };
            if let Kind::File { size, digest } = &mut entry.kind {
                // A name whose file was shared before, and that the session left alone, has its content in the workspace.
                let from = if self.layer.wrote(path) { &self.upper } else { tree };
                let file = from.file(path)?;
                *digest = Some(intake.add(&file, *size).map_err(Error::io("keep the content of", &from.host(path)))?);
            }
        }
        let text = target.encode();
        let stored = |error| Error::io("write the list of files into", &kept.folder)(error);
        let digest = intake.add_bytes(text.as_bytes()).map_err(stored)?;
        intake.sync().map_err(stored)?;
        kept.set_target(digest)?;
        Ok((target, digest))
    }
}

/// Whether a path holds the same bytes in the workspace and in the layer over it.
fn have_same_content(tree: &Tree, upper: &Tree, path: &Path) -> bool {
    let digest = |tree: &Tree| tree.file(path).ok().and_then(|mut file| objects::copy(&mut file, &mut std::io::sink()).ok());
    digest(tree).is_some_and(|one| digest(upper) == Some(one))
}
