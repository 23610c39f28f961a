//! What this host gives: every wall is built once around a session that never starts an agent.

use crate::plan::{Calls, Limits, Network, Plan, PrivateArea, Stdio};
use crate::probe::{Outcome, Round};
use crate::{Error, Keeper, Observation, Programs, Wall, kernel, rules};
use std::collections::BTreeMap;

/// What [`survey`] found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The running kernel's release, as `uname -r` prints it.
    pub kernel_release: String,
    /// The newest version of Landlock's interface that the kernel speaks; 0 without Landlock.
    pub landlock_abi: u32,
    /// What would bound a session's processes together.
    pub limits_by: Keeper,
    /// Each wall of [`Wall::ALL`], in that order.
    pub walls: Vec<WallStatus>,
    /// What makes good which right that this kernel's Landlock lacks; none if the walls could not be built.
    pub stand_ins: Vec<StandIn>,
    /// What came of each probe; none if the walls could not be built.
    pub round: Option<Round>,
}

/// A right that the kernel's version of Landlock lacks, and the wall that stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The right, as linux/landlock.h calls it, in lower case and without its prefix.
    pub right: &'static str,
    /// The wall that makes it good.
    pub wall: Wall,
    /// The probes that show that it does.
    pub probes: &'static [&'static str],
    /// Whether each of them was refused.
    pub holds: bool,
}

/// The running kernel's release, as `uname -r` prints it.
pub fn kernel_release() -> String {
    kernel::release_text()
}

/// Asks what the kernel tells a program at its start, once for this process and all that are forked from it. Before Linux 6.4 it stands only
/// in a file of /proc that nobody can read in a process that hides its memory, as all of a session do. Call it first of all.
pub fn read_start_values() {
    let _remembered = rustix::param::page_size();
}

/// What [`survey`] found out about one wall on this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallStatus {
    /// Which wall.
    pub wall: Wall,
    /// Whether it can be built here, by this user.
    pub available: bool,
    /// What was found: `held`, or what was found instead.
    pub found: String,
    /// What to do if it is missing.
    pub advice: &'static str,
}

/// Tries whether each wall can be built on this host by this user: builds a session that asks for all of them and allows each to be
/// missing, tries them from inside, and takes it down again. No program is started, and nothing is left. Takes some ten milliseconds.
///
/// A wall without which the others cannot be tried (user namespaces above all) is reported with what the host says about it; the
/// others then are reported as unavailable, since a session could not have them. Call it before this process starts a second thread.
///
/// # Errors
/// [`Error::Threaded`]; [`Error::System`] and the like if the host lacks something that is not a wall.
pub fn survey() -> Result<Survey, Error> {
    let mut warden = crate::spawn(plan())?;
    let outcome = warden.ready();
    drop(warden);
    let landlock_abi = kernel::landlock_abi();
    let (limits_by, walls, stand_ins, round) = match outcome {
        Ok(ready) => {
            let stand_ins = stand_ins(landlock_abi, &ready.round);
            (ready.meter.keeper(), judge(&ready.observed, &stand_ins), stand_ins, Some(ready.round))
        }
        Err(Error::WallMissing { wall, found }) => (Keeper::Watcher, without(wall, &found), Vec::new(), None),
        Err(error) => return Err(error),
    };
    Ok(Survey { kernel_release: kernel::release_text(), landlock_abi, limits_by, walls, stand_ins, round })
}

/// What stands in for the rights that a version lacks. A kernel without Landlock lacks the wall itself, and nothing stands in for that.
fn stand_ins(landlock_abi: u32, round: &Round) -> Vec<StandIn> {
    if rules::known(landlock_abi).is_none() {
        return Vec::new();
    }
    let tell = |right: &'static rules::Right| {
        let mut outcomes = round.results().filter(|(probe, _)| right.probes.contains(&probe.name)).map(|(_, outcome)| outcome).peekable();
        let holds = outcomes.peek().is_some() && outcomes.all(|outcome| outcome == Outcome::Refused);
        StandIn { right: right.name, wall: right.substitute, probes: right.probes, holds }
    };
    rules::lacking(landlock_abi).map(tell).collect()
}

