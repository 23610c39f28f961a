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
pub(super) const VALUE: &[u8] = b"masked-by-bailiwick";

/// What may stand around a value.
const QUOTES: &[u8] = b"\"'`";

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

/// Names of settings, each with something else for its value. What is not surely a name is left out, and everything behind a value of which
/// readers could differ where it ends: escaped quotes, quotes within a word, lines that go on.
pub(super) fn settings(content: &[u8]) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut open: Option<u8> = None;
    // Whether the line before was understood. The last line of something encoded looks like a name without a value.
    let mut is_understood = true;
    for line in content.split(|byte| *byte == b'\n') {
        let end = if let Some(quote) = open {
            // Still within a value of several lines.
            closed(line, quote)
        } else {
            let line = line.trim_ascii();
            let (export, rest) = line.strip_prefix(b"export ").map_or((false, line), |rest| (true, rest.trim_ascii_start()));
            let equals = rest.iter().position(|byte| *byte == b'=');
            let Some((name, value)) = equals.and_then(|equals| rest.split_at_checked(equals)) else {
                is_understood = line.is_empty() || line.starts_with(b"#");
                continue;
            };
            let (name, value) = (name.trim_ascii_end(), value.get(1..).unwrap_or_default());
            let is_tail = value.iter().all(|byte| *byte == b'=') && !(value.is_empty() && is_understood);
            is_understood = is_name(name) && !is_tail;
            if is_understood {
                shown.extend([if export { &b"export "[..] } else { b"" }, name, b"=", VALUE, b"\n"].concat());
            }
            opened(value)
        };
        match end {
            End::Here => open = None,
            End::Later(quote) => open = Some(quote),
            End::Unclear => break,
        }
    }
    shown
}

/// Where a value ends.
enum End {
    /// On this line.
    Here,
    /// Where this quote is met on a later line.
    Later(u8),
    /// Readers could differ.
    Unclear,
}

/// Where a value ends that begins here.
fn opened(value: &[u8]) -> End {
    match value.trim_ascii_start().split_first() {
        Some((quote, rest)) if QUOTES.contains(quote) => closed(rest, *quote),
        _ if value.ends_with(b"\\") || QUOTES.iter().any(|quote| value.split(|byte| byte == quote).count() % 2 == 0) => End::Unclear,
        _ => End::Here,
    }
}

/// Where a value ends that opened this quote before.
fn closed(line: &[u8], quote: u8) -> End {
    let Some(place) = line.iter().position(|byte| *byte == quote) else { return End::Later(quote) };
    let (before, behind) = line.split_at_checked(place).unwrap_or_default();
    let behind = behind.get(1..).unwrap_or_default().trim_ascii();
    let goes_on = behind.ends_with(b"\\") || behind.iter().any(|byte| QUOTES.contains(byte));
    if before.ends_with(b"\\") || goes_on { End::Unclear } else { End::Here }
}

fn is_name(name: &[u8]) -> bool {
    let head = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    head && name.len() <= NAME_BYTES_MAX && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte))
}

#[cfg(test)]
mod tests;
