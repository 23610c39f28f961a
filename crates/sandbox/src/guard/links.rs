//! Links that stand at a guarded name when a session starts: what they lead to is guarded as well, as far as the agent could write it.

use super::Guard;
use crate::plan::Plan;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Guards for what links at guarded names lead to. Looked for from each guard's folder on, not in whatever folder.
pub(crate) fn behind(plan: &Plan) -> Vec<Guard> {
    let mut found = Vec::new();
    // Where each path leads, if it is a link to something in the same folder.
    let mut seen: BTreeMap<PathBuf, Option<PathBuf>> = BTreeMap::new();
    for guard in &plan.guards {
        let Some(mount) = plan.mounts.iter().rfind(|mount| mount.target == guard.folder) else { continue };
        let mut path = mount.source.clone();
        for (number, name) in guard.pattern.written().enumerate() {
            path.push(name);
            let led = seen.entry(path.clone()).or_insert_with(|| leads(&path, &mount.source));
            if let Some(rest) = led {
                let pattern = guard.pattern.moved(number + 1, rest.iter().map(OsStrExt::as_bytes));
                found.push(Guard { pattern, ..guard.clone() });
                break;
            }
        }
    }
    found
}

fn leads(path: &Path, folder: &Path) -> Option<PathBuf> {
    if !std::fs::symlink_metadata(path).ok()?.is_symlink() {
        return None;
    }
    let (to, folder) = (target(path)?, std::fs::canonicalize(folder).ok()?);
    // One that leads to the folder itself guards nothing more than is guarded there.
    to.strip_prefix(&folder).ok().filter(|rest| !rest.as_os_str().is_empty()).map(Path::to_owned)
}

/// Where a link leads, or would lead once that is made.
fn target(path: &Path) -> Option<PathBuf> {
    let found = std::fs::canonicalize(path).ok();
    found.or_else(|| {
        let to = path.parent()?.join(std::fs::read_link(path).ok()?);
        Some(std::fs::canonicalize(to.parent()?).ok()?.join(to.file_name()?))
    })
}
