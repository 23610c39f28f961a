//! Landlock rules over the finished root: what the plan lists, by kind of access, and nothing else.

use crate::plan::{Access, Plan};
use crate::{Error, ListedProgram, Wall};
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The oldest version of Landlock's interface that counts as a wall (Linux 5.19).
pub(crate) const OLDEST: u32 = 2;
/// The version that keeps signals and abstract sockets in.
pub(crate) const WITH_SCOPES: u32 = 6;

/// A right that a version of Landlock's interface brought, and the wall that stands in where it is missing. The rights of TCP (version 4)
/// are not in the list: a session uses none of them, since its network leads to the door whatever the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Right {
    /// The first version that has it.
    pub(crate) since: u32,
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// The wall that stands in.
    pub(crate) substitute: Wall,
    /// The probes that prove it.
    pub(crate) probes: &'static [&'static str],
}

/// Newer rights than those of [`OLDEST`].
pub(crate) const RIGHTS: &[Right] = &[
    // Files that may not be written stand on mounts that are read-only.
    Right { since: 3, name: "truncate", substitute: Wall::MinimalRoot, probes: &["cut_file", "mount_flags"] },
    // No device but harmless ones stands inside, and the dangerous requests are on no list.
    Right {
        since: 5,
        name: "ioctl_dev",
        substitute: Wall::Seccomp,
        probes: &["terminal_input", "terminal_input_high_bits", "console", "host_places"],
    },
    // Processes outside have no number inside.
    Right {
        since: WITH_SCOPES,
        name: "scope_signal",
        substitute: Wall::PidNamespace,
        probes: &["pid_namespace", "parent", "process_files"],
    },
    // Abstract names belong to the network namespace.
    Right { since: WITH_SCOPES, name: "scope_abstract_unix_socket", substitute: Wall::NetNamespace, probes: &["net_namespace"] },
];

/// The rights that this version lacks.
pub(crate) fn lacking(abi: u32) -> impl Iterator<Item = &'static Right> {
    RIGHTS.iter().filter(move |right| right.since > abi)
}

/// The set of rights of a version; none of a version that is too old.
pub(crate) fn known(abi: u32) -> Option<ABI> {
    match abi {
        0..OLDEST => None,
        2 => Some(ABI::V2),
        3 => Some(ABI::V3),
        4 => Some(ABI::V4),
        5 => Some(ABI::V5),
        6 => Some(ABI::V6),
        // Newer rights wait until they have been tried.
        7.. => Some(ABI::V7),
    }
}

/// Restricts this process and its future children to the plan's paths, with every right that the version has.
pub(crate) fn enforce(plan: &Plan, host_proc: &OwnedFd) -> Result<(), Error> {
    let missing = |found| Error::WallMissing { wall: Wall::Landlock, found };
    let abi = known(plan.landlock_abi()).ok_or_else(|| missing("its version is too old, or there is none".to_owned()))?;
    judge(build(plan, abi, host_proc).and_then(RulesetCreated::restrict_self)).map_err(missing)
}

/// The rules of a domain below that of the walls. Who is in it can neither trace nor, where the kernel has the right, signal who is not.
/// It changes nothing about files. Every domain refuses to move files between folders unless it says otherwise, so this one does.
pub(crate) fn inner_domain(abi: u32) -> Result<OwnedFd, Error> {
    let make = || {
        let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::Refer)?;
        let rules = if abi >= WITH_SCOPES { rules.scope(Scope::Signal)? } else { rules };
        allow(rules.create()?, Path::new("/"), AccessFs::Refer.into())
    };
    let missing = |found| Error::WallMissing { wall: Wall::Landlock, found };
    let rules = make().map_err(|error: RulesetError| missing(error.to_string()))?;
    Option::<OwnedFd>::from(rules).ok_or_else(|| missing("the kernel enforces no rule".to_owned()))
}

/// What is wrong with what the kernel made of the rules, if something is.
pub(crate) fn judge(status: Result<RestrictionStatus, RulesetError>) -> Result<(), String> {
    match status.map_err(|error| error.to_string())?.ruleset {
        RulesetStatus::FullyEnforced => Ok(()),
        RulesetStatus::PartiallyEnforced => Err("the kernel enforces a part of the rules only".to_owned()),
        RulesetStatus::NotEnforced => Err("the kernel enforces no rule".to_owned()),
    }
}

fn build(plan: &Plan, abi: ABI, host_proc: &OwnedFd) -> Result<RulesetCreated, RulesetError> {
    let (handled, scopes) = (AccessFs::from_all(abi), Scope::from_all(abi));
    // With a list of programs, only what it names has the right to be executed.
    let everywhere = if plan.programs.listed.is_some() { !AccessFs::Execute } else { BitFlags::all() };
    let (all, read) = (handled & everywhere, AccessFs::from_read(abi) & everywhere);
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(handled)?;
    let mut rules = if scopes.is_empty() { rules } else { rules.scope(scopes)? }.create()?;
    rules = rules.add_rule(PathBeneath::new(host_proc, AccessFs::ReadFile | AccessFs::ReadDir))?;
    rules = allow(rules, Path::new("/"), AccessFs::ReadDir.into())?;
    let devices = read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    rules = allow(rules, Path::new("/dev"), devices & all & !AccessFs::Execute)?;
    // The mount is read-only; what a process may change about itself is decided there.
    rules = allow(rules, Path::new("/proc"), AccessFs::ReadFile | AccessFs::ReadDir | AccessFs::WriteFile)?;
    for mount in plan.mounts.iter().filter(|mount| mount.access == Access::ReadOnly) {
        rules = allow(rules, &mount.target, read)?;
    }
    let files = all & !AccessFs::MakeChar & !AccessFs::MakeBlock;
    // A socket or FIFO left on the host would make the user's programs talk to the agent, or wait for it.
    let on_host = files & !AccessFs::MakeSock & !AccessFs::MakeFifo;
    let writable: Vec<&Path> =
        plan.mounts.iter().filter(|mount| mount.access == Access::ReadWrite).map(|mount| mount.target.as_path()).collect();
    for area in &plan.private {
        // A rule holds below other mounts too, so an area around a writable mount has neither.
        let is_around = writable.iter().any(|path| path.starts_with(&area.path));
        rules = allow(rules, &area.path, if is_around { on_host } else { files })?;
    }
    for path in writable {
        rules = allow(rules, path, on_host)?;
    }
    for file in &plan.files {
        rules = allow(rules, &file.path, AccessFs::ReadFile.into())?;
    }
    executable(plan, rules)
}

/// Rules for what the list of programs names, and for what loads it.
fn executable(plan: &Plan, mut rules: RulesetCreated) -> Result<RulesetCreated, RulesetError> {
    let Some(listed) = &plan.programs.listed else { return Ok(rules) };
    let paths = listed.iter().map(|one| match one {
        ListedProgram::File { path, .. } | ListedProgram::Tree(path) => path,
    });
    for path in paths.chain(&plan.programs.loaders) {
        rules = allow(rules, path, AccessFs::Execute.into())?;
    }
    Ok(rules)
}

/// Adds a rule for a path.
pub(crate) fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    // What cannot be opened here cannot be opened behind the rules either: no rule is needed.
    let Ok(parent) = PathFd::new(path) else { return Ok(rules) };
    let is_folder = rustix::fs::fstat(&parent).is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir());
    // Rights about what is in a folder mean nothing for a file, and the kernel refuses them.
    let access = if is_folder { access } else { access & AccessFs::from_file(ABI::V7) };
    rules.add_rule(PathBeneath::new(parent, access))
}
