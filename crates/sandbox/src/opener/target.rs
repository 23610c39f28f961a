use crate::kernel;
use crate::report::PATH_BYTES_MAX;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use rustix::thread::CapabilitySet;
use std::cell::RefCell;
use std::ffi::{CString, OsString};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Memory is read in parts that do not cross a page, so that a text may end right before a hole.
const PAGE: u64 = 4096;
/// As much is read first: most paths are shorter.
const FIRST: u64 = 256;
/// `PIDFD_THREAD` (Linux 6.9).
const THREAD: u32 = libc::O_EXCL.cast_unsigned();
/// Longest file of procfs about one thread that is read.
const STATUS_BYTES_MAX: usize = 8192;

/// The thread whose call is answered, seen through the host's `/proc`. What is read here counts only if the call is still valid afterwards.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    pub(super) host_proc: BorrowedFd<'a>,
    pub(super) folder: &'a TaskFolder,
    /// Its number in the warden's pid namespace.
    pub(super) task: i32,
}

/// The folder in the host's `/proc` of the thread that was looked at last: mostly it is the next one too, and from here its files are found
/// in a third of the time. Such a folder stays that of its thread, whoever gets the number afterwards: once the thread is gone, nothing is
/// found there any more.
#[derive(Debug, Default)]
pub(super) struct TaskFolder(RefCell<Option<(i32, OwnedFd)>>);

impl TaskFolder {
    /// Closes it. To be done before a fork: in the new process the descriptor's number would come to stand for another file.
    pub(super) fn forget(&self) {
        self.0.take();
    }

    /// Opens something in a thread's folder.
    fn open(&self, host_proc: BorrowedFd<'_>, task: i32, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let open = |folder: &OwnedFd| able(|| rustix::fs::openat(folder, name, flags | OFlags::CLOEXEC, Mode::empty()));
        let known = self.0.borrow().as_ref().filter(|(number, _)| *number == task).map(|(_, folder)| open(folder));
        match known {
            // Not there, or it was another thread's.
            None | Some(Err(Errno::NOENT | Errno::SRCH)) => {}
            Some(result) => return result,
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(host_proc, task.to_string(), flags, Mode::empty())?;
        let result = open(&folder);
        self.0.replace(Some((task, folder)));
        result
    }
}

impl Target<'_> {
    /// A path in the thread's memory. `EFAULT`, `ENAMETOOLONG` as the kernel would say.
    pub(super) fn text(self, address: u64) -> Result<CString, Errno> {
        let mut text = Vec::new();
        while text.len() < PATH_BYTES_MAX {
            let from = address.checked_add(text.len() as u64).ok_or(Errno::FAULT)?;
            let wanted = if text.is_empty() { FIRST } else { PAGE };
            let part = (PAGE - from % PAGE).min(wanted).min((PATH_BYTES_MAX - text.len()) as u64);
            let part = self.bytes(from, usize::try_from(part).map_err(|_| Errno::FAULT)?)?;
            let end = part.iter().position(|byte| *byte == 0);
            text.extend(part.into_iter().take(end.unwrap_or(PATH_BYTES_MAX)));
            if end.is_some() {
                return CString::new(text).map_err(|_| Errno::INVAL);
            }
        }
        Err(Errno::NAMETOOLONG)
    }

