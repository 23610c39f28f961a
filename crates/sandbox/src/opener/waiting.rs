//! Calls that wait for another process: the other end of a FIFO, a lease. Each waits in a process of its own, which ends with the call.

use super::request::How;
use crate::Error;
use crate::kernel::{self, Fork};
use crate::seccomp::{Listener, Reply};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Most calls that wait at once.
const COUNT_MAX: usize = 64;
/// How often it is looked whether a caller is gone.
/// How long a helper may seem to be of no use before it is ended: while its caller seems to be gone, which is also so while it answers, and
/// while its file is there without it.
const GONE_MAX: Duration = Duration::from_secs(2);
const MISSED_MAX: Duration = Duration::from_millis(40);
pub(super) const PERIOD: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The calls that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Call>);

/// One call that waits.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) goal: Goal,
    helper: Pid,
    /// Since when its helper, which still runs, seems to be of no use.
    idle_since: Option<Instant>,
}

/// What a call waits for.
#[derive(Debug)]
pub(super) enum Goal {
    /// A file; the descriptor leads to it. For a reader of a FIFO it is an end of it that counts as a reader already.
    Open(How, OwnedFd),
    /// A connection.
    Connect,
}

/// Where a fork came out.
#[derive(Debug)]
pub(super) enum Side {
    /// It was not made: too many calls wait, or the session has no room for a process.
    Full,
    /// In the warden.
    Warden(Pid),
    /// In the process that waits.
    Helper,
}

impl Waiting {
    /// Makes a process that may wait. It keeps these descriptors and no capability.
    pub(super) fn start(&self, kept: &[BorrowedFd<'_>]) -> Result<Side, Error> {
        if self.0.len() >= COUNT_MAX {
            return Ok(Side::Full);
        }
        match kernel::fork() {
            Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM)) => Ok(Side::Full),
            Err(error) => Err(Error::system("fork a process that waits")(error)),
            Ok(Fork::Parent(helper)) => Ok(Side::Warden(helper)),
            Ok(Fork::Child) => {
                if restrict(kept).is_err() {
                    kernel::exit_now(1);
                }
                Ok(Side::Helper)
            }
        }
    }

    /// Remembers a call that waits.
    pub(super) fn keep(&mut self, id: u64, goal: Goal, helper: Pid) {
        self.0.push(Call { id, goal, helper, idle_since: None });
    }

    pub(super) fn patience(&self) -> Option<Timespec> {
        if self.0.is_empty() { None } else { Some(PERIOD) }
    }

    /// Lets go of calls that are answered, ends the processes of those whose caller is gone, and returns readers of FIFOs whose other end
    /// came and went before their process could see it.
    pub(super) fn tend(&mut self, listener: &Listener) -> Vec<Call> {
        let mut ready = Vec::new();
        for mut call in std::mem::take(&mut self.0) {
            match waitpid(Some(call.helper), WaitOptions::NOHANG) {
                Ok(None) => {
                    let is_gone = !listener.is_valid(call.id);
                    let is_missed = matches!(&call.goal, Goal::Open(_, file) if is_readable(file));
                    let idle_since = (is_gone || is_missed).then(|| call.idle_since.unwrap_or_else(Instant::now));
                    call.idle_since = idle_since;
                    // A helper that is about to answer looks the same. If it were ended then, the caller would get an answer without its
                    // file, and take another one for it.
                    let idle_max = if is_gone { GONE_MAX } else { MISSED_MAX };
                    if idle_since.is_none_or(|since| since.elapsed() < idle_max) {
                        self.0.push(call);
                        continue;
                    }
                    end(call.helper);
                    if !is_gone {
                        ready.push(call);
                    }
                }
                Ok(Some((_, status))) if status.exit_status() == Some(0) => {}
                // The agent can end the process that waits for it, as it can interrupt its own call.
                Ok(Some(_)) | Err(_) => listener.reply(call.id, &Reply::Error(libc::EINTR)),
            }
        }
        ready
    }
}

fn restrict(kept: &[BorrowedFd<'_>]) -> Result<(), Error> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(Error::errno("die with the warden"))?;
    for (first, last) in crate::agent::gaps(kept.iter().map(AsRawFd::as_raw_fd).collect()) {
        kernel::close_range(first, last).map_err(Error::system("close inherited descriptors"))?;
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets).map_err(Error::errno("drop a helper's capability"))
}

fn end(helper: Pid) {
    // It may have ended by itself in the meantime; either way it is taken in.
    let _gone = kill_process(helper, Signal::KILL);
    let _taken = rustix::io::retry_on_intr(|| waitpid(Some(helper), WaitOptions::empty()));
}

fn is_readable(file: &OwnedFd) -> bool {
    let mut events = [PollFd::new(file, PollFlags::IN)];
    poll(&mut events, Some(&AT_ONCE)).is_ok_and(|_| events.iter().any(|one| one.revents().intersects(PollFlags::IN | PollFlags::HUP)))
}
