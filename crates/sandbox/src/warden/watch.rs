use super::probing::{Rounds, Runner, Verdict};
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

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
/// Exit code when the kernel does not tell one.
const UNKNOWN: i32 = 255;

/// Starts the agent when told to, holds its walls while it runs, ends whatever it leaves behind, and tells its exit code.
pub(super) fn serve(setup: &Setup, built: Built, runner: Runner) -> Result<(), Error> {
    let result = agent(setup, &built, runner);
    built.init.end();
    match result? {
        Some(code) => answer(setup, &Answer::Exited(code), &[]),
        None => Ok(()),
    }
}

fn agent(setup: &Setup, built: &Built, runner: Runner) -> Result<Option<i32>, Error> {
    loop {
        match request(setup)? {
            Some(Request::Release) => break,
            Some(Request::Signal(_)) => {}
            None => return Ok(None),
        }
    }
    let mut inmate = launch(setup, built, Goal::Execute(&setup.image))?;
    let opener = match inmate.listener.take() {
        Some(listener) => {
            let reports = setup.reports.try_clone().map_err(Error::system("keep the way of reports"))?;
            let mut opener = Opener::new(listener, Journal::new(reports), &built.root, &setup.plan.programs, setup.calls.clone())?;
            opener.trace(inmate.pid)?;
            inmate.go()?;
            until_executed(&inmate, &mut opener)?;
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
    Watch { setup, built, inmate, opener, rounds: Rounds::new(setup, built, runner) }.until_the_end()
}

/// Answers the new process's calls until it says something, or is the agent's program.
fn until_executed(inmate: &Inmate, opener: &mut Opener) -> Result<(), Error> {
    loop {
        let mut events = vec![PollFd::new(&inmate.status, PollFlags::IN), PollFd::from_borrowed_fd(opener.as_fd(), PollFlags::IN)];
        events.extend(opener.stops().map(|stops| PollFd::from_borrowed_fd(stops, PollFlags::IN)));
        rustix::io::retry_on_intr(|| poll(&mut events, None)).map_err(Error::errno("wait for the exec"))?;
        let ready: Vec<bool> = events.iter().map(|event| !event.revents().is_empty()).collect();
        drop(events);
        match ready[..] {
            [true, ..] => return Ok(()),
            [_, _, true] => opener.attend()?,
            [_, true, ..] => opener.answer_one()?,
            _ => {}
        }
    }
}

/// The running agent and what is done for it.
struct Watch<'a> {
    setup: &'a Setup,
    built: &'a Built,
    inmate: Inmate,
    opener: Option<Opener>,
    rounds: Option<Rounds>,
}

/// Whether a round of probes was made and reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probed {
    No,
    Held,
    Breached,
}

