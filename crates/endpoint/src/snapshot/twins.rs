//! Files of the workspace that have two names, one guarded and one not: by the other, the agent would reach what is kept from it.

use super::Error;
use super::manifest::Manifest;
use policy::GuardedFiles;
use schema::{PathPattern, Relation, fold_name};
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Refuses a workspace with such a file.
///
/// # Errors
/// [`Error::SecondName`], with the first of them.
pub(super) fn refuse(found: &Manifest, files: &GuardedFiles) -> Result<(), Error> {
    let leaders = found.leaders();
    let mut groups: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
    for (path, leader) in leaders {
        groups.entry(leader).or_insert_with(|| vec![leader]).push(path);
    }
    for names in groups.into_values() {
        let kept = |path: &Path| strength(path, files);
        let most = names.iter().copied().max_by_key(|path| kept(path));
        let least = names.iter().copied().min_by_key(|path| kept(path));
        if let (Some(guarded), Some(other)) = (most, least)
            && kept(guarded) > kept(other)
        {
            return Err(Error::SecondName { guarded: guarded.to_owned(), other: other.to_owned() });
        }
    }
    Ok(())
}

/// How much of a path is kept from the agent: nothing, changes, values, everything.
fn strength(path: &Path, files: &GuardedFiles) -> u8 {
    let names: Vec<String> = path.iter().map(|name| fold_name(name.as_bytes())).collect();
    let is_of = |list: &[PathPattern]| list.iter().any(|pattern| pattern.relation(&names) == Relation::Covered);
    match () {
        () if is_of(&files.hidden) => 3,
        () if is_of(&files.masked) => 2,
        () if is_of(&files.protected) => 1,
        () => 0,
    }
}
