use super::{Built, Inmate, Setup, answer, decode_request, failed_step, launch};
use crate::Error;
use crate::agent::Goal;
use crate::descriptors;
use crate::message::{Answer, BYTES_MAX, Request};
use crate::opener::Opener;
use crate::report::Journal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, WaitId, WaitIdOptions};
use std::os::fd::{AsFd, BorrowedFd};

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
    let mut inmate = launch(setup, built, Goal::Execute(&setup.image))?;
    let mut opener = match inmate.listener.take() {
        Some(listener) => {
            let reports = setup.reports.try_clone().map_err(Error::system("keep the way of reports"))?;
            let opener = Opener::new(listener, Journal::new(reports), &built.root, setup.calls.clone())?;
            inmate.go()?;
            Some(opener)
        }
        None => None,
    };
    let mut failure = [0_u8; 8];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(&inmate.status, &mut failure)).map_err(Error::errno("wait for the exec"))?;
    if length > 0 {
        return Err(failed_step(setup, failure.get(..length).unwrap_or_default()));
    }
    answer(setup, &Answer::Started, &[])?;
    watch(setup, &inmate, opener.as_mut())
}

fn watch(setup: &Setup, inmate: &Inmate, mut opener: Option<&mut Opener>) -> Result<Option<i32>, Error> {
    loop {
        let asking = opener.as_ref().map_or(setup.control.as_fd(), |opener| opener.as_fd());
        let patience = opener.as_ref().and_then(|opener| opener.patience());
        let [ended, control, asked] = wait(setup, inmate, (asking, PollFlags::IN), patience)?;
        if ended {
            return exit_code(inmate).map(Some);
        }
        if control && !obey(setup, inmate)? {
            return Ok(None);
        }
        if let (Some(opener), Some(_)) = (opener.as_deref_mut(), patience) {
            opener.tend()?;
        }
        if !asked {
            continue;
        }
        // The agent's call is taken when there is room for its report: until then it waits, but the supervisor is obeyed.
        let [ended, control, room] = wait(setup, inmate, (setup.reports.as_fd(), PollFlags::OUT), None)?;
        if let (Some(opener), true, false, false) = (opener.as_deref_mut(), room, ended, control) {
            opener.answer_one()?;
        }
    }
}

/// Waits until the agent ended, the supervisor asks something, or the third is ready (or, after some time, none of it).
fn wait(setup: &Setup, inmate: &Inmate, third: (BorrowedFd<'_>, PollFlags), patience: Option<Timespec>) -> Result<[bool; 3], Error> {
    let (third, flags) = third;
    let mut events =
        [PollFd::new(&inmate.pidfd, PollFlags::IN), PollFd::new(&setup.control, PollFlags::IN), PollFd::from_borrowed_fd(third, flags)];
    rustix::io::retry_on_intr(|| poll(&mut events, patience.as_ref())).map_err(Error::errno("watch the agent"))?;
    Ok(events.map(|event| !event.revents().is_empty()))
}

/// Does what the supervisor asks; false if it is gone.
fn obey(setup: &Setup, inmate: &Inmate) -> Result<bool, Error> {
    match request(setup)? {
        Some(Request::Signal(number)) => signal(inmate, number),
        Some(Request::Release) => {}
        None => return Ok(false),
    }
    Ok(true)
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
