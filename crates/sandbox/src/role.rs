use crate::Error;
use crate::kernel::{self, Fork};
use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::panic::AssertUnwindSafe;

/// Exit code of a role that panicked.
const PANICKED: i32 = 70;
/// Numbers below it are standard input, output and error.
pub(crate) const STANDARD_STREAMS: RawFd = 3;

/// A process of the product's own, made by [`fork_role`].
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    pidfd: OwnedFd,
    exit_code: Option<i32>,
}

/// Starts a role (door, gateway) as a copy of this process, without exec, and returns in the parent only.
///
/// In the child, standard input and output lead to `/dev/null`, standard error stays, and of the other descriptors only those in
/// `keep` are open: `role` must use no other one that it captured (its number may be another file's by then). What it has borrowed
/// for `keep` it may clone inside. The child has default signals (a broken pipe is an error, not a death), a session of its own
/// without terminal, no argument and no environment in `/proc`, and memory that no other process of the user may read. It dies with
/// this process. Its exit code is what `role` returns; a panic in it is caught and becomes 70, as does a preparation that failed.
///
/// # Errors
/// [`Error::Threaded`] if this process has more than one thread; [`Error::Order`] if one of its standard streams is closed or `keep`
/// names one; [`Error::System`] if the kernel refuses the fork.
pub fn fork_role(keep: &[BorrowedFd<'_>], role: impl FnOnce() -> i32) -> Result<Child, Error> {
    if !kernel::is_single_threaded().map_err(Error::system("count this process's threads"))? {
        return Err(Error::Threaded);
    }
    if keep.iter().any(|fd| fd.as_raw_fd() < STANDARD_STREAMS) {
        return Err(Error::Order("a role cannot be handed a standard stream"));
    }
    if (0..STANDARD_STREAMS).any(|number| !kernel::is_open(number)) {
        return Err(Error::Order("standard input, output and error must be open when a role is started"));
    }
    let parent = rustix::process::getpid();
    match kernel::fork().map_err(Error::system("fork a role"))? {
        Fork::Parent(pid) => Child::open(pid),
        Fork::Child => {
            let code = match become_role(parent, keep) {
                Ok(()) => std::panic::catch_unwind(AssertUnwindSafe(role)).unwrap_or(PANICKED),
                Err(_) => PANICKED,
            };
            kernel::exit_now(code)
        }
    }
}

/// Cuts the new role off from what its parent had.
fn become_role(parent: Pid, keep: &[BorrowedFd<'_>]) -> Result<(), Error> {
    if !die_with_parent(parent) {
        return Err(Error::Order("the role's parent is gone"));
    }
    scrub_arguments();
    hide_memory()?;
    rustix::process::setsid().map_err(Error::errno("leave the parent's terminal"))?;
    kernel::reset_signals();
    kernel::ignore_broken_pipes();
    let mut kept: Vec<RawFd> = keep.iter().map(AsRawFd::as_raw_fd).collect();
    kept.push(STANDARD_STREAMS - 1);
    close_others(kept, 0..STANDARD_STREAMS - 1)
}

/// Makes this process's memory, descriptors and environment unreadable for others of the same user.
pub(crate) fn hide_memory() -> Result<(), Error> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Error::errno("hide this process's memory"))
}

/// Closes every descriptor that is not listed and leads the streams `nulled` to `/dev/null`.
pub(crate) fn close_others(kept: Vec<RawFd>, nulled: std::ops::Range<RawFd>) -> Result<(), Error> {
    for (first, last) in crate::agent::gaps(kept) {
        kernel::close_range(first, last).map_err(Error::system("close inherited descriptors"))?;
    }
    let null = rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map_err(Error::errno("open /dev/null"))?;
    for number in nulled.clone() {
        if number != null.as_raw_fd() {
            kernel::duplicate_to(null.as_raw_fd(), number).map_err(Error::system("detach a standard stream"))?;
        }
    }
    if nulled.contains(&null.as_raw_fd()) {
        // It is the standard stream itself.
        let _stays = null.into_raw_fd();
    }
    Ok(())
}

/// Asks the kernel to kill this process when its parent dies; false if the parent is gone already.
pub(crate) fn die_with_parent(parent: Pid) -> bool {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).is_ok() && rustix::process::getppid() == Some(parent)
}

impl Child {
    pub(crate) fn open(pid: Pid) -> Result<Self, Error> {
        let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(Error::errno("open a child process"))?;
        Ok(Self { pid, pidfd, exit_code: None })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Readable when the process has ended.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Ends it at once.
    pub fn kill(&self) {
        // A process that is gone already needs no signal.
        let _gone = rustix::process::pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Waits for its end and returns its exit code (128 + signal number if a signal ended it).
    ///
    /// # Errors
    /// [`Error::System`] if the kernel does not know the process.
    pub fn wait(&mut self) -> Result<i32, Error> {
        if let Some(code) = self.exit_code {
            return Ok(code);
        }
        let status = rustix::io::retry_on_intr(|| rustix::process::waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED))
            .map_err(Error::errno("wait for a child process"))?;
        let code = status.map_or(PANICKED, |status| {
            status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal)).unwrap_or(PANICKED)
        });
        self.exit_code = Some(code);
        Ok(code)
    }
}

/// Overwrites the memory in which the kernel keeps this process's arguments and environment, so that `/proc/PID/cmdline` and
/// `/proc/PID/environ` show nothing. After it, the process sees an empty environment: read what is needed before.
///
/// Does nothing in a process with several threads (another one could be reading).
pub fn scrub_arguments() {
    if !kernel::is_single_threaded().unwrap_or(false) {
        return;
    }
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return };
    // Fields after the command's closing bracket start at number 3; arg_start is 48, arg_end 49, env_start 50, env_end 51 (proc(5)).
    let Some((_, fields)) = stat.rsplit_once(')') else { return };
    let numbers: Vec<usize> = fields.split_whitespace().skip(45).take(4).filter_map(|text| text.parse().ok()).collect();
    if let [arguments, arguments_end, environment, environment_end] = numbers[..] {
        for (start, end) in [(arguments, arguments_end), (environment, environment_end)] {
            if start != 0 && start < end {
                kernel::zero(start, end - start);
            }
        }
    }
}
