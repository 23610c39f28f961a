//! Walls around the product's own processes: the ones that parse an agent's bytes give up what they do not need before there are any.

mod calls;
mod files;

use crate::{Error, Wall, kernel, seccomp};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::path::{Path, PathBuf};

/// With one byte, neither a file nor a pipe to the host's crash handler gets a core dump (core(5)); with zero, a pipe would.
const CORE_BYTES: u64 = 1;

/// Which of the product's own processes this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The door: serves sockets that it is handed, and makes none.
    Door,
    /// The gateway: connects to upstreams.
    Gateway,
    /// A model server: computes, serves sockets that it is handed, and makes none.
    Model,
}

/// What a role keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// Whose list of system calls holds.
    pub role: Role,
    /// Files that may be read, and folders with all below them. One that is not there may not be read later either.
    pub read: Vec<PathBuf>,
    /// The same, to be read and written.
    pub write: Vec<PathBuf>,
    /// Whether the gateway may reach other machines. Without it there is no internet socket at all, with it TCP may connect anywhere
    /// and UDP may be sent (name look-ups). A door or a model server never makes a socket, whatever stands here.
    pub connect: bool,
}

/// Confines this process, for good. Call it in the role's process while it is single-threaded, before the agent starts; threads that
/// are started later are confined too.
///
/// Afterwards: no new privileges and no capabilities; no file but those listed; no program, process, namespace, mount or trace; system
/// calls by the role's list, and a call that is not on it kills the process, which ends the session. No TCP port is bound or listened
/// on: listeners are handed over. Signals and abstract sockets of other processes are out of reach where the kernel can tell (Landlock
/// 6, Linux 6.12); path-named Unix sockets stay reachable for the gateway. Other processes of the user cannot read this one's memory.
///
/// Landlock's TCP rules (version 4, Linux 6.7) are a second lock: without them, the list of calls alone leaves no socket to a door, a
/// model server or a gateway that may not connect, and lets none listen.
///
/// # Errors
/// [`Error::Threaded`]; [`Error::Plan`] for a path that is relative or `/`; [`Error::WallMissing`] if the kernel lacks Landlock 2
/// (Linux 5.19) or filters, or if what was asked for does not hold when it is tried; [`Error::System`]. After an error the process may
/// be confined in part: it must end.
pub fn confine(confinement: &Confinement) -> Result<(), Error> {
    if !kernel::is_single_threaded().map_err(Error::system("count this process's threads"))? {
        return Err(Error::Threaded);
    }
    for path in confinement.read.iter().chain(&confinement.write) {
        if !path.is_absolute() || path.parent().is_none() {
            return Err(Error::Plan { problem: "a role's path must be absolute and not /", path: path.clone() });
        }
    }
    let filter = seccomp::build_role(calls::of(confinement));
    hide()?;
    drop_privileges()?;
    check_given_up()?;
    files::enforce(confinement)?;
    kernel::install_filter(&filter).map_err(|error| missing(Wall::Seccomp, error.to_string()))?;
    try_walls()
}

/// Neither another process of the user nor a crash gets at this process's memory.
fn hide() -> Result<(), Error> {
    crate::role::hide_memory()?;
    let limit = Rlimit { current: Some(CORE_BYTES), maximum: Some(CORE_BYTES) };
    // Where the caller's own limit is lower already, that one stays.
    let lower = rustix::process::getrlimit(Resource::Core).maximum.is_some_and(|maximum| maximum < CORE_BYTES);
    if lower { Ok(()) } else { rustix::process::setrlimit(Resource::Core, limit).map_err(Error::errno("refuse core dumps")) }
}

fn drop_privileges() -> Result<(), Error> {
    rustix::thread::set_no_new_privs(true).map_err(|errno| missing(Wall::NoNewPrivileges, errno.to_string()))?;
    let refused = |errno: Errno| missing(Wall::NoCapabilities, errno.to_string());
    rustix::thread::clear_ambient_capability_set().map_err(refused)?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).map_err(refused)
}

/// Reads back what was given up.
fn check_given_up() -> Result<(), Error> {
    if !rustix::thread::capabilities(None).is_ok_and(|sets| sets.permitted.is_empty() && sets.effective.is_empty()) {
        return Err(missing(Wall::NoCapabilities, "a capability is left".to_owned()));
    }
    if rustix::thread::no_new_privs() != Ok(true) {
        return Err(missing(Wall::NoNewPrivileges, "new privileges are possible".to_owned()));
    }
    match rustix::process::dumpable_behavior() {
        Ok(DumpableBehavior::NotDumpable) => Ok(()),
        _ => Err(Error::Order("this process's memory stays readable for others")),
    }
}

/// Tries the rules and the filter, by calls that the kernel alone would answer otherwise.
fn try_walls() -> Result<(), Error> {
    let outside = rustix::fs::open(Path::new("/"), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    if outside.err() != Some(Errno::ACCESS) {
        return Err(missing(Wall::Landlock, "a folder that is not listed was opened".to_owned()));
    }
    if !kernel::new_clone_is_absent() {
        return Err(missing(Wall::Seccomp, "a call that is not listed was carried out".to_owned()));
    }
    Ok(())
}

fn missing(wall: Wall, found: String) -> Error {
    Error::WallMissing { wall, found }
}

#[cfg(test)]
mod tests;
