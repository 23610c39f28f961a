//! Landlock rules over the finished root: what the plan lists, by kind of access, and nothing else.

use crate::plan::{Access, Plan};
use crate::{Error, ListedProgram, Wall};
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The newest set of rights that the product knows; an older kernel enforces those that it knows.
pub(crate) const NEWEST: ABI = ABI::V7;
/// The oldest set that counts as a wall (Linux 5.19).
pub(crate) const OLDEST: ABI = ABI::V2;

/// Restricts this process and its future children.
pub(crate) fn enforce(plan: &Plan, host_proc: &OwnedFd) -> Result<(), Error> {
    let status = build(plan, host_proc).and_then(RulesetCreated::restrict_self);
    judge(status).map_err(|found| Error::WallMissing { wall: Wall::Landlock, found })
}

/// What is wrong with what the kernel made of the rules, if something is. Partly enforced is what an older kernel does with newer rights.
pub(crate) fn judge(status: Result<RestrictionStatus, RulesetError>) -> Result<(), String> {
    match status.map_err(|error| error.to_string())?.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err("the kernel enforces no rule".to_owned()),
    }
}

fn build(plan: &Plan, host_proc: &OwnedFd) -> Result<RulesetCreated, RulesetError> {
    let handled = AccessFs::from_all(NEWEST);
    // With a list of programs, only what it names has the right to be executed.
    let everywhere = if plan.programs.listed.is_some() { !AccessFs::Execute } else { BitFlags::all() };
    let (all, read) = (handled & everywhere, AccessFs::from_read(NEWEST) & everywhere);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(OLDEST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(handled)?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    rules = rules.add_rule(PathBeneath::new(host_proc, AccessFs::ReadFile | AccessFs::ReadDir))?;
    rules = allow(rules, Path::new("/"), AccessFs::ReadDir.into())?;
    let devices = read | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    rules = allow(rules, Path::new("/dev"), devices & !AccessFs::Execute)?;
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
    rules.add_rule(PathBeneath::new(parent, access))
}
