//! Landlock rules over the finished root: what the plan lists, by kind of access, and nothing else.

use crate::plan::{Access, Plan};
use crate::{Error, Wall, root};
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus,
    Scope,
};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The newest set of rights that the product knows; an older kernel enforces those that it knows.
const NEWEST: ABI = ABI::V7;
/// The oldest set that counts as a wall (Linux 5.19).
const OLDEST: ABI = ABI::V2;

/// Restricts this process and its future children.
pub(crate) fn enforce(plan: &Plan, host_proc: &OwnedFd) -> Result<(), Error> {
    let status = build(plan, host_proc).and_then(RulesetCreated::restrict_self).map_err(|error| missing(&error.to_string()))?;
    match status.ruleset {
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
        RulesetStatus::NotEnforced => Err(missing("the kernel enforces no rule")),
    }
}

fn missing(found: &str) -> Error {
    Error::WallMissing { wall: Wall::Landlock, found: found.to_owned() }
}

fn build(plan: &Plan, host_proc: &OwnedFd) -> Result<RulesetCreated, landlock::RulesetError> {
    use landlock::{CompatLevel, Compatible};
    let all = AccessFs::from_all(NEWEST);
    let read = AccessFs::from_read(NEWEST);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(OLDEST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
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
    for path in root::writable(plan) {
        rules = allow(rules, path, all & !AccessFs::MakeChar & !AccessFs::MakeBlock)?;
    }
    for file in &plan.files {
        rules = allow(rules, &file.path, AccessFs::ReadFile.into())?;
    }
    Ok(rules)
}

fn allow(rules: RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<RulesetCreated, landlock::RulesetError> {
    // What cannot be opened here cannot be opened by the agent either: no rule is needed.
    let Ok(parent) = PathFd::new(path) else { return Ok(rules) };
    rules.add_rule(PathBeneath::new(parent, access))
}
