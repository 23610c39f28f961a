use super::{Confinement, missing};
use crate::rules::{self, NEWEST, OLDEST};
use crate::{Error, Wall, kernel};
use landlock::{Access as _, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreated, RulesetError, Scope};

/// The first version with rules for TCP.
const WITH_TCP: u32 = 4;
/// The first version that keeps signals and abstract sockets in.
const WITH_SCOPES: u32 = 6;

/// Restricts this process to the listed paths. Every right that the running kernel knows is handled; each must be enforced.
pub(super) fn enforce(confinement: &Confinement) -> Result<(), Error> {
    let status = build(confinement, kernel::landlock_abi()).and_then(RulesetCreated::restrict_self);
    rules::judge(status).map_err(|found| missing(Wall::Landlock, found))
}

fn build(confinement: &Confinement, version: u32) -> Result<RulesetCreated, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement).handle_access(AccessFs::from_all(OLDEST))?;
    if version >= WITH_TCP {
        ruleset = ruleset.handle_access(AccessNet::BindTcp)?;
        if !confinement.connect {
            ruleset = ruleset.handle_access(AccessNet::ConnectTcp)?;
        }
    }
    if version >= WITH_SCOPES {
        ruleset = ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    }
    let mut rules = ruleset.set_compatibility(CompatLevel::BestEffort).handle_access(all)?.create()?;
    for path in &confinement.read {
        rules = rules::allow(rules, path, AccessFs::ReadFile | AccessFs::ReadDir)?;
    }
    for path in &confinement.write {
        rules = rules::allow(rules, path, all & !AccessFs::Execute & !AccessFs::MakeChar & !AccessFs::MakeBlock)?;
    }
    Ok(rules)
}
