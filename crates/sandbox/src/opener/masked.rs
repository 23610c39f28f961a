//! Copies of files without their values, in memory.

use super::request::again;
use super::target::own;
use crate::kernel;
use rustix::fs::{FileType, MemfdFlags, SealFlags, fstat};
use rustix::io::Errno;
use schema::fold_name;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Largest file of which a copy is made.
const BYTES_MAX: usize = 1 << 20;
/// Longest name of a setting that is shown.
const NAME_BYTES_MAX: usize = 64;
/// What stands in a value's place.
const VALUE: &[u8] = b"masked-by-bailiwick";

/// A copy of what was opened, to be read only. `EFBIG` if it is too large, `EACCES` if it is no plain file.
pub(super) fn copy(host_proc: BorrowedFd<'_>, path: &Path, file: &OwnedFd) -> Result<OwnedFd, Errno> {
    if !FileType::from_raw_mode(fstat(file)?.st_mode).is_file() {
        return Err(Errno::ACCESS);
    }
    let content = read(file)?;
    let name = path.file_name().map(|name| fold_name(name.as_bytes())).unwrap_or_default();
    let shown = if is_settings(&name) && !has_key(&content) { settings(&content) } else { one_line(&content) };
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let make = |flags| rustix::fs::memfd_create(c"masked", flags);
    let memory = make(flags | MemfdFlags::from_bits_retain(super::NOT_EXECUTABLE));
    // A kernel that does not know the flag does not know how to keep the file from being executed either.
    let memory = memory.or_else(|errno| if errno == Errno::INVAL { make(flags) } else { Err(errno) })?;
    let mut rest = shown.as_slice();
    while !rest.is_empty() {
        let written = rustix::io::write(&memory, rest)?;
        rest = rest.get(written..).unwrap_or_default();
    }
    rustix::fs::fcntl_add_seals(&memory, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    kernel::open_how(host_proc, &own(memory.as_fd()), &again(libc::O_RDONLY))
}

fn read(file: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let mut content = vec![0; BYTES_MAX + 1];
    let mut length = 0;
    loop {
        let Some(room) = content.get_mut(length..).filter(|room| !room.is_empty()) else { return Err(Errno::FBIG) };
        match rustix::io::pread(file, room, u64::try_from(length).map_err(|_| Errno::FBIG)?)? {
            0 => break,
            more => length += more,
        }
    }
    content.truncate(length);
    Ok(content)
}

/// Whether a name (folded) is that of a file with settings, one a line.
fn is_settings(name: &str) -> bool {
    // The name is folded: there is no other case.
    let end = name.rsplit('.').next();
    name.starts_with(".env.") || name.contains('.') && end == Some("env")
}

fn has_key(content: &[u8]) -> bool {
    let begin = b"-----BEGIN ";
    content.windows(begin.len()).any(|part| part == begin)
}

fn one_line(content: &[u8]) -> Vec<u8> {
    let what = if has_key(content) { "a key or certificate" } else { "a file" };
    format!("masked by Bailiwick: {what} of {} bytes\n", content.len()).into_bytes()
}

/// Names of settings, each with something else for its value. What is not surely a name is left out.
fn settings(content: &[u8]) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut open: Option<u8> = None;
    for line in content.split(|byte| *byte == b'\n') {
        if let Some(quote) = open {
            // Still within a value of several lines.
            if line.contains(&quote) {
                open = None;
            }
            continue;
        }
        let line = line.trim_ascii_start();
        let (export, rest) = line.strip_prefix(b"export ").map_or((false, line), |rest| (true, rest.trim_ascii_start()));
        let Some(equals) = rest.iter().position(|byte| *byte == b'=') else { continue };
        let Some((name, value)) = rest.split_at_checked(equals) else { continue };
        open = opened_quote(value.get(1..).unwrap_or_default());
        let name = name.trim_ascii_end();
        if !is_name(name) {
            continue;
        }
        shown.extend_from_slice(if export { b"export " } else { b"" });
        shown.extend_from_slice(name);
        shown.push(b'=');
        shown.extend_from_slice(VALUE);
        shown.push(b'\n');
    }
    shown
}

fn is_name(name: &[u8]) -> bool {
    let head = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    head && name.len() <= NAME_BYTES_MAX && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
}

/// The quote that a value opens and does not close on its line.
fn opened_quote(value: &[u8]) -> Option<u8> {
    let value = value.trim_ascii_start();
    let (quote, rest) = value.split_first()?;
    if b"\"'`".contains(quote) && !rest.contains(quote) { Some(*quote) } else { None }
}

#[cfg(test)]
mod tests;
