//! Tries the walls from inside, in a process with exactly the agent's walls, before there is an agent.

use crate::root::CANARY;
use crate::{kernel, limits};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::os::fd::BorrowedFd;

/// Namespaces in the order of [`namespaces`].
pub(crate) const NAMESPACES: [&std::ffi::CStr; 8] = [
    c"/proc/self/ns/user",
    c"/proc/self/ns/mnt",
    c"/proc/self/ns/pid",
    c"/proc/self/ns/net",
    c"/proc/self/ns/ipc",
    c"/proc/self/ns/uts",
    c"/proc/self/ns/cgroup",
    c"/proc/self/ns/time",
];
/// How many answers a probe gives after the namespaces.
const TRIALS: usize = 9;
/// What the probe opens to see whether opens are observed: a file that is not what it is called, so that only its real path counts.
const OBSERVED: &std::ffi::CStr = c"/proc/self/root/.";
/// Where that leads.
pub(crate) const OBSERVED_INSIDE: &str = "/";
/// Bytes of a probe's whole answer.
pub(crate) const ANSWER_BYTES: usize = NAMESPACES.len() * 8 + TRIALS;

/// Inode numbers of the namespaces that this process is in; 0 where there is none.
pub(crate) fn namespaces() -> [u64; NAMESPACES.len()] {
    NAMESPACES.map(|path| rustix::fs::stat(path).map_or(0, |stat| stat.st_ino))
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one answer for each trial, none depends on another")]
pub(crate) struct Findings {
    pub(crate) namespaces: [u64; NAMESPACES.len()],
    pub(crate) root: bool,
    pub(crate) landlock: bool,
    pub(crate) seccomp: bool,
    pub(crate) no_new_privileges: bool,
    pub(crate) no_capabilities: bool,
    pub(crate) door_v4: bool,
    pub(crate) door_v6: bool,
    pub(crate) processes_counted: bool,
    /// It opened a file that the warden must have seen.
    pub(crate) opened: bool,
}

impl Findings {
    /// Reads a probe's answer; a short one is none.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, trials) = bytes.split_at_checked(NAMESPACES.len() * 8)?;
        let mut namespaces = [0; NAMESPACES.len()];
        for (to, from) in namespaces.iter_mut().zip(numbers.chunks_exact(8)) {
            *to = u64::from_ne_bytes(from.try_into().ok()?);
        }
        let [root, landlock, seccomp, no_new_privileges, no_capabilities, door_v4, door_v6, processes_counted, opened] =
            <[u8; TRIALS]>::try_from(trials).ok()?.map(|b| b == 1);
        Some(Self { namespaces, root, landlock, seccomp, no_new_privileges, no_capabilities, door_v4, door_v6, processes_counted, opened })
    }
}

/// The probe's part: tries everything and writes one answer. Allocates nothing.
pub(crate) fn run(answer: BorrowedFd<'_>) {
    let mut bytes = [0_u8; ANSWER_BYTES];
    let (numbers, trials) = bytes.split_at_mut(NAMESPACES.len() * 8);
    for (to, from) in numbers.chunks_exact_mut(8).zip(namespaces()) {
        to.copy_from_slice(&from.to_ne_bytes());
    }
    let results = [
        root_holds(),
        rustix::fs::openat(CWD, CANARY, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).err() == Some(Errno::ACCESS),
        kernel::keyring_is_refused(),
        rustix::thread::no_new_privs() == Ok(true),
        no_capabilities(),
        knock(AddressFamily::INET),
        knock(AddressFamily::INET6),
        limits::counts_processes(),
        rustix::fs::openat(CWD, OBSERVED, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).is_ok(),
    ];
    for (to, from) in trials.iter_mut().zip(results) {
        *to = u8::from(from);
    }
    let _lost = rustix::io::write(answer, &bytes);
}

/// The root cannot be written, is its own parent, and the warden's id is not root's.
fn root_holds() -> bool {
    let refused = rustix::fs::mkdirat(CWD, c"/.probe", Mode::from_raw_mode(0o700)).err() == Some(Errno::ROFS);
    let same = match (rustix::fs::stat(c"/"), rustix::fs::stat(c"/..")) {
        (Ok(root), Ok(parent)) => (root.st_dev, root.st_ino) == (parent.st_dev, parent.st_ino),
        _ => false,
    };
    refused && same && rustix::process::getuid().as_raw() == crate::identity::ID_INSIDE
}

fn no_capabilities() -> bool {
    let Ok(sets) = rustix::thread::capabilities(None) else { return false };
    let bounded = (0..41).all(|number| {
        rustix::thread::CapabilitySet::from_bits(1 << number)
            .is_none_or(|one| !rustix::thread::capability_is_in_bounding_set(one).unwrap_or(false))
    });
    sets.effective.is_empty() && sets.permitted.is_empty() && sets.inheritable.is_empty() && bounded
}

/// Documentation addresses (RFC 5737, RFC 3849): if a connection to one succeeds, something redirected it.
pub(crate) const KNOCK_V4: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9)), 443);
pub(crate) const KNOCK_V6: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9)), 443);

fn knock(family: AddressFamily) -> bool {
    let address = if family == AddressFamily::INET { KNOCK_V4 } else { KNOCK_V6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let Ok(socket) = rustix::net::socket_with(family, SocketType::STREAM, flags, None) else { return false };
    // Over loopback the handshake is done before connect returns to a second call.
    let _started = rustix::net::connect(&socket, &address);
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::ISCONN) => true,
        Err(_) => false,
    }
}
