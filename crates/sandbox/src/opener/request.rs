use super::target::Target;
use crate::seccomp::{Notification, SET_ID};
use libc::{
    O_ACCMODE, O_APPEND, O_ASYNC, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK,
    O_PATH, O_RDONLY, O_SYNC, O_TMPFILE, O_TRUNC, O_WRONLY,
};
use rustix::io::Errno;
use schema::event::FileMode;
use std::ffi::CString;

/// The kernel's own O_LARGEFILE; the C library calls it 0 where every file may be large.
const O_LARGEFILE: i32 = if cfg!(target_arch = "aarch64") { 0o400_000 } else { 0o100_000 };
/// Flags that `open` knows; it ignores others.
const KNOWN: i32 = O_ACCMODE
    | O_CREAT
    | O_EXCL
    | O_NOCTTY
    | O_TRUNC
    | O_APPEND
    | O_NONBLOCK
    | O_SYNC
    | O_DSYNC
    | O_ASYNC
    | O_DIRECT
    | O_LARGEFILE
    | O_DIRECTORY
    | O_NOFOLLOW
    | O_NOATIME
    | O_CLOEXEC
    | O_PATH
    | O_TMPFILE;
/// Flags that count with O_PATH; `open` ignores others.
const KNOWN_PATH: i32 = O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
/// The bit of O_TMPFILE that is not O_DIRECTORY.
const TEMPORARY: i32 = O_TMPFILE & !O_DIRECTORY;
/// Flags of an open file that can be set later.
const SETTABLE: i32 = O_APPEND | O_DIRECT | O_NOATIME;
/// Bytes of the first, so far only, version of `open_how`.
const HOW_BYTES: usize = 24;
const HOW_BYTES_MAX: usize = 4096;

/// What the agent asked for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) folder: i32,
    pub(super) path: CString,
    pub(super) how: How,
}

/// How the agent wants it opened, checked by nobody but the kernel when it is opened.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    pub(super) flags: u64,
    mode: u64,
    pub(super) resolve: u64,
}

impl Request {
    /// Takes the request from the caller's registers and memory.
    pub(super) fn read(call: &Notification, target: Target<'_>) -> Result<Self, Errno> {
        let [a, b, c, d, ..] = call.arguments;
        match libc::c_long::from(call.number) {
            libc::SYS_openat => Ok(Self { folder: low(a), path: target.text(b)?, how: How::classic(low(c), d) }),
            libc::SYS_openat2 => {
                // In the kernel's order: first how, then the path.
                let how = How::read(target, c, d)?;
                if how.has(O_PATH) {
                    // Such a descriptor cannot be handed over. Callers fall back to `openat`, where the kernel makes it.
                    return Err(Errno::NOSYS);
                }
                Ok(Self { folder: low(a), path: target.text(b)?, how })
            }
            #[cfg(target_arch = "x86_64")]
            libc::SYS_open => Ok(Self { folder: libc::AT_FDCWD, path: target.text(a)?, how: How::classic(low(b), c) }),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_creat => {
                Ok(Self { folder: libc::AT_FDCWD, path: target.text(a)?, how: How::classic(O_CREAT | O_WRONLY | O_TRUNC, b) })
            }
            _ => Err(Errno::NOSYS),
        }
    }

    /// Looks up what a Unix socket's address names, as `connect` does.
    pub(super) fn name(path: CString) -> Self {
        Self { folder: libc::AT_FDCWD, path, how: How::classic(O_PATH, 0) }
    }

    /// Looks up a file that is to be changed.
    pub(super) fn object(folder: i32, path: CString, follows: bool) -> Self {
        Self { folder, path, how: How::classic(if follows { O_PATH } else { O_PATH | O_NOFOLLOW }, 0) }
    }

    /// Looks up a folder in which a name is to be changed.
    pub(super) fn folder(path: CString) -> Self {
        Self { folder: libc::AT_FDCWD, path, how: How::classic(O_PATH | O_DIRECTORY, 0) }
    }

    /// Whether the path starts at a folder of the caller's, not at the root.
    pub(super) fn is_relative(&self) -> bool {
        !self.path.as_bytes().starts_with(b"/") || self.how.resolve & libc::RESOLVE_IN_ROOT != 0
    }
}

/// An argument of type `unsigned int`: the kernel reads its low half.
pub(super) fn low_unsigned(argument: u64) -> u32 {
    u32::try_from(argument & u64::from(u32::MAX)).unwrap_or_default()
}

/// An argument of type `int`.
pub(super) fn low(argument: u64) -> i32 {
    low_unsigned(argument).cast_signed()
}

impl How {
    /// As `open` reads its arguments (`build_open_how` of the kernel).
    fn classic(flags: i32, mode: u64) -> Self {
        let flags = if flags & O_PATH == 0 { flags & KNOWN } else { flags & KNOWN_PATH };
        let creates = flags & (O_CREAT | TEMPORARY) != 0;
        Self { flags: u64::from(flags.cast_unsigned()), mode: if creates { mode & 0o7777 } else { 0 }, resolve: 0 }
    }

