//! What the walls of a session are made of, as bytes: the same bytes, the same walls.

use crate::plan::{Access, Network, Plan};
use crate::seccomp::{self, Table};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The compiled filter, the rights and limits, and what stands inside, each with its length before it.
pub(crate) fn describe(plan: &Plan, calls: &Table) -> Vec<u8> {
    let mut bytes = Vec::new();
    for step in seccomp::build(calls, crate::warden::watched(plan)) {
        bytes.extend(step.code.to_le_bytes());
        bytes.extend([step.jt, step.jf]);
        bytes.extend(step.k.to_le_bytes());
    }
    let mut description = Vec::new();
    part(&mut description, &bytes);
    part(&mut description, &plan.landlock_abi().to_le_bytes());
    for mount in &plan.mounts {
        part(&mut description, if mount.access == Access::ReadOnly { b"ro" } else { b"rw" });
        path(&mut description, &mount.source);
        path(&mut description, &mount.target);
    }
    for file in &plan.files {
        path(&mut description, &file.path);
        part(&mut description, &file.content);
    }
    for area in &plan.private {
        path(&mut description, &area.path);
        part(&mut description, &area.size_bytes_max.to_le_bytes());
    }
    let limits = &plan.limits;
    for number in [limits.memory_bytes_max, limits.data_bytes_max, limits.processes_max, limits.open_files_max, limits.file_bytes_max] {
        part(&mut description, &number.to_le_bytes());
    }
    part(&mut description, if plan.network == Network::Isolated { b"isolated" } else { b"door" });
    description
}

fn path(description: &mut Vec<u8>, path: &Path) {
    part(description, path.as_os_str().as_bytes());
}

fn part(description: &mut Vec<u8>, bytes: &[u8]) {
    description.extend((bytes.len() as u64).to_le_bytes());
    description.extend(bytes);
}
