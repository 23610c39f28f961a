//! What the kernel itself says about the process, read back.

use super::Outcome;
use super::scene::Look;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::thread::CapabilitySet;
use std::ffi::CStr;

/// Longest file that is read.
const BYTES_MAX: usize = 4096;
/// Capabilities are numbered below it.
const CAPABILITIES: u32 = 64;
/// The session's only network interface.
const LOOPBACK: &[u8] = b"lo";
/// Lines of `/proc/net/dev` before the interfaces.
const HEADERS: usize = 2;

pub(super) fn filter_is_in_force(look: &Look<'_>) -> Outcome {
    let count = look.field(b"Seccomp_filters:").and_then(number);
    Outcome::held(look.field(b"Seccomp:") == Some(b"2") && count == Some(u64::from(look.scene.filters_outside) + 1))
}

pub(super) fn gains_no_privileges(look: &Look<'_>) -> Outcome {
    Outcome::held(look.field(b"NoNewPrivs:") == Some(b"1") && rustix::thread::no_new_privs() == Ok(true))
}

pub(super) fn status_shows_no_capability(look: &Look<'_>) -> Outcome {
    let sets: [&[u8]; 5] = [b"CapInh:", b"CapPrm:", b"CapEff:", b"CapBnd:", b"CapAmb:"];
    Outcome::held(sets.iter().all(|name| look.field(name).is_some_and(|set| !set.is_empty() && set.iter().all(|digit| *digit == b'0'))))
}

pub(super) fn has_no_capability(_: &Look<'_>) -> Outcome {
    let Ok(sets) = rustix::thread::capabilities(None) else { return Outcome::Succeeded };
    let bounded = (0..CAPABILITIES).all(|number| {
        CapabilitySet::from_bits(1 << number).is_none_or(|one| !rustix::thread::capability_is_in_bounding_set(one).unwrap_or(false))
    });
    Outcome::held(sets.effective.is_empty() && sets.permitted.is_empty() && sets.inheritable.is_empty() && bounded)
}

/// One id inside, and no more.
pub(super) fn user_map_has_one_line(_: &Look<'_>) -> Outcome {
    is_one_id(c"/proc/self/uid_map")
}

/// One id inside, and no group that could be taken on or given up.
pub(super) fn group_map_has_one_line(_: &Look<'_>) -> Outcome {
    let mut buffer = [0_u8; BYTES_MAX];
    let denied = read(c"/proc/self/setgroups", &mut buffer).trim_ascii() == b"deny";
    if denied { is_one_id(c"/proc/self/gid_map") } else { Outcome::Succeeded }
}

fn is_one_id(path: &CStr) -> Outcome {
    let mut buffer = [0_u8; BYTES_MAX];
    let text = read(path, &mut buffer).trim_ascii();
    let mut fields = text.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    let (inside, _, length, more) = (fields.next(), fields.next(), fields.next(), fields.next());
    let is_one = inside.and_then(number) == Some(u64::from(crate::identity::ID_INSIDE)) && length == Some(b"1") && more.is_none();
    Outcome::held(is_one)
}

pub(super) fn has_loopback_only(_: &Look<'_>) -> Outcome {
    let mut buffer = [0_u8; BYTES_MAX];
    let text = read(c"/proc/self/net/dev", &mut buffer);
    let mut names = text.split(|byte| *byte == b'\n').skip(HEADERS).filter(|line| !line.is_empty());
    let name = |line: &[u8]| line.trim_ascii_start().strip_prefix(LOOPBACK).is_some_and(|rest| rest.first() == Some(&b':'));
    Outcome::held(names.next().is_some_and(name) && names.next().is_none())
}

fn read<'a>(path: &CStr, buffer: &'a mut [u8]) -> &'a [u8] {
    let Ok(file) = rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else { return &[] };
    let length = rustix::io::read(&file, &mut *buffer).unwrap_or(0);
    buffer.get(..length).unwrap_or_default()
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