impl Watch<'_> {
    fn until_the_end(mut self) -> Result<Option<i32>, Error> {
        // At how many sent reports there was room for one more.
        let mut roomy = None;
        loop {
            let patience = self.opener.as_ref().and_then(Opener::patience);
            let runner = self.rounds.as_ref().map(Rounds::lost);
            let wanted = match &self.opener {
                Some(opener) => [Some(opener.as_fd()), opener.stops(), runner],
                None => [None, None, runner],
            };
            let is_stirred = self.opener.as_ref().is_some_and(Opener::is_stirred);
            let patience_now = if is_stirred { Some(AT_ONCE) } else { self.sooner(patience) };
            let [ended, control, asked, stopped, is_lost] = wait(self.setup, &self.inmate, wanted, patience_now)?;
            if ended {
                self.opener.as_mut().map_or(Ok(()), Opener::settle)?;
                return exit_code(&self.inmate).map(Some);
            }
            if control && !obey(self.setup, &self.inmate)? {
                return Ok(None);
            }
            match self.probe(is_lost)? {
                Probed::No => {}
                Probed::Held => roomy = None,
                Probed::Breached => return self.stand_still(),
            }
            let Some(opener) = &mut self.opener else { continue };
            if patience.is_some() {
                opener.tend()?;
                roomy = None;
            }
            let stopped = stopped || is_stirred;
            if !asked && !stopped {
                continue;
            }
            // The agent's call is taken when there is room for its report: until then it waits, but the supervisor is obeyed. Only the
            // warden and the processes that wait for it take room away.
            let sent = opener.journal().sent();
            if roomy != Some(sent) {
                let [ended, control, room] = wait_for_room(self.setup, &self.inmate)?;
                if !room || ended || control {
                    continue;
                }
                roomy = Some(sent);
            }
            // A program that is there first: who waits for it may be who asks.
            if stopped {
                opener.attend()?;
            } else {
                opener.answer_one()?;
            }
        }
    }

    /// The time until something has to be done although nobody asks for it.
    fn sooner(&self, patience: Option<Timespec>) -> Option<Timespec> {
        let next = self.rounds.as_ref().map(Rounds::patience);
        // A poll that ends a little too early is made again.
        let next =
            next.map(|left| Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() });
        match (patience, next) {
            (Some(one), Some(other)) => Some(if (one.tv_sec, one.tv_nsec) < (other.tv_sec, other.tv_nsec) { one } else { other }),
            (one, other) => one.or(other),
        }
    }

    /// Makes the probes if it is time, or if whoever makes them is lost, and tells the supervisor.
    fn probe(&mut self, is_lost: bool) -> Result<Probed, Error> {
        let Some(rounds) = &mut self.rounds else { return Ok(Probed::No) };
        if is_lost {
            rounds.hasten();
        }
        match rounds.turn(self.setup, self.built)? {
            None | Some(Verdict::Again) => Ok(Probed::No),
            Some(Verdict::Holds(round)) => Journal::probed(self.setup.reports.as_fd(), round).map(|()| Probed::Held),
            Some(Verdict::Breached(round)) => {
                // Whatever cannot be stopped is ended, and with it the session.
                if !self.built.init.stop_everyone() {
                    return Err(Error::WardenLost);
                }
                Journal::probed(self.setup.reports.as_fd(), round)?;
                answer(self.setup, &Answer::Breached, &[])?;
                Ok(Probed::Breached)
            }
        }
    }

    /// Answers nothing any more, until the supervisor ends the session.
    fn stand_still(self) -> Result<Option<i32>, Error> {
        while request(self.setup)?.is_some() {}
        Ok(None)
    }
}

/// Waits until the agent ended, the supervisor asks something, or one of the others is readable (or, after some time, none of it).
fn wait(setup: &Setup, inmate: &Inmate, others: [Option<BorrowedFd<'_>>; 3], patience: Option<Timespec>) -> Result<[bool; 5], Error> {
    // In the place of one that is not there, nothing is waited for.
    let [asking, stops, runner] = others.map(|other| match other {
        Some(other) => PollFd::from_borrowed_fd(other, PollFlags::IN),
        None => PollFd::from_borrowed_fd(setup.reports.as_fd(), PollFlags::empty()),
    });
    let mut events = [PollFd::new(&inmate.pidfd, PollFlags::IN), PollFd::new(&setup.control, PollFlags::IN), asking, stops, runner];
    rustix::io::retry_on_intr(|| poll(&mut events, patience.as_ref())).map_err(Error::errno("watch the agent"))?;
    Ok(events.map(|event| event.revents().contains(PollFlags::IN) || event.revents().intersects(PollFlags::HUP | PollFlags::ERR)))
}

/// Waits until the agent ended, the supervisor asks something, or it takes reports.
fn wait_for_room(setup: &Setup, inmate: &Inmate) -> Result<[bool; 3], Error> {
    let mut events = [
        PollFd::new(&inmate.pidfd, PollFlags::IN),
        PollFd::new(&setup.control, PollFlags::IN),
        PollFd::new(&setup.reports, PollFlags::OUT),
    ];
    rustix::io::retry_on_intr(|| poll(&mut events, None)).map_err(Error::errno("watch the agent"))?;
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
        // A group that is gone needs no signal. One that was stopped, by itself or by another, would only find it when it goes on.
        let _gone = rustix::process::kill_process_group(inmate.pid, signal);
        let _gone = rustix::process::kill_process_group(inmate.pid, Signal::CONT);
    }
}

fn exit_code(inmate: &Inmate) -> Result<i32, Error> {
    let status = rustix::io::retry_on_intr(|| rustix::process::waitid(WaitId::PidFd(inmate.pidfd.as_fd()), WaitIdOptions::EXITED));
    let status = status.map_err(Error::errno("wait for the agent"))?;
    Ok(status.and_then(|status| status.exit_status().or_else(|| status.terminating_signal().map(|number| 128 + number))).unwrap_or(UNKNOWN))
}
