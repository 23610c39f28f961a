//! What differs between two states.

use super::entry::{Entry, Kind};
use super::manifest::Manifest;
use std::path::{Path, PathBuf};

/// How a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its content, or a link's target, is another.
    Modified,
    /// It is another kind of thing: a folder where a file was.
    Retyped,
    /// Only its mode, owner or attributes are others.
    Mode,
    /// Only which of its names share one file.
    Links,
    /// Only its time of change.
    Time,
}

impl Difference {
    /// The letter that stands for it in lists.
    pub const fn letter(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Deleted => 'D',
            Self::Modified => 'M',
            Self::Retyped => 'T',
            Self::Mode => 'P',
            Self::Links => 'H',
            Self::Time => 'm',
        }
    }
}

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    pub(super) difference: Difference,
}

/// Whether two files of the same size have the same content; only asked where it cannot be told from what is known.
pub(super) type SameContent<'a> = &'a mut dyn FnMut(&Path, &Entry, &Entry) -> bool;

/// What became of `before`, in the order of paths.
pub(super) fn changes(before: &Manifest, after: &Manifest, same: SameContent<'_>) -> Vec<Change> {
    let (leaders, leaders_after) = (before.leaders(), after.leaders());
    let mut changes = Vec::new();
    for (path, old) in &before.entries {
        let difference = match after.get(path) {
            None => Some(Difference::Deleted),
            Some(new) => difference(path, old, new, &mut *same)
                .or_else(|| (leaders.get(path.as_path()) != leaders_after.get(path.as_path())).then_some(Difference::Links)),
        };
        changes.extend(difference.map(|difference| Change { path: path.clone(), difference }));
    }
    let added = after.entries.keys().filter(|path| before.get(path).is_none());
    changes.extend(added.map(|path| Change { path: path.clone(), difference: Difference::Added }));
    changes.sort_by(|one, other| one.path.cmp(&other.path));
    changes
}

fn difference(path: &Path, old: &Entry, new: &Entry, same: SameContent<'_>) -> Option<Difference> {
    match (&old.kind, &new.kind) {
        (Kind::Folder, Kind::Folder) | (Kind::Special, Kind::Special) => {}
        (Kind::File { size, digest }, Kind::File { size: new_size, digest: new_digest }) => {
            // Times alone do not tell: where the clock is coarse, a file that was just written can be written again within one tick. What
            // was settled has its digest from the earlier state.
            let is_same = match (digest, new_digest) {
                (Some(one), Some(other)) => one == other,
                (None, None) if old.stamp == new.stamp => true,
                _ => size == new_size && same(path, old, new),
            };
            if !is_same {
                return Some(Difference::Modified);
            }
        }
        (Kind::Link { target }, Kind::Link { target: new_target }) => {
            if target != new_target {
                return Some(Difference::Modified);
            }
        }
        (Kind::Folder | Kind::File { .. } | Kind::Link { .. } | Kind::Special, _) => return Some(Difference::Retyped),
    }
    if new.kind == Kind::Special {
        return None;
    }
    let has_mode = !matches!(new.kind, Kind::Link { .. });
    if old.owner != new.owner || has_mode && (old.mode != new.mode || old.attributes != new.attributes) {
        return Some(Difference::Mode);
    }
    (old.modified != new.modified).then_some(Difference::Time)
}
