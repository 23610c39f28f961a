//! An agent's call with arguments and memory of its choice, up to the point where something would be opened: see [`crate::hostile`].
#![expect(clippy::missing_panics_doc, reason = "each panics where what must hold does not: that is what it is for")]

use super::attempt::Attempt;
use super::request::Request;
use super::target::{Target, TaskFolder};
use super::{connect, masked};
use crate::seccomp::{Notification, Number};
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::os::fd::AsFd;

/// Bytes that choose the call and its arguments; what follows is the caller's memory.
const HEAD_BYTES: usize = 8;
const CALLS: [libc::c_long; 4] = [libc::SYS_openat, libc::SYS_openat2, libc::SYS_connect, libc::SYS_execve];

/// Reads the call as the warden does, from this very process, and looks its name up without opening it.
pub fn call(bytes: &[u8]) {
    let Some((head, memory)) = bytes.split_first_chunk::<HEAD_BYTES>() else { return };
    let Ok(host_proc) = openat(CWD, c"/proc", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else { return };
    let folder = TaskFolder::default();
    let target = Target { host_proc: host_proc.as_fd(), folder: &folder, task: rustix::process::getpid().as_raw_nonzero().get() };
    let _name = connect::name(memory);
    let [choice, folder, from, length, flags @ ..] = *head;
    let Some(number) = CALLS.get(usize::from(choice) % CALLS.len()) else { return };
    let start = memory.as_ptr() as u64;
    // Mostly inside the memory at hand; sometimes far away.
    let address = if from == u8::MAX { u64::from(from) << 56 } else { start + u64::from(from) };
    let folder = if folder < 128 { u64::from(folder) } else { i64::from(libc::AT_FDCWD).cast_unsigned() };
    let flags = u64::from(u32::from_le_bytes(flags));
    let arguments = match *number {
        libc::SYS_openat2 => [folder, address, start, u64::from(length) * 8, flags, 0],
        _ => [folder, address, flags, flags >> 16, 0, 0],
    };
    let number = i32::try_from(*number).unwrap_or_default();
    let call = Notification { id: 0, task: target.task, number, full: Number::native(number.cast_unsigned()), arguments };
    super::change::look(choice, call, target);
    let Ok(request) = Request::read(&call, target) else { return };
    assert!(!request.path.as_bytes().contains(&0), "a path ends at its first zero");
    let base = if request.is_relative() { target.base(request.folder).ok() } else { None };
    let how = request.how.name_only();
    let _found = Attempt { target, request: &request, base: base.as_ref() }.find(how);
}

/// A file with settings, of which a copy without values is made: it shows names that stand in the file, and no more.
pub fn settings(bytes: &[u8]) {
    let shown = masked::settings(bytes);
    for line in shown.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let rest = line.strip_suffix(masked::VALUE).and_then(|line| line.strip_suffix(b"=")).unwrap_or_default();
        let name = rest.strip_prefix(b"export ").unwrap_or(rest);
        assert!(!name.is_empty() && bytes.windows(name.len()).any(|part| part == name), "a line shows a name of the file");
    }
}
