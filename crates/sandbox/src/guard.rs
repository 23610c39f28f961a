//! Paths that are not the agent's although they lie in a folder that it may write: what a plan says of them, and how a path stands to that.

mod links;

pub(crate) use links::behind as behind_links;

use schema::{PathPattern, Relation, fold_name, is_short_name};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Most guards of a plan.
pub(crate) const GUARDS_MAX: usize = 1024;

/// Something that is guarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The folder, inside, below which the pattern holds.
    pub folder: PathBuf,
    /// Which names below it, with all that lies below them.
    pub pattern: PathPattern,
    /// What is kept from the agent.
    pub kind: GuardKind,
}

/// What is kept from the agent. A later kind keeps all that an earlier one keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuardKind {
    /// Making, writing, renaming, linking, removing, changing attributes.
    Protected,
    /// Reading too, but for a copy without values.
    Masked,
    /// Everything.
    Hidden,
}

/// How a path stands to all guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// No guard is about it.
    Free,
    /// A folder on the way to what is guarded.
    Leads,
    /// It is guarded, or lies below what is.
    Guarded(GuardKind),
}

/// The guards of a plan, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guards(Vec<Ground>);

/// A folder and what is guarded below it.
#[derive(Clone, Debug)]
struct Ground {
    folder: PathBuf,
    guards: Vec<(PathPattern, GuardKind)>,
    /// Guards by their first name, folded.
    named: HashMap<String, Vec<usize>>,
    /// Guards whose first name is not known.
    unnamed: Vec<usize>,
}

impl Guards {
    pub(crate) fn new(list: &[Guard]) -> Self {
        let mut grounds: Vec<Ground> = Vec::new();
        for guard in list {
            let place = grounds.iter().position(|ground| ground.folder == guard.folder).unwrap_or(grounds.len());
            if place == grounds.len() {
                grounds.push(Ground { folder: guard.folder.clone(), guards: Vec::new(), named: HashMap::new(), unnamed: Vec::new() });
            }
            if let Some(ground) = grounds.get_mut(place) {
                ground.add(guard);
            }
        }
        Self(grounds)
    }

    /// Whether nothing is guarded.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a path (canonical, inside) lies in a folder of guards. Cheap: most paths do not.
    pub(crate) fn may_hold(&self, path: &Path) -> bool {
        let path = path.as_os_str().as_bytes();
        self.0.iter().any(|ground| path.strip_prefix(ground.folder.as_os_str().as_bytes()).is_some_and(|rest| rest.starts_with(b"/")))
    }

    /// How a path (canonical, inside) stands to the guards.
    pub(crate) fn standing(&self, path: &Path) -> Standing {
        if !self.may_hold(path) {
            return Standing::Free;
        }
        let below = self.0.iter().filter_map(|ground| Some((ground, path.strip_prefix(&ground.folder).ok()?)));
        below.map(|(ground, rest)| ground.standing(rest)).max().unwrap_or(Standing::Free)
    }
}

impl Ground {
    fn add(&mut self, guard: &Guard) {
        let number = self.guards.len();
        match guard.pattern.first() {
            Some(name) => self.named.entry(name.to_owned()).or_default().push(number),
            None => self.unnamed.push(number),
        }
        self.guards.push((guard.pattern.clone(), guard.kind));
    }

    fn standing(&self, rest: &Path) -> Standing {
        let names: Vec<String> = rest.iter().map(|name| fold_name(name.as_bytes())).collect();
        let mut standing = Standing::Free;
        for (start, name) in names.iter().enumerate() {
            let likely = self.named.get(name).into_iter().flatten().chain(&self.unnamed).copied();
            // A short name may stand for any other.
            let every = if is_short_name(name) { 0..self.guards.len() } else { 0..0 };
            for (pattern, kind) in likely.chain(every).filter_map(|number| self.guards.get(number)) {
                if start > 0 && !pattern.is_anywhere() {
                    continue;
                }
                standing = standing.max(match pattern.relation_from(&names, start) {
                    Relation::Apart => Standing::Free,
                    Relation::Leads => Standing::Leads,
                    Relation::Covered => Standing::Guarded(*kind),
                });
            }
        }
        standing
    }
}

#[cfg(test)]
mod tests;