/// A session with every wall, none of them required.
fn plan() -> Plan {
    Plan {
        program: "/survey".into(),
        args: Vec::new(),
        env: Vec::new(),
        cwd: "/".into(),
        mounts: Vec::new(),
        files: Vec::new(),
        private: vec![PrivateArea { path: "/tmp".into(), size_bytes_max: 1 << 20 }],
        limits: Limits::default(),
        network: Network::Door { gateway_port: 1, proxy_port: 2 },
        stdio: [Stdio::Null; 3],
        pass: Vec::new(),
        observe_files: true,
        calls: Calls::default(),
        programs: Programs { observe: true, ..Programs::default() },
        danger_allow_missing: Wall::ALL.to_vec(),
        guards: Vec::new(),
        overlays: Vec::new(),
        probe_period: None,
        #[cfg(feature = "danger-weaken")]
        danger_weakened: crate::Weakened::default(),
    }
}

/// The statuses of walls that were tried.
fn judge(observed: &BTreeMap<Wall, Observation>, stand_ins: &[StandIn]) -> Vec<WallStatus> {
    let unmet = stand_ins.iter().find(|one| !one.holds);
    let status = |wall: &Wall| match observed.get(wall) {
        Some(Observation::Held) if *wall == Wall::Landlock && unmet.is_some() => {
            let (right, other) = unmet.map_or(("a right", Wall::Landlock), |one| (one.right, one.wall));
            missing(*wall, format!("it has no {right}, and {other} does not make that good"))
        }
        Some(Observation::Held) => WallStatus { wall: *wall, available: true, found: "held".to_owned(), advice: wall.advice() },
        Some(other @ (Observation::Missing(_) | Observation::Unused)) => missing(*wall, other.token().to_string()),
        None => missing(*wall, "it was not tried".to_owned()),
    };
    Wall::ALL.iter().map(status).collect()
}

/// The statuses if nothing could be built because of one wall.
fn without(culprit: Wall, found: &str) -> Vec<WallStatus> {
    let status = |wall: &Wall| {
        if *wall == culprit { missing(*wall, found.to_owned()) } else { missing(*wall, format!("it cannot be built without {culprit}")) }
    };
    Wall::ALL.iter().map(status).collect()
}

fn missing(wall: Wall, found: String) -> WallStatus {
    WallStatus { wall, available: false, found, advice: wall.advice() }
}

/// What the host says about user namespaces; `None` for a setting that it does not have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    max_user_namespaces: Option<String>,
    unprivileged_clone: Option<String>,
    apparmor_restriction: Option<String>,
    apparmor_profile: Option<String>,
    process_status: Option<String>,
}

impl Host {
    fn read() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned());
        Self {
            max_user_namespaces: read("/proc/sys/user/max_user_namespaces"),
            unprivileged_clone: read("/proc/sys/kernel/unprivileged_userns_clone"),
            apparmor_restriction: read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
            apparmor_profile: read("/proc/self/attr/apparmor/current"),
            process_status: read("/proc/self/status"),
        }
    }
}

/// Why this host may refuse user namespaces.
pub(crate) fn namespace_refusals() -> Vec<String> {
    reasons(&Host::read())
}

/// Why user namespaces may be refused, in words that name the setting.
fn reasons(host: &Host) -> Vec<String> {
    let is = |setting: &Option<String>, value: &str| setting.as_deref() == Some(value);
    let mut reasons = Vec::new();
    if is(&host.max_user_namespaces, "0") {
        reasons.push("user.max_user_namespaces is 0".to_owned());
    }
    if is(&host.unprivileged_clone, "0") {
        reasons.push("kernel.unprivileged_userns_clone is 0".to_owned());
    }
    if host.apparmor_restriction.as_deref().is_some_and(|value| value != "0") {
        let profile = host.apparmor_profile.as_deref().filter(|text| !text.is_empty()).unwrap_or("unconfined");
        reasons.push(format!("kernel.apparmor_restrict_unprivileged_userns is on and this program's AppArmor profile is {profile}"));
    }
    let status = host.process_status.as_deref().unwrap_or_default();
    if status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2")) {
        reasons.push("this process is under a system call filter already (a container's may refuse namespaces)".to_owned());
    }
    reasons
}

#[cfg(test)]
mod tests;
