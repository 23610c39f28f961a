//! Which lists of system calls (`profiles/seccomp/role`) a role is held to. A call that none of them names kills it.

use super::{Confinement, Role};
use crate::seccomp::{DATA, EVERYONE, LIBRARIES, LOCAL, REMOTE, RoleRule};

/// The list of a role.
pub(super) fn of(confinement: &Confinement) -> impl Iterator<Item = (u32, RoleRule)> {
    let lists: [&'static [(u32, RoleRule)]; 3] = match (confinement.role, confinement.connect) {
        (Role::Door | Role::Model, _) => [EVERYONE, DATA, &[]],
        (Role::Gateway, false) => [EVERYONE, LIBRARIES, LOCAL],
        (Role::Gateway, true) => [EVERYONE, LIBRARIES, REMOTE],
    };
    lists.into_iter().flatten().copied()
}
