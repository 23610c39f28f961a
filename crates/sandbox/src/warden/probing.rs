//! The warden's side of the probes: starts the process that makes them, answers its calls as the agent's will be, and judges.

use super::{Built, Inmate, Setup, allow, failed_child, launch};
use crate::agent::Goal;
use crate::opener::Opener;
use crate::plan::Network;
use crate::probe::{self, Occasion, Outcome, Round, Scene, Sighting, Surroundings};
use crate::report::{Journal, Report};
use crate::{Error, Observation, Wall, rules};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// The warden, process 1 and the runner.
const PROCESSES_ALIVE: u64 = 3;
/// How long a round may take. One takes about a millisecond; a session that uses the whole machine lets it wait.
const ROUND_MAX: Duration = Duration::from_secs(30);

/// The process that makes the attempts, as long as the session lasts.
#[derive(Debug)]
pub(super) struct Runner {
    inmate: Inmate,
    opener: Option<Opener>,
    /// Whether it is the control group that bounds the processes.
    group_counts: bool,
}

/// Starts the runner, makes the first round, and writes what it says into `built.observed`. A required wall that did not hold is an error.
pub(super) fn try_walls(setup: &Setup, built: &mut Built) -> Result<(Runner, Round), Error> {
    let mut runner = Runner::start(setup, built)?;
    setup.done("start the probes' process");
    let Some(outcomes) = runner.make(Occasion::Start)? else { return Err(failed_child(setup, &runner.inmate)) };
    let round = Round::new(Occasion::Start, runner.sighted(setup, built, outcomes));
    observe(setup, built, &round)?;
    setup.done("make the probes");
    Ok((runner, round))
}

/// What the first round says of each wall.
fn observe(setup: &Setup, built: &mut Built, round: &Round) -> Result<(), Error> {
    for wall in Wall::ALL.iter().copied() {
        if built.observed.contains_key(&wall) {
            continue;
        }
        let made = || round.results().filter(|(probe, outcome)| probe.wall == wall && *outcome != Outcome::Unused);
        match (made().find(|(_, outcome)| *outcome != Outcome::Refused), made().next()) {
            (Some((probe, _)), _) => {
                let missing = Error::WallMissing { wall, found: format!("the probe {} got through", probe.name) };
                if wall == Wall::FileObservation && !setup.plan.guards.is_empty() {
                    // Nothing would keep the agent from what is guarded.
                    return Err(missing);
                }
                allow(&setup.plan, &mut built.observed, Err(missing))?;
            }
            (None, Some(_)) => drop(built.observed.insert(wall, Observation::Held)),
            (None, None) => untried(setup, built, wall)?,
        }
    }
    substitutes(setup, round)
}

/// A wall that no probe tried: not asked for, or not there.
fn untried(setup: &Setup, built: &mut Built, wall: Wall) -> Result<(), Error> {
    let is_not_asked_for = (wall == Wall::FileObservation && !setup.plan.observe_files)
        || (wall == Wall::DoorRedirect && setup.plan.network == Network::Isolated);
    if is_not_asked_for {
        built.observed.insert(wall, Observation::Unused);
        return Ok(());
    }
    let found = if wall == Wall::Cgroup { "no control group with both pids and memory could be made" } else { "nothing tried it" };
    allow(&setup.plan, &mut built.observed, Err(Error::WallMissing { wall, found: found.to_owned() }))
}

/// A right that this kernel's Landlock lacks must be made good by another wall, and a probe must have shown that it is.
fn substitutes(setup: &Setup, round: &Round) -> Result<(), Error> {
    if setup.plan.danger_allow_missing.contains(&Wall::Landlock) {
        return Ok(());
    }
    for right in rules::lacking(setup.plan.landlock_abi()) {
        for (probe, outcome) in round.results().filter(|(probe, _)| right.probes.contains(&probe.name)) {
            if outcome != Outcome::Refused {
                let found = format!("it has no {}, and {} does not make that good: {}", right.name, right.substitute, probe.name);
                return Err(Error::WallMissing { wall: Wall::Landlock, found });
            }
        }
    }
    Ok(())
}

