use super::{Confinement, missing};
use crate::rules::{self, WITH_SCOPES};
use crate::{Error, Wall, kernel};
use landlock::{ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreated, RulesetError, Scope};

/// The first version with rules for TCP.
const WITH_TCP: u32 = 4;

/// Restricts this process to the listed paths. Every right that the running kernel knows is handled; each must be enforced.
pub(super) fn enforce(confinement: &Confinement) -> Result<(), Error> {
    let version = kernel::landlock_abi();
    let abi = rules::known(version).ok_or_else(|| missing(Wall::Landlock, "its version is too old, or there is none".to_owned()))?;
    let status = build(confinement, version, abi).and_then(RulesetCreated::restrict_self);
    rules::judge(status).map_err(|found| missing(Wall::Landlock, found))
}

fn build(confinement: &Confinement, version: u32, abi: ABI) -> Result<RulesetCreated, RulesetError> {
    let all = AccessFs::from_all(abi);
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(all)?;
    if version >= WITH_TCP {
        ruleset = ruleset.handle_access(AccessNet::BindTcp)?;
        if !confinement.connect {
            ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
        }
    }
    if version >= WITH_SCOPES {
        ruleset = ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    }
    let mut rules = ruleset.create()?;
    for path in &confinement.read {
        rules = rules::allow(rules, path, AccessFs::ReadFile | AccessFs::ReadDir)?;
    }
    for path in &confinement.write {
        rules = rules::allow(rules, path, all & !AccessFs::Execute & !AccessFs::MakeChar & !AccessFs::MakeBlock)?;
    }
    Ok(rules)
}
