//! Answers the calls that the filter hands to the warden: opens files for the agent, refuses what is not on the list, reports both.
//!
//! One at a time and in this process: a process that made a pid namespace can have no threads, and a process inside would be in the
//! agent's reach.

use crate::report::Journal;
use crate::seccomp::{self, Listener, Reply};
use crate::{Error, kernel};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Answers for as long as it is asked to.
#[derive(Debug)]
pub(crate) struct Opener {
    listener: Listener,
    journal: Journal,
}

impl Opener {
    /// Makes this process open files exactly as the agent would: no capability in effect, a file mode mask of its own.
    pub(crate) fn new(listener: OwnedFd, journal: Journal) -> Result<Self, Error> {
        kernel::unshare(rustix::thread::UnshareFlags::FS).map_err(Error::errno("separate the warden's file mode mask"))?;
        raise(CapabilitySet::empty())?;
        Ok(Self { listener: Listener::new(listener), journal })
    }

    /// Waits for one call and answers it.
    pub(crate) fn answer_one(&mut self) -> Result<(), Error> {
        let received = self.listener.receive().map_err(Error::system("take a call of the agent"))?;
        let Some(call) = received else { return Ok(()) };
        self.journal.call(call.number)?;
        self.listener.reply(call.id, &Reply::Error(seccomp::refusal(call.number, &call.arguments)));
        Ok(())
    }

    /// What was reported so far.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }
}

impl AsFd for Opener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// Puts capabilities of the warden into effect, or (empty) out of it.
fn raise(effective: CapabilitySet) -> Result<(), Error> {
    let sets = CapabilitySets { effective, permitted: CapabilitySet::SYS_PTRACE, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets).map_err(Error::errno("change the warden's capabilities in effect"))
}
