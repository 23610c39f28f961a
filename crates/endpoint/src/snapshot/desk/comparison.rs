use super::commit::Plan;
use super::rollback::{settled, target, what_to_do};
use super::{Desk, ENTRIES_MAX};
use crate::snapshot::compare::{Change, Difference};
use crate::snapshot::entry::{Entry, Kind};
use crate::snapshot::manifest::Manifest;
use crate::snapshot::store::{Scene, Store};
use crate::snapshot::tree::Tree;
use crate::snapshot::walk::walk;
use crate::snapshot::{Digest, Error};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// One of the two states that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The kept state.
    Old,
    /// The workspace as it is, or as the session sees it.
    New,
}

/// A path that differs, for people.
#[derive(Clone, Debug)]
pub struct Shown {
    /// In the workspace.
    pub path: PathBuf,
    /// How it differs.
    pub difference: Difference,
}

/// The workspace compared with a kept state.
#[derive(Debug)]
pub struct Comparison {
    /// What differs, in the order of paths; times alone are left out.
    pub list: Vec<Shown>,
    /// The workspace.
    pub workspace: PathBuf,
    store: Store,
    old: Manifest,
    new: Manifest,
    old_tree: Tree,
    new_tree: Tree,
}

impl Desk {
    /// What differs between a kept state and the workspace; of a staged session: what it wrote.
    ///
    /// # Errors
    /// As [`Desk::rollback`], but for conflicts.
    pub fn compare(&self, id: &str) -> Result<Comparison, Error> {
        let store = self.store();
        let kept = store.kept(id)?;
        let workspace = kept.facts.workspace.clone();
        let tree = Tree::open_for_repair(&workspace)?;
        let old_tree = Tree::open_for_repair(&workspace)?;
        if kept.facts.scene == Scene::Staged && kept.is_waiting() {
            let plan = Plan::make(&store, &kept, &tree)?;
            let new_tree = Tree::open_for_repair(&kept.upper())?;
            let list = shown(&plan.changed);
            return Ok(Comparison { list, workspace, store, old: plan.base, new: plan.target, old_tree, new_tree });
        }
        let old = store.manifest(&kept.id, target(&kept)?)?;
        let new = walk(&tree, &settled(&kept, &old), ENTRIES_MAX)?;
        // The same the other way round.
        let turned = what_to_do(&tree, &new, &old).into_iter().map(|change| {
            let difference = match change.difference {
                Difference::Added => Difference::Deleted,
                Difference::Deleted => Difference::Added,
                other @ (Difference::Modified | Difference::Retyped | Difference::Mode | Difference::Links | Difference::Time) => other,
            };
            Change { difference, ..change }
        });
        let list = shown(&turned.collect::<Vec<_>>());
        Ok(Comparison { list, workspace, store, old, new, old_tree, new_tree: tree })
    }
}

fn shown(changes: &[Change]) -> Vec<Shown> {
    // A name like those that a killed rollback leaves is told as well: an agent can give it to anything.
    let told = changes.iter().filter(|change| change.difference != Difference::Time);
    told.map(|change| Shown { path: change.path.clone(), difference: change.difference }).collect()
}

impl Comparison {
    fn entry(&self, side: Side, path: &Path) -> Option<&Entry> {
        match side {
            Side::Old => self.old.get(path),
            Side::New => self.new.get(path),
        }
    }

    /// Permission bits of a path.
    pub fn mode(&self, side: Side, path: &Path) -> Option<u32> {
        self.entry(side, path).map(|entry| entry.mode)
    }

    /// Bytes of a file.
    pub fn size(&self, side: Side, path: &Path) -> Option<u64> {
        self.entry(side, path).filter(|entry| matches!(entry.kind, Kind::File { .. })).map(Entry::size)
    }

    /// Where a link leads.
    pub fn link(&self, side: Side, path: &Path) -> Option<PathBuf> {
        match &self.entry(side, path)?.kind {
            Kind::Link { target } => Some(PathBuf::from(target)),
            Kind::Folder | Kind::File { .. } | Kind::Special => None,
        }
    }

    /// Opens a file's content, if there is a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(&self, side: Side, path: &Path) -> Result<Option<Box<dyn Read>>, Error> {
        let Some(entry) = self.entry(side, path) else { return Ok(None) };
        let Kind::File { digest, .. } = entry.kind else { return Ok(None) };
        let tree = match side {
            Side::Old => &self.old_tree,
            Side::New => &self.new_tree,
        };
        Ok(Some(match digest {
            Some(digest) if self.store.objects.has(digest) => Box::new(self.store.objects.open(digest).map_err(Error::io("read", path))?),
            _ => Box::new(tree.file(path)?),
        }))
    }

    /// The first bytes of a file's content, at most `bytes_max`.
    ///
    /// # Errors
    /// As [`Comparison::open`].
    pub fn content(&self, side: Side, path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(file) = self.open(side, path)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        Ok(Some(bytes))
    }

    /// SHA-256 of a file's content.
    ///
    /// # Errors
    /// As [`Comparison::open`].
    pub fn digest(&self, side: Side, path: &Path) -> Result<Option<Digest>, Error> {
        let Some(mut file) = self.open(side, path)? else { return Ok(None) };
        crate::snapshot::objects::copy(&mut file, &mut io::sink()).map(Some).map_err(Error::io("read", path))
    }
}