impl Runner {
    fn start(setup: &Setup, built: &Built) -> Result<Self, Error> {
        // The warden and process 1 are alive.
        let group_counts = built.gauge.bounds_processes(PROCESSES_ALIVE - 1, setup.plan.limits.processes_max);
        let surroundings = Surroundings {
            outside: setup.outside,
            counted: group_counts || built.init.bounds_processes,
            has_group: built.gauge.has(),
            abstract_name: built.outsider.name.clone(),
            second_places: built.root.second_places.clone(),
        };
        let calls = setup.calls.widened();
        let scene = Scene::new(&setup.plan, &calls, surroundings)?;
        let mut inmate = launch(setup, built, Goal::Probe(&scene))?;
        let opener = match inmate.listener.take() {
            Some(listener) => {
                let opener = Opener::new(listener, Journal::trial(), &built.root, &setup.plan.programs, calls)?;
                inmate.go()?;
                Some(opener)
            }
            None => None,
        };
        Ok(Self { inmate, opener, group_counts })
    }

    /// Makes a round; none if the runner is lost: ended, stopped, or saying what cannot be understood.
    fn make(&mut self, occasion: Occasion) -> Result<Option<Vec<Outcome>>, Error> {
        if let Some(opener) = &mut self.opener {
            opener.begin_trial();
        }
        let request = if occasion == Occasion::Start { probe::START } else { probe::PERIODIC };
        if crate::descriptors::send_fds(self.inmate.handshake.as_fd(), request, &[]).is_err() {
            return Ok(None);
        }
        let deadline = Instant::now() + ROUND_MAX;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (said, asked) = self.wait(left)?;
            if said {
                return Ok(self.read());
            }
            match (&mut self.opener, asked) {
                (Some(opener), true) => opener.answer_one()?,
                _ if left.is_zero() => return Ok(None),
                _ => {}
            }
        }
    }

    /// Waits until the runner has said something or is gone, or asks for something.
    fn wait(&self, longest: Duration) -> Result<(bool, bool), Error> {
        let longest = Timespec { tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX), tv_nsec: longest.subsec_nanos().into() };
        let asking = self.opener.as_ref().map_or(self.inmate.handshake.as_fd(), AsFd::as_fd);
        let mut events = [PollFd::new(&self.inmate.handshake, PollFlags::IN), PollFd::from_borrowed_fd(asking, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut events, Some(&longest))).map_err(Error::errno("watch the probes"))?;
        let [said, asked] = events.map(|event| event.revents());
        Ok((!said.is_empty(), asked.contains(PollFlags::IN)))
    }

    fn read(&self) -> Option<Vec<Outcome>> {
        // One byte more than a round has: a longer one is none.
        let mut buffer = vec![0_u8; probe::all().count() + 1];
        let length = rustix::io::retry_on_intr(|| rustix::io::read(&self.inmate.handshake, &mut *buffer)).ok()?;
        probe::read(buffer.get(..length)?)
    }

    /// The outcomes, with those taken back that the warden must have seen and has not.
    fn sighted(&self, setup: &Setup, built: &Built, outcomes: Vec<Outcome>) -> Vec<Outcome> {
        let reports = self.opener.as_ref().map_or(&[][..], |opener| opener.journal().kept());
        let judge = |(probe, outcome): (&probe::Probe, Outcome)| match outcome {
            Outcome::Refused if probe.sighting() == Sighting::ProcessesCounted && !self.group_counts => Outcome::Refused,
            Outcome::Refused if !is_seen(setup, built, probe.sighting(), reports) => Outcome::Succeeded,
            Outcome::Succeeded if is_absent(built, probe.sighting()) => Outcome::Unused,
            other @ (Outcome::Refused | Outcome::Succeeded | Outcome::Unsure | Outcome::Unused) => other,
        };
        probe::all().zip(outcomes).map(judge).collect()
    }
}

/// Nothing can knock where there is no listener: a host without IPv6 has none for it.
fn is_absent(built: &Built, sighting: Sighting) -> bool {
    let [_, _, _, v6, ..] = &built.listeners;
    sighting == Sighting::KnockV6 && v6.is_none()
}

