//! Attempts on what stands where: namespaces, the root, files behind Landlock.

use super::Outcome;
use super::call::refused;
use super::scene::{Look, NAMESPACES};
use crate::root::CANARY_NAME;
use crate::{identity, kernel};
use rustix::fs::{AtFlags, CWD, Dev, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

/// What is opened to see whether opens are observed: a file that is not what it is called, so that only its real path counts.
const OBSERVED: &CStr = c"/proc/self/root/.";
/// Where that leads.
pub(crate) const OBSERVED_INSIDE: &str = "/";
/// Places of every host that no session shows.
const HOST_PLACES: [&CStr; 6] = [c"/sys", c"/boot", c"/dev/kmsg", c"/dev/mem", c"/dev/kvm", c"/etc/shadow"];
/// Files of procfs that are masked, as far as the kernel has them, and the number of the device that masks them (`/dev/null`).
const MASKED: [&CStr; 5] = [c"/proc/kcore", c"/proc/keys", c"/proc/kallsyms", c"/proc/timer_list", c"/proc/kmsg"];
const NULL_DEVICE: (u32, u32) = (1, 3);
/// A port that only a capability opens.
const LOW_PORT: u16 = 79;
/// Documentation addresses (RFC 5737, RFC 3849): if a connection to one succeeds, something redirected it.
pub(crate) const KNOCK_V4: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)), 443);
pub(crate) const KNOCK_V6: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9)), 443);

/// The namespace of that number, in the order of [`NAMESPACES`], is none of the supervisor's.
pub(super) fn is_in_own<const NUMBER: usize>(look: &Look<'_>) -> Outcome {
    let (Some(path), Some(outside)) = (NAMESPACES.get(NUMBER), look.scene.outside.get(NUMBER)) else { return Outcome::Succeeded };
    // A kernel without that kind of namespace: the supervisor has none either.
    if *outside == 0 {
        return Outcome::Unused;
    }
    Outcome::held(rustix::fs::stat(*path).is_ok_and(|stat| stat.st_ino != *outside))
}

pub(super) fn has_the_inside_id(_: &Look<'_>) -> Outcome {
    let (user, group) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    Outcome::held(user == identity::ID_INSIDE && group == identity::ID_INSIDE)
}

/// A parent outside of the namespace has no number in it.
pub(super) fn sees_no_parent(_: &Look<'_>) -> Outcome {
    Outcome::held(rustix::process::getppid().is_none())
}

/// procfs is the session's own: it knows this process by the number that this process knows.
pub(super) fn sees_own_processes(_: &Look<'_>) -> Outcome {
    let mut buffer = [std::mem::MaybeUninit::<u8>::uninit(); 16];
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let Ok((link, _)) = rustix::fs::readlinkat_raw(CWD, c"/proc/self", &mut buffer) else { return Outcome::Succeeded };
    let number = link.iter().fold(0_i32, |number, digit| number.saturating_mul(10).saturating_add(i32::from(digit.wrapping_sub(b'0'))));
    Outcome::held(number == own)
}

pub(super) fn has_own_host_name(_: &Look<'_>) -> Outcome {
    Outcome::held(rustix::system::uname().nodename().to_bytes() == crate::warden::HOST_NAME)
}

pub(super) fn make_folder_in_root(_: &Look<'_>) -> Outcome {
    let made = rustix::fs::mkdirat(CWD, c"/.probe", Mode::from_raw_mode(0o700));
    if made.is_ok() {
        let _left = rustix::fs::unlinkat(CWD, c"/.probe", AtFlags::REMOVEDIR);
    }
    refused(made, &[Errno::ROFS, Errno::ACCESS])
}

pub(super) fn look_at_host_places(_: &Look<'_>) -> Outcome {
    Outcome::held(HOST_PLACES.iter().all(|path| rustix::fs::stat(*path).err() == Some(Errno::NOENT)))
}

/// The process's own file, so that only the mount refuses.
pub(super) fn change_process_file(_: &Look<'_>) -> Outcome {
    let opened = rustix::fs::openat(CWD, c"/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
    refused(opened, &[Errno::ROFS])
}

pub(super) fn look_at_kernel_memory(_: &Look<'_>) -> Outcome {
    let mut outcome = Outcome::Unused;
    for stat in MASKED.iter().filter_map(|path| rustix::fs::stat(*path).ok()) {
        if (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev)) != NULL_DEVICE {
            return Outcome::Succeeded;
        }
        outcome = Outcome::Refused;
    }
    outcome
}

