//! Whether the guards let a change be made.

use super::asked::{Asked, OnName, What};
use super::place::{Entry, Object, Place};
use super::{Refused, moved};
use crate::guard::{GuardKind, Guards, Standing};
use rustix::fs::FileType;
use rustix::io::Errno;
use std::path::{Path, PathBuf};

/// Refuses to rename a folder in which, however deep, something stands that the plan put there: a mount goes along with the folder around
/// it, and from then on its files would have paths of which no guard says anything.
pub(super) fn stays(fixed: &[PathBuf], asked: &Asked, first: &Place, second: Option<&Place>) -> Result<(), Refused> {
    if !matches!(asked.what, What::Rename { .. }) {
        return Ok(());
    }
    let is_around = |path: &Path| fixed.iter().any(|place| place != path && place.starts_with(path));
    for place in [Some(first), second].into_iter().flatten() {
        match place {
            Place::Entry(entry) if entry.is_name && is_around(&entry.path) => return Err(Refused::guarded(entry.path.clone())),
            Place::Entry(_) | Place::Object(_) => {}
        }
    }
    Ok(())
}

pub(super) fn check(guards: &Guards, asked: &Asked, first: &Place, second: Option<&Place>) -> Result<(), Refused> {
    if !guards.may_hold(&first.path()) && !second.is_some_and(|place| guards.may_hold(&place.path())) {
        return Ok(());
    }
    match (&asked.what, first, second) {
        (What::Name(what), Place::Entry(entry), _) => match what {
            OnName::MakeFolder(_) => makes(guards, entry, Standing::Leads),
            OnName::MakeNode { .. } | OnName::MakeLink(_) => makes(guards, entry, Standing::Free),
            OnName::RemoveFile | OnName::RemoveFolder => removes(guards, entry),
        },
        (What::Rename { flags, .. }, Place::Entry(from), Some(Place::Entry(to))) => {
            moves(guards, from, to)?;
            if flags & libc::RENAME_EXCHANGE == 0 { Ok(()) } else { moves(guards, to, from) }
        }
        (What::Link(_), Place::Object(object), Some(Place::Entry(entry))) => {
            changes(guards, object)?;
            makes(guards, entry, Standing::Free)
        }
        (_, Place::Object(object), _) => changes(guards, object),
        // No call has such places.
        (_, Place::Entry(entry), _) => Err(Refused::guarded(entry.path.clone())),
    }
}

/// What stands there already is no matter of the guards: the kernel too would say so.
fn makes(guards: &Guards, entry: &Entry, most: Standing) -> Result<(), Refused> {
    if !entry.is_name || guards.standing(&entry.path) <= most {
        return Ok(());
    }
    if entry.kind().is_ok() { Err(Errno::EXIST.into()) } else { Err(Refused::guarded(entry.path.clone())) }
}

/// A folder that leads to something guarded is empty when it can be removed; a file in its place is the user's.
fn removes(guards: &Guards, entry: &Entry) -> Result<(), Refused> {
    let is_refused = match guards.standing(&entry.path) {
        Standing::Free => false,
        Standing::Leads => entry.kind()? != FileType::Directory,
        // Of what is hidden, not even its absence is told.
        Standing::Guarded(GuardKind::Hidden) => true,
        Standing::Guarded(_) => entry.kind().map(|_| true)?,
    };
    if is_refused && entry.is_name { Err(Refused::guarded(entry.path.clone())) } else { Ok(()) }
}

fn moves(guards: &Guards, from: &Entry, to: &Entry) -> Result<(), Refused> {
    if !from.is_name || !to.is_name {
        return Ok(());
    }
    let kind = from.kind()?;
    let is_folder = kind == FileType::Directory;
    for path in [&from.path, &to.path] {
        refuse(guards, path, is_folder)?;
    }
    if is_folder { moved::check(guards, from, &to.path) } else { Ok(()) }
}

fn changes(guards: &Guards, object: &Object) -> Result<(), Refused> {
    match object.path() {
        Some(path) if guards.may_hold(path) => refuse(guards, path, object.kind()? == FileType::Directory),
        Some(_) | None => Ok(()),
    }
}

fn refuse(guards: &Guards, path: &Path, is_folder: bool) -> Result<(), Refused> {
    match guards.standing(path) {
        Standing::Free => Ok(()),
        Standing::Leads if is_folder => Ok(()),
        Standing::Leads | Standing::Guarded(_) => Err(Refused::guarded(path.to_owned())),
    }
}