fn is_seen(setup: &Setup, built: &Built, sighting: Sighting, reports: &[Report]) -> bool {
    let limits = &setup.plan.limits;
    let [_, _, v4, v6, ..] = &built.listeners;
    match sighting {
        Sighting::Nothing => true,
        Sighting::Opened(place) => {
            reports.iter().any(|report| matches!(report, Report::FileOpened { path, .. } if path == Path::new(place)))
        }
        Sighting::FileRefused(place) => {
            reports.iter().any(|report| matches!(report, Report::FileRefused { path, .. } if path == Path::new(place)))
        }
        Sighting::ProgramRefused(why) => {
            reports.iter().any(|report| matches!(report, Report::ProgramRefused { reason, .. } if *reason == why))
        }
        Sighting::CallRefused(call) => {
            reports.iter().any(|report| matches!(report, Report::SystemCallRefused { name, .. } if name == call))
        }
        Sighting::KnockV4 => arrived(v4.as_ref()) == Some(probe::KNOCK_V4),
        Sighting::KnockV6 => arrived(v6.as_ref()) == Some(probe::KNOCK_V6),
        Sighting::ProcessesCounted | Sighting::GroupBoundsProcesses => built.gauge.bounds_processes(PROCESSES_ALIVE, limits.processes_max),
        Sighting::GroupBoundsMemory => built.gauge.bounds_memory(limits.memory_bytes_max),
    }
}

/// Where a connection that is there already wanted to go.
fn arrived(listener: Option<&OwnedFd>) -> Option<std::net::SocketAddr> {
    let listener = listener?;
    let mut events = [PollFd::new(listener, PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    if !matches!(rustix::io::retry_on_intr(|| poll(&mut events, Some(&at_once))), Ok(1)) {
        return None;
    }
    let connection = rustix::net::accept(listener).ok()?;
    crate::original_destination(connection.as_fd()).ok()
}

/// How often a round is made again, at which pace, when the session had no room for an attempt.
const REPEATS_MAX: u32 = 30;
const REPEAT_PAUSE: Duration = Duration::from_secs(1);

/// The rounds while the agent runs.
#[derive(Debug)]
pub(super) struct Rounds {
    runner: Runner,
    period: Duration,
    next: Instant,
    repeats: u32,
    /// Walls that were missing from the start.
    missing: BTreeSet<Wall>,
}

/// What a round means for the session.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It goes on.
    Holds(Round),
    /// There was no room for an attempt: another round follows soon.
    Again,
    /// A wall let an attempt through, or nobody can tell any more.
    Breached(Round),
}

impl Rounds {
    /// None if the plan asks for none, or without Landlock: then the agent could look into the runner while it lets the warden do so.
    pub(super) fn new(setup: &Setup, built: &Built, runner: Runner) -> Option<Self> {
        let period = setup.plan.probe_period?;
        built.domain.as_ref()?;
        let is_missing = |seen: &Observation| matches!(seen, Observation::Missing(_));
        let missing = built.observed.iter().filter(|(_, seen)| is_missing(seen)).map(|(wall, _)| *wall).collect();
        Some(Self { runner, period, next: Instant::now() + period, repeats: 0, missing })
    }

    /// How long until the next round.
    pub(super) fn patience(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Readable when whoever makes the attempts has ended.
    pub(super) fn lost(&self) -> BorrowedFd<'_> {
        self.runner.inmate.pidfd.as_fd()
    }

    /// Lets the next round be due.
    pub(super) fn hasten(&mut self) {
        self.next = Instant::now();
    }

    /// Makes a round if it is time.
    pub(super) fn turn(&mut self, setup: &Setup, built: &Built) -> Result<Option<Verdict>, Error> {
        if !self.patience().is_zero() {
            return Ok(None);
        }
        let verdict = match self.runner.make(Occasion::Periodic)? {
            Some(outcomes) => self.judge(Round::new(Occasion::Periodic, self.runner.sighted(setup, built, outcomes))),
            None => Verdict::Breached(Round::lost()),
        };
        let pause = if matches!(verdict, Verdict::Again) { REPEAT_PAUSE } else { self.period };
        self.next = Instant::now() + pause;
        Ok(Some(verdict))
    }

    fn judge(&mut self, round: Round) -> Verdict {
        let is = |wanted: Outcome| round.results().any(|(probe, outcome)| outcome == wanted && !self.missing.contains(&probe.wall));
        if is(Outcome::Succeeded) {
            return Verdict::Breached(round);
        }
        if !is(Outcome::Unsure) {
            self.repeats = 0;
            return Verdict::Holds(round);
        }
        self.repeats += 1;
        if self.repeats > REPEATS_MAX { Verdict::Breached(round) } else { Verdict::Again }
    }
}