pub(super) fn mounts_have_their_flags(look: &Look<'_>) -> Outcome {
    let has = |path: &CStr, flags| rustix::fs::statvfs(path).is_ok_and(|stat| stat.f_flag.contains(flags));
    Outcome::held(look.scene.mounts.iter().all(|(path, flags)| has(path, *flags)))
}

pub(super) fn read_unlisted_file(_: &Look<'_>) -> Outcome {
    refused(rustix::fs::openat(CWD, CANARY_NAME, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()), &[Errno::ACCESS])
}

pub(super) fn cut_unlisted_file(_: &Look<'_>) -> Outcome {
    refused(kernel::truncate(CANARY_NAME), &[Errno::ROFS, Errno::ACCESS])
}

/// Device number 0 is one that a process without capabilities may make, and Landlock lets those make it who may make files (6.1.192).
pub(super) fn make_device(look: &Look<'_>) -> Outcome {
    let Some(path) = look.scene.node.as_deref() else { return Outcome::Unused };
    let made = rustix::fs::mknodat(CWD, path, FileType::CharacterDevice, Mode::from_raw_mode(0o600), Dev::default());
    if made.is_ok() {
        let _left = rustix::fs::unlinkat(CWD, path, AtFlags::empty());
    }
    refused(made, &[Errno::PERM])
}

/// The right came with version 6; before, only the process namespace keeps signals in.
pub(super) fn signal_outsider(look: &Look<'_>) -> Outcome {
    if look.scene.landlock_abi < crate::rules::WITH_SCOPES {
        return Outcome::Unused;
    }
    refused(rustix::process::test_kill_process(rustix::process::Pid::INIT), &[Errno::PERM])
}

/// The right came with version 6; before, only the network namespace keeps the host's sockets out.
pub(super) fn connect_abstract(look: &Look<'_>) -> Outcome {
    if look.scene.landlock_abi < crate::rules::WITH_SCOPES {
        return Outcome::Unused;
    }
    connect_unix(&look.scene.abstract_socket, Errno::PERM)
}

/// What stands there is a folder, so that the kernel alone would find nobody who listens.
pub(super) fn connect_host_socket(look: &Look<'_>) -> Outcome {
    look.scene.host_socket.as_deref().map_or(Outcome::Unused, |address| connect_unix(address, Errno::ACCESS))
}

fn connect_unix(address: &[u8], refusal: Errno) -> Outcome {
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None);
    match socket {
        Ok(socket) => refused(kernel::connect(socket.as_fd(), address), &[refusal]),
        // A session without sockets has none to connect.
        Err(Errno::AFNOSUPPORT) => Outcome::Unused,
        Err(_) => Outcome::Unsure,
    }
}

pub(super) fn open_observed(look: &Look<'_>) -> Outcome {
    if !look.scene.observes_files {
        return Outcome::Unused;
    }
    Outcome::held(rustix::fs::openat(CWD, OBSERVED, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).is_ok())
}

pub(super) fn open_refused_observed(look: &Look<'_>) -> Outcome {
    if look.scene.observes_files { read_unlisted_file(look) } else { Outcome::Unused }
}

/// Without a door, no address but loopback's own can be reached.
pub(super) fn reach_out(look: &Look<'_>) -> Outcome {
    if look.scene.has_door {
        return Outcome::Unused;
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    match rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None) {
        Ok(socket) => refused(rustix::net::connect(&socket, &KNOCK_V4), &[Errno::NETUNREACH]),
        Err(Errno::AFNOSUPPORT) => Outcome::Unused,
        Err(_) => Outcome::Unsure,
    }
}

pub(super) fn bind_low_port(_: &Look<'_>) -> Outcome {
    let Ok(socket) = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None) else {
        return Outcome::Unused;
    };
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), LOW_PORT);
    refused(rustix::net::bind(&socket, &address), &[Errno::ACCESS])
}

/// Held if the connection is made: who took it, the warden sees.
pub(super) fn knock_v4(look: &Look<'_>) -> Outcome {
    if look.scene.has_door { knock(KNOCK_V4) } else { Outcome::Unused }
}

/// The same by IPv6, where the host has it.
pub(super) fn knock_v6(look: &Look<'_>) -> Outcome {
    if look.scene.has_door { knock(KNOCK_V6) } else { Outcome::Unused }
}

fn knock(address: SocketAddr) -> Outcome {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let Ok(socket) = rustix::net::socket_with(family, SocketType::STREAM, flags, None) else { return Outcome::Unused };
    // Over loopback the handshake is done before connect returns to a second call.
    let _started = rustix::net::connect(&socket, &address);
    Outcome::held(matches!(rustix::net::connect(&socket, &address), Ok(()) | Err(Errno::ISCONN)))
}
