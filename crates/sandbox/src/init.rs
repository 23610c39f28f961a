//! Process 1 of the session: lends the warden a view of its processes, then only takes in orphans. Its end is the end of everything inside.

use crate::kernel::{self, Fork};
use crate::{Error, descriptors, identity, limits, root};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{DumpableBehavior, Signal};
use rustix::thread::CapabilitySet;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Process 1 as the warden holds it.
#[derive(Debug)]
pub(crate) struct Init {
    /// Process 1 ends when this closes, so also when the warden dies. (A signal would not do: Landlock keeps the warden's in.)
    link: OwnedFd,
    /// Whether process 1 bounded the numbers of its namespace's processes.
    pub(crate) bounds_processes: bool,
}

impl Init {
    /// Stops every process inside at once; false if that could not be done.
    pub(crate) fn stop_everyone(&self) -> bool {
        if descriptors::send_fds(self.link.as_fd(), STOP, &[]).is_err() {
            return false;
        }
        let mut events = [PollFd::new(&self.link, PollFlags::IN)];
        if !matches!(rustix::io::retry_on_intr(|| poll(&mut events, Some(&STOPPING_MAX))), Ok(1)) {
            return false;
        }
        let mut said = [0_u8; STOPPED.len()];
        rustix::io::read(&self.link, &mut said).is_ok_and(|length| said.get(..length) == Some(STOPPED))
    }

    /// Ends process 1, and with it everything inside, and waits until nothing is left.
    pub(crate) fn end(self) {
        drop(self.link);
        // The agent is a child of the warden too, and process 1 does not end before every process inside has been taken in.
        while rustix::io::retry_on_intr(|| rustix::process::wait(rustix::process::WaitOptions::empty())).is_ok() {}
    }
}

/// What the warden asks of process 1, and what it answers.
const STOP: &[u8] = b"stop";
const STOPPED: &[u8] = b"stopped";
/// How long process 1 may take to stop the others.
const STOPPING_MAX: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// What process 1 says with its procfs: with its processes bounded, or not.
const BOUNDED: &[u8] = b"bounded";
const UNBOUNDED: &[u8] = b"unbounded";

/// Starts process 1; returns it and a detached procfs of the session. It bounds the session's processes to `processes_max` if asked to
/// and able to.
pub(crate) fn start(processes_max: Option<u64>) -> Result<(Init, OwnedFd), Error> {
    let (ours, theirs) = descriptors::socketpair_seqpacket()?;
    match kernel::fork().map_err(Error::system("fork process 1 of the session"))? {
        Fork::Child => {
            drop(ours);
            kernel::exit_now(i32::from(run(&theirs, processes_max).is_err()))
        }
        Fork::Parent(_) => {
            drop(theirs);
            let mut buffer = [0_u8; 512];
            let received = descriptors::recv_fds(ours.as_fd(), &mut buffer)?;
            let process_files = received.descriptors.into_iter().next();
            let said = buffer.get(..received.bytes).unwrap_or_default();
            let bounds_processes = said == BOUNDED;
            process_files.map(|mount| (Init { link: ours, bounds_processes }, mount)).ok_or_else(|| {
                let found = String::from_utf8_lossy(said).into_owned();
                Error::WallMissing { wall: crate::Wall::MinimalRoot, found }
            })
        }
    }
}

fn run(warden: &OwnedFd, processes_max: Option<u64>) -> Result<(), Error> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(Error::errno("die with the warden"))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Error::errno("hide process 1"))?;
    let _cosmetic = rustix::thread::set_name(c"init");
    let bounded = processes_max.is_some_and(limits::bound_process_numbers);
    match root::process_files() {
        // If the warden died before the death signal was set, this fails and process 1 ends too.
        Ok(mount) => descriptors::send_fds(warden.as_fd(), if bounded { BOUNDED } else { UNBOUNDED }, &[mount.as_fd()])?,
        Err(error) => return descriptors::send_fds(warden.as_fd(), brief(&error.to_string()), &[]),
    }
    identity::drop_capabilities(CapabilitySet::empty())?;
    rustix::thread::set_no_new_privs(true).map_err(Error::errno("give up new privileges"))?;
    kernel::reap_children_unseen();
    for (first, last) in crate::agent::gaps(vec![warden.as_raw_fd()]) {
        kernel::close_range(first, last).map_err(Error::system("close inherited descriptors"))?;
    }
    let mut asked = [0_u8; STOP.len()];
    loop {
        let length = rustix::io::retry_on_intr(|| rustix::io::read(warden, &mut asked)).map_err(Error::errno("wait for the warden"))?;
        if length == 0 {
            return Ok(());
        }
        let is_done = asked.get(..length) == Some(STOP) && kernel::stop_everyone();
        descriptors::send_fds(warden.as_fd(), if is_done { STOPPED } else { b"failed" }, &[])?;
    }
}

fn brief(text: &str) -> &[u8] {
    text.as_bytes().get(..500).unwrap_or(text.as_bytes())
}