    /// Exactly so many bytes of the thread's memory.
    pub(super) fn bytes(self, address: u64, length: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; length];
        // A process that hides its memory from its like does not hide it from the warden.
        let read = able(|| kernel::read_memory(self.task, address, &mut bytes))?;
        if read == length { Ok(bytes) } else { Err(Errno::FAULT) }
    }

    /// The folder from which the call's path starts.
    pub(super) fn base(self, folder: i32) -> Result<OwnedFd, Errno> {
        match folder {
            libc::AT_FDCWD => self.open("cwd", OFlags::PATH),
            0.. => match self.open(&format!("fd/{folder}"), OFlags::PATH) {
                Err(Errno::NOENT) => Err(Errno::BADF),
                other => other,
            },
            _ => Err(Errno::BADF),
        }
    }

    /// A copy of one of the thread's descriptors.
    pub(super) fn descriptor(self, number: i32) -> Result<OwnedFd, Errno> {
        if number < 0 {
            return Err(Errno::BADF);
        }
        let process = match open_task(self.task, PidfdFlags::from_bits_retain(THREAD)) {
            // Linux before 6.9 opens processes only; the descriptors of their first threads are theirs.
            Err(Errno::INVAL) => {
                let status = self.file("status")?;
                let first = field(&status, "Tgid:").and_then(|text| text.parse().ok()).ok_or(Errno::ACCESS)?;
                open_task(first, PidfdFlags::empty())?
            }
            other => other?,
        };
        able(|| pidfd_getfd(&process, number, PidfdGetfdFlags::empty()))
    }

    /// The thread's file mode mask.
    pub(super) fn mask(self) -> Result<Mode, Errno> {
        let status = self.file("status")?;
        let mask = field(&status, "Umask:").and_then(|text| u32::from_str_radix(text, 8).ok());
        mask.map(Mode::from_raw_mode).ok_or(Errno::ACCESS)
    }

    /// The number of the thread's process, as the warden counts it.
    pub(super) fn process(self) -> Result<i32, Errno> {
        // Only first threads can be opened as processes, and that is quicker than reading.
        match open_task(self.task, PidfdFlags::empty()) {
            Ok(_) => Ok(self.task),
            Err(_) => field(&self.file("status")?, "Tgid:").and_then(|text| text.parse().ok()).ok_or(Errno::SRCH),
        }
    }

    /// The number of the process that traces the thread, 0 if none does, as the warden counts it.
    pub(super) fn tracer(self) -> Result<i32, Errno> {
        field(&self.file("status")?, "TracerPid:").and_then(|text| text.parse().ok()).ok_or(Errno::SRCH)
    }

    /// The thread's process and its own number, as the session counts them.
    pub(super) fn numbers(self) -> Result<(String, String), Errno> {
        let status = self.file("status")?;
        let last = |name| field(&status, name).and_then(|text| text.split_whitespace().last()).map(str::to_owned);
        match (last("NStgid:"), last("NSpid:")) {
            (Some(process), Some(thread)) => Ok((process, thread)),
            _ => Err(Errno::ACCESS),
        }
    }

    /// The number below `/dev/pts` of the terminal that the thread's session has. `ENXIO` if it has none.
    pub(super) fn terminal(self) -> Result<u64, Errno> {
        let stat = self.file("stat")?;
        // Fields after the command's closing bracket start at number 3; tty_nr is 7 (proc(5)).
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields).ok_or(Errno::NXIO)?;
        let device: u64 = fields.split_whitespace().nth(4).and_then(|text| text.parse().ok()).ok_or(Errno::NXIO)?;
        let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
        if major == 136 { Ok(minor) } else { Err(Errno::NXIO) }
    }

    /// Opens one of the thread's files in procfs.
    pub(super) fn open(self, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        self.folder.open(self.host_proc, self.task, name, flags)
    }

    fn file(self, name: &str) -> Result<String, Errno> {
        let file = self.open(name, OFlags::RDONLY)?;
        let mut buffer = vec![0; STATUS_BYTES_MAX];
        let length = rustix::io::read(&file, &mut buffer)?;
        buffer.truncate(length);
        Ok(String::from_utf8_lossy(&buffer).into_owned())
    }
}

fn open_task(number: i32, flags: PidfdFlags) -> Result<OwnedFd, Errno> {
    pidfd_open(Pid::from_raw(number).ok_or(Errno::SRCH)?, flags)
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Does something without and, if that is refused, with the warden's one capability in effect.
pub(super) fn able<T>(mut attempt: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    match attempt() {
        Err(Errno::PERM | Errno::ACCESS) => {
            super::raise(CapabilitySet::SYS_PTRACE).map_err(|_| Errno::PERM)?;
            let result = attempt();
            if super::raise(CapabilitySet::empty()).is_err() {
                // It must never open a file of the agent's choice with a capability in effect.
                kernel::exit_now(1);
            }
            result
        }
        other => other,
    }
}

/// Where a descriptor of the warden leads, as the session sees it.
pub(super) fn path_of(host_proc: BorrowedFd<'_>, file: BorrowedFd<'_>) -> Result<PathBuf, Errno> {
    let link = rustix::fs::readlinkat(host_proc, own(file), Vec::with_capacity(256))?;
    Ok(PathBuf::from(OsString::from_vec(link.into_bytes())))
}

/// The name below the host's `/proc` by which a descriptor of this process can be opened once more.
pub(super) fn own(file: BorrowedFd<'_>) -> CString {
    CString::new(format!("self/fd/{}", file.as_raw_fd())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
