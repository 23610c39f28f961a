//! Who the session is: its namespaces, its one user id, its capabilities.

use crate::{Error, Plan, Wall, kernel, survey};
use rustix::process::DumpableBehavior;
use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags};
use rustix::time::ClockId;
use std::fs::File;
use std::io::Write;

/// The user and group id inside, whoever the caller is outside.
pub(crate) const ID_INSIDE: u32 = 1000;
/// `CLONE_NEWTIME` (time_namespaces(7)).
const NEW_TIME: UnshareFlags = UnshareFlags::NEWTIME;
/// What the session's clocks begin with, in seconds: some programs take zero for no time at all.
const CLOCKS_START: i64 = 60;

/// Where the offsets of the children's clocks are written. It is opened while this process can be dumped: its own files in /proc belong
/// to root afterwards, and older kernels (6.1) let only their owner open this one.
#[derive(Debug)]
pub(crate) struct ClockOffsets(std::io::Result<File>);

impl ClockOffsets {
    fn open() -> Self {
        Self(File::options().write(true).open("/proc/self/timens_offsets"))
    }
}

/// Enters a new user, mount, pid and network namespace and maps the caller's id, and nothing else, into it.
pub(crate) fn enter_namespaces(plan: &Plan) -> Result<ClockOffsets, Error> {
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    // In a container's user namespace that fixes the groups, its root has no more of them than its user outside has.
    let fixed = std::fs::read_to_string("/proc/self/setgroups").is_ok_and(|text| text.trim_end() == "deny");
    if user == 0 && !fixed {
        kernel::drop_groups().map_err(Error::system("drop supplementary groups"))?;
    }
    let missing = |source: rustix::io::Errno| Error::WallMissing { wall: Wall::UserNamespace, found: why_not(&source.to_string()) };
    if plan.is_away(Wall::MountNamespace) && !plan.may_share_mounts() {
        return Err(Error::Order("the host's own mounts are never changed: run this in a mount namespace of its own"));
    }
    let flags = [
        (Wall::UserNamespace, UnshareFlags::NEWUSER),
        (Wall::MountNamespace, UnshareFlags::NEWNS),
        (Wall::PidNamespace, UnshareFlags::NEWPID),
        (Wall::NetNamespace, UnshareFlags::NEWNET),
    ];
    let flags = flags.into_iter().filter(|(wall, _)| !plan.is_away(*wall)).fold(UnshareFlags::empty(), |all, (_, flag)| all | flag);
    rustix_unshare(flags).map_err(missing)?;
    if plan.is_away(Wall::UserNamespace) {
        return Ok(ClockOffsets::open());
    }
    // An undumpable process's own files in /proc belong to root, and the maps could not be written.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(Error::errno("allow writing the id maps"))?;
    let mapped = map_ids(user, group);
    let offsets = ClockOffsets::open();
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Error::errno("hide the warden's memory"))?;
    mapped.map_err(|source| Error::WallMissing { wall: Wall::UserNamespace, found: why_not(&source.to_string()) })?;
    // Best effort on top of seccomp: no user namespace below this one.
    let _unavailable = std::fs::write("/proc/sys/user/max_user_namespaces", "0");
    Ok(offsets)
}

/// Enters one more namespace whose absence a plan may allow.
pub(crate) fn enter_namespace(wall: Wall, flag: UnshareFlags) -> Result<(), Error> {
    rustix_unshare(flag).map_err(|errno| Error::WallMissing { wall, found: errno.to_string() })
}

/// What the kernel said, and the settings of the host that explain it.
fn why_not(said: &str) -> String {
    [vec![said.to_owned()], survey::namespace_refusals()].concat().join("; ")
}

/// Lets the children's clocks since the start of the machine begin anew: what they tell of the host is nothing.
pub(crate) fn enter_time_namespace(offsets: ClockOffsets) -> Result<(), Error> {
    let missing = |found: String| Error::WallMissing { wall: Wall::TimeNamespace, found };
    let mut file = offsets.0.map_err(|error| missing(error.to_string()))?;
    rustix_unshare(NEW_TIME).map_err(|errno| missing(errno.to_string()))?;
    let offset = |name: &str, clock| format!("{name} {} 0\n", CLOCKS_START.saturating_sub(rustix::time::clock_gettime(clock).tv_sec));
    let offsets = [offset("monotonic", ClockId::Monotonic), offset("boottime", ClockId::Boottime)].concat();
    // In one piece: the kernel takes no second one.
    file.write_all(offsets.as_bytes()).map_err(|error| missing(error.to_string()))
}

fn rustix_unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    kernel::unshare(flags)
}

fn map_ids(user: u32, group: u32) -> std::io::Result<()> {
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{ID_INSIDE} {user} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{ID_INSIDE} {group} 1"))
}

/// Takes every capability from this process and its children, but leaves `kept` to this process itself.
pub(crate) fn drop_capabilities(kept: CapabilitySet) -> Result<(), Error> {
    let refused = |errno: rustix::io::Errno| Error::WallMissing { wall: Wall::NoCapabilities, found: errno.to_string() };
    for number in 0..64 {
        let Some(one) = CapabilitySet::from_bits(1 << number) else { continue };
        match rustix::thread::remove_capability_from_bounding_set(one) {
            // The kernel knows fewer capabilities than the headers.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(errno) => return Err(refused(errno)),
        }
    }
    rustix::thread::clear_ambient_capability_set().map_err(refused)?;
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).map_err(refused)
}