    /// As `openat2` reads its argument: a longer one is fine as long as the rest is zero.
    fn read(target: Target<'_>, address: u64, length: u64) -> Result<Self, Errno> {
        let length = usize::try_from(length).map_err(|_| Errno::TOOBIG)?;
        if length < HOW_BYTES {
            return Err(Errno::INVAL);
        }
        if length > HOW_BYTES_MAX {
            return Err(Errno::TOOBIG);
        }
        let bytes = target.bytes(address, length)?;
        let (known, rest) = bytes.split_at_checked(HOW_BYTES).ok_or(Errno::INVAL)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(Errno::TOOBIG);
        }
        let mut numbers = known.chunks_exact(8).filter_map(|part| part.try_into().ok()).map(u64::from_ne_bytes);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(flags), Some(mode), Some(resolve)) => Ok(Self { flags, mode, resolve }),
            _ => Err(Errno::INVAL),
        }
    }

    pub(super) fn has(self, flag: i32) -> bool {
        self.flags & u64::from(flag.cast_unsigned()) != 0
    }

    /// Whether the file mode mask counts.
    pub(super) fn creates(self) -> bool {
        self.has(O_CREAT) || self.has(TEMPORARY)
    }

    /// Whether the new file would lend its owner's or its group's rights to whoever executes it.
    pub(super) fn lends_rights(self) -> bool {
        self.creates() && self.mode & u64::from(SET_ID) != 0
    }

    /// Whether only the name is looked up: nothing can be read or written by the descriptor.
    pub(super) fn is_path(self) -> bool {
        self.has(O_PATH)
    }

    /// Whether opening alone may change something, or what it opens may be written.
    pub(super) fn changes(self) -> bool {
        !self.is_path() && (self.access() != O_RDONLY || self.creates() || self.has(O_TRUNC))
    }

    /// Whether a file that exists stays as it is.
    pub(super) fn only_reads(self) -> bool {
        self.access() == O_RDONLY && !self.has(O_TRUNC) && !self.has(TEMPORARY)
    }

    /// Whether the path is resolved in a way that the long way does not know.
    pub(super) fn is_bounded(self) -> bool {
        self.resolve & super::attempt::SHORT_ONLY != 0
    }

    /// For looking up the folder of a path that is to be resolved the same way.
    pub(super) fn of_folder(self) -> Self {
        Self { flags: u64::from((O_PATH | O_DIRECTORY).cast_unsigned()), mode: 0, resolve: self.resolve }
    }

    /// Whether a link at the end is followed.
    pub(super) fn follows(self) -> bool {
        !(self.has(O_NOFOLLOW) || self.has(O_CREAT) && self.has(O_EXCL))
    }

    /// Whether opening waits for what is to be opened.
    pub(super) fn waits(self) -> bool {
        !self.has(O_NONBLOCK) && !self.is_path() && self.resolve & libc::RESOLVE_CACHED == 0
    }

    pub(super) fn access(self) -> i32 {
        low(self.flags) & O_ACCMODE
    }

    /// What the event says about it.
    pub(super) fn file_mode(self) -> FileMode {
        match self.access() {
            O_RDONLY => FileMode::Read,
            O_WRONLY => FileMode::Write,
            _ => FileMode::ReadWrite,
        }
    }

    /// For the warden's own call: it must not wait, get a terminal, or keep the descriptor over an exec.
    pub(super) fn at_once(self, resolve: u64) -> libc::open_how {
        let more = if self.is_path() { O_CLOEXEC } else { O_CLOEXEC | O_NOCTTY | O_NONBLOCK };
        make(self.flags | u64::from(more.cast_unsigned()), self.mode, self.resolve | resolve)
    }

    /// For opening once more what was found already; this may wait.
    pub(super) fn again(self) -> libc::open_how {
        let less = O_CREAT | O_EXCL | O_NOFOLLOW | O_DIRECTORY;
        make(self.flags & !u64::from(less.cast_unsigned()) | u64::from((O_CLOEXEC | O_NOCTTY).cast_unsigned()), 0, 0)
    }

    /// For looking the name up only.
    pub(super) fn name_only(self) -> Self {
        let kept = if self.follows() { 0 } else { O_NOFOLLOW };
        Self { flags: u64::from((O_PATH | kept).cast_unsigned()), mode: 0, resolve: self.resolve }
    }

    /// For a terminal that stands for `/dev/tty`.
    pub(super) fn for_terminal(self) -> libc::open_how {
        make(self.again().flags, 0, libc::RESOLVE_NO_SYMLINKS)
    }

    /// The flags to set when the descriptor that was opened without waiting is to wait from now on.
    pub(super) fn settable(self) -> rustix::fs::OFlags {
        let flags = self.flags & u64::from(SETTABLE.cast_unsigned());
        rustix::fs::OFlags::from_bits_retain(u32::try_from(flags).unwrap_or_default())
    }
}

/// For a step on the way: the name only, with more flags.
pub(super) fn lookup(flags: i32, resolve: u64) -> libc::open_how {
    make(u64::from((O_PATH | O_CLOEXEC | flags).cast_unsigned()), 0, resolve)
}

/// For listing a folder, without following any link.
pub(super) fn listing() -> libc::open_how {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    make(u64::from(flags.cast_unsigned()), 0, libc::RESOLVE_BENEATH | libc::RESOLVE_NO_SYMLINKS | libc::RESOLVE_NO_MAGICLINKS)
}

/// For opening once more, without waiting, what was found already.
pub(super) fn again(access: i32) -> libc::open_how {
    make(u64::from((access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC).cast_unsigned()), 0, 0)
}

fn make(flags: u64, mode: u64, resolve: u64) -> libc::open_how {
    // SAFETY: all fields are plain numbers, for which zero is valid.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    (how.flags, how.mode, how.resolve) = (flags, mode, resolve);
    how
}

#[cfg(test)]
mod tests;
