use super::{Built, Inmate, Setup, answer, decode_request, failed_step, launch};
use crate::Error;
use crate::agent::Goal;
use crate::descriptors;
use crate::message::{Answer, BYTES_MAX, Request};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions};
use std::os::fd::AsFd;

/// Exit code when the kernel does not tell one.
const UNKNOWN: i32 = 255;

/// Starts the agent when told to, holds its walls while it runs, ends whatever it leaves behind, and tells its exit code.
pub(super) fn serve(setup: &Setup, built: Built) -> Result<(), Error> {
    let result = agent(setup, &built);
    built.init.end();
    match result? {
        Some(code) => answer(setup, &Answer::Exited(code), &[]),
        None => Ok(()),
    }
}

fn agent(setup: &Setup, built: &Built) -> Result<Option<i32>, Error> {
    loop {
        match request(setup)? {
            Some(Request::Release) => break,
            Some(Request::Signal(_)) => {}
            None => return Ok(None),
        }
    }
    let inmate = launch(setup, built, Goal::Execute(&setup.image))?;
    let mut failure = [0_u8; 8];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(&inmate.status, &mut failure)).map_err(Error::errno("wait for the exec"))?;
    if length > 0 {
        return Err(failed_step(setup, failure.get(..length).unwrap_or_default()));
    }
    answer(setup, &Answer::Started, &[])?;
    watch(setup, &inmate)
}

fn watch(setup: &Setup, inmate: &Inmate) -> Result<Option<i32>, Error> {
    loop {
        let mut events = [PollFd::new(&setup.control, PollFlags::IN), PollFd::new(&inmate.pidfd, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut events, None)).map_err(Error::errno("watch the agent"))?;
        let [control, ended] = events.map(|event| !event.revents().is_empty());
        if ended {
            return exit_code(inmate).map(Some);
        }
        if control {
            match request(setup)? {
                Some(Request::Signal(number)) => signal(inmate, number),
                Some(Request::Release) => {}
                None => return Ok(None),
            }
        }
    }
}

/// The supervisor's next request; none if it is gone.
fn request(setup: &Setup) -> Result<Option<Request>, Error> {
    let mut buffer = [0_u8; BYTES_MAX];
    let received = descriptors::recv_fds(setup.control.as_fd(), &mut buffer)?;
    match buffer.get(..received.bytes) {
        Some(bytes) if !bytes.is_empty() => decode_request(bytes).map(Some),
        _ => Ok(None),
    }
}

fn signal(inmate: &Inmate, number: i32) {
    if let Some(signal) = Signal::from_named_raw(number) {
        // A group that is gone needs no signal.
        let _gone = rustix::process::kill_process_group(inmate.pid, signal);
    }
}

fn exit_code(inmate: &Inmate) -> Result<i32, Error> {
    let status = rustix::io::retry_on_intr(|| rustix::process::waitid(WaitId::PidFd(inmate.pidfd.as_fd()), WaitIdOptions::EXITED));
    let status = status.map_err(Error::errno("wait for the agent"))?;
    Ok(status.and_then(|status| status.exit_status().or_else(|| status.terminating_signal().map(|number| 128 + number))).unwrap_or(UNKNOWN))
}
