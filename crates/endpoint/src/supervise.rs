//! Watches over a running session until it ends, and decides why it did.

use crate::Error;
use crate::alarm::Bell;
use crate::limit::Limit;
use crate::relay::{self, Relay};
use crate::roles::Role;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sandbox::{Signals, Warden};
use schema::Token;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

const INTERRUPT: i32 = 2;
const QUIT: i32 = 3;
const HANGUP: i32 = 1;
const TERMINATE: i32 = 15;
const CONTINUE: i32 = 18;
const WINDOW_CHANGED: i32 = 28;
/// Signals that the supervisor takes itself.
pub(crate) const SIGNALS: [i32; 6] = [HANGUP, INTERRUPT, QUIT, TERMINATE, CONTINUE, WINDOW_CHANGED];
/// How long an agent may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    AgentExited,
    NotStarted,
    ProgramChanged,
    GatewayLost,
    DoorLost,
    WallsLost,
    EvidenceUnavailable,
    SupervisionFailed,
    WallBreached,
    Interrupted,
    Limit(Limit),
}

impl Cause {
    pub(crate) fn token(self) -> Token {
        Token::lossy(match self {
            Self::AgentExited => "agent_exited",
            Self::NotStarted => "not_started",
            Self::ProgramChanged => "program_changed",
            Self::GatewayLost => "gateway_lost",
            Self::DoorLost => "door_lost",
            Self::WallsLost => "walls_lost",
            Self::SupervisionFailed => "supervision_failed",
            Self::EvidenceUnavailable => "evidence_unavailable",
            Self::WallBreached => "wall_breached",
            Self::Interrupted => "interrupted",
            Self::Limit(limit) => limit.cause(),
        })
    }
}

/// What is watched.
pub(crate) struct Watched<'a> {
    pub(crate) warden: &'a Warden,
    pub(crate) gateway: &'a Role,
    pub(crate) door: &'a Role,
    pub(crate) lifeline: BorrowedFd<'a>,
    pub(crate) signals: &'a Signals,
    pub(crate) relay: &'a Relay,
    /// Rings when the session must not go on, above all for a bound.
    pub(crate) bell: &'a Bell,
    /// How long the session may last.
    pub(crate) lasts_max: Duration,
}

impl Watched<'_> {
    /// Returns when the agent has ended, or when the session must: then it has been killed.
    pub(crate) fn until_the_end(&self) -> Result<Cause, Error> {
        let start = Instant::now();
        let mut deadline = (start + self.lasts_max, Cause::Limit(Limit::WallClock));
        let mut asked = None;
        loop {
            let left = deadline.0.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.warden.kill();
                return Ok(deadline.1);
            }
            let mut polled = [
                PollFd::from_borrowed_fd(self.warden.pidfd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.lifeline, PollFlags::empty()),
                PollFd::from_borrowed_fd(self.gateway.pidfd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.door.pidfd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.bell.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.warden.control(), PollFlags::IN),
            ];
            match poll(&mut polled, Some(&timespec(left))) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(Error::system("watch the session")(errno.into())),
            }
            let [ended, unrecorded, no_gateway, no_door, _, rung, told] = polled.map(|one| !one.revents().is_empty());
            if told && self.warden.is_breached() {
                // Everything inside stands still, and what got through is on its way to the log, before the session's end.
                self.warden.kill();
                return Ok(Cause::WallBreached);
            }
            // What else the warden has to say is how the agent ended. It need not be gone itself: whoever waits for that holds it up.
            if ended || told {
                return Ok(asked.unwrap_or(Cause::AgentExited));
            }
            if rung {
                self.warden.kill();
                // Without a cause nobody is left who watches over bounds.
                return Ok(self.bell.rung().unwrap_or(Cause::SupervisionFailed));
            }
            let lost = [(unrecorded, Cause::EvidenceUnavailable), (no_gateway, Cause::GatewayLost), (no_door, Cause::DoorLost)];
            if let Some((_, cause)) = lost.into_iter().find(|(is_lost, _)| *is_lost) {
                self.warden.kill();
                return Ok(cause);
            }
            while let Some(number) = self.signals.next() {
                match number {
                    WINDOW_CHANGED => relay::resize(self.warden),
                    CONTINUE => self.relay.resume(),
                    _ if asked.is_some() || number == HANGUP => {
                        self.warden.kill();
                        return Ok(Cause::Interrupted);
                    }
                    _ => {
                        self.warden.signal(number);
                        asked = Some(Cause::Interrupted);
                        let patience = (Instant::now() + GRACE, Cause::Interrupted);
                        // Grace ends with the session's own time.
                        deadline = if deadline.0 < patience.0 { deadline } else { patience };
                    }
                }
            }
        }
    }
}

/// Whether a signal asks for the end of everything.
pub(crate) fn is_end(number: i32) -> bool {
    matches!(number, HANGUP | INTERRUPT | QUIT | TERMINATE)
}

pub(crate) fn timespec(left: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() }
}
