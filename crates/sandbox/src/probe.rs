//! The probes: attempts that the walls must refuse, made from inside by a process that has exactly the agent's walls.

mod attempts;
mod call;
mod places;
mod readings;
mod registry;
mod runner;
mod scene;

pub(crate) use places::{KNOCK_V4, KNOCK_V6};
pub(crate) use registry::all;
pub(crate) use runner::{PERIODIC, START, serve};
pub(crate) use scene::{NAMESPACES, Scene, Surroundings, namespaces};

use crate::seccomp::Table;
use crate::{Error, ProgramRefusal, Wall};
use call::Call;
use scene::Look;

/// One attempt that a wall must refuse.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Its name in events and reports.
    pub name: &'static str,
    /// The wall that it tries.
    pub wall: Wall,
    /// The wall that stands behind it: the attempt gets through only if this one is gone too.
    pub second: Option<Wall>,
    /// What is attempted.
    pub attempt: &'static str,
    /// The refusal that is expected, or the fact that must hold.
    pub expected: &'static str,
    act: Act,
    sighting: Sighting,
    when: When,
}

impl Probe {
    fn refusal(&self, calls: &Table) -> i32 {
        match self.act {
            Act::Call(call) => call.refusal(calls),
            Act::Look(_) => 0,
        }
    }

    /// What the warden itself must have seen of the attempt.
    pub(crate) fn sighting(&self) -> Sighting {
        self.sighting
    }
}

/// How an attempt is made.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// By a system call whose refusal tells who refused it.
    Call(Call),
    /// By more than one.
    Look(fn(&Look<'_>) -> Outcome),
}

/// When an attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// Before there is an agent: later, the door would take it for the agent's.
    AtStart,
}

/// What the warden must have seen for an attempt to count as refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sighting {
    /// Nothing: the refusal says enough.
    Nothing,
    /// This file, opened.
    Opened(&'static str),
    /// This file, refused.
    FileRefused(&'static str),
    /// A program, refused for this reason.
    ProgramRefused(ProgramRefusal),
    /// A refused call of this name.
    CallRefused(&'static str),
    /// A connection at the door's listener for IPv4.
    KnockV4,
    /// A connection at the door's listener for IPv6.
    KnockV6,
    /// The session's processes are counted, by whatever counts them here.
    ProcessesCounted,
    /// The control group bounds the number of processes.
    GroupBoundsProcesses,
    /// The control group bounds the memory.
    GroupBoundsMemory,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// It was refused, as expected.
    Refused = b'r',
    /// It got through.
    Succeeded = b's',
    /// The session had no room for the attempt (memory, descriptors): it has to be made again.
    Unsure = b'?',
    /// This session has nothing to attempt it on.
    Unused = b'-',
}

impl Outcome {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Refused, Self::Succeeded, Self::Unsure, Self::Unused].into_iter().find(|one| *one as u8 == byte)
    }

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Succeeded => "succeeded",
            Self::Unsure => "unsure",
            Self::Unused => "unused",
        }
    }

    fn held(is_held: bool) -> Self {
        if is_held { Self::Refused } else { Self::Succeeded }
    }
}

/// When a round of probes was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Before the agent started.
    Start,
    /// While it ran.
    Periodic,
}

/// One round of all probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// When.
    pub occasion: Occasion,
    outcomes: Vec<Outcome>,
}

/// The failed probe of a runner that ended, was stopped or did not answer.
const RUNNER: &str = "probe_runner";

impl Round {
    pub(crate) fn new(occasion: Occasion, outcomes: Vec<Outcome>) -> Self {
        Self { occasion, outcomes }
    }

    /// Without outcomes: whoever makes the attempts was lost.
    pub(crate) fn lost() -> Self {
        Self { occasion: Occasion::Periodic, outcomes: Vec::new() }
    }

    /// Each probe and what came of it.
    pub fn results(&self) -> impl Iterator<Item = (&'static Probe, Outcome)> {
        registry::all().zip(self.outcomes.iter().copied())
    }

    /// How many attempts were made.
    pub fn made(&self) -> usize {
        if self.outcomes.is_empty() { 1 } else { self.results().filter(|(_, outcome)| *outcome != Outcome::Unused).count() }
    }

    /// How many were refused.
    pub fn refused(&self) -> usize {
        self.results().filter(|(_, outcome)| *outcome == Outcome::Refused).count()
    }

    /// The names of those that were not refused.
    pub fn failed(&self) -> Vec<&'static str> {
        if self.outcomes.is_empty() {
            return vec![RUNNER];
        }
        let failed = |outcome: Outcome| matches!(outcome, Outcome::Succeeded | Outcome::Unsure);
        self.results().filter(|(_, outcome)| failed(*outcome)).map(|(probe, _)| probe.name).collect()
    }

    /// As bytes: the occasion, then one for each probe.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let occasion = if self.occasion == Occasion::Start { b'S' } else { b'P' };
        [occasion].into_iter().chain(self.outcomes.iter().map(|outcome| *outcome as u8)).collect()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let problem = Error::Message { problem: "a round of probes is not one" };
        let (occasion, outcomes) = match bytes {
            [b'S', rest @ ..] => (Occasion::Start, rest),
            [b'P', rest @ ..] => (Occasion::Periodic, rest),
            _ => return Err(problem),
        };
        let outcomes = if outcomes.is_empty() { Some(Vec::new()) } else { read(outcomes) };
        outcomes.map(|outcomes| Self { occasion, outcomes }).ok_or(problem)
    }
}

/// A round's outcomes as the runner says them: one byte for each probe, no more and no less.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Outcome>> {
    let outcomes: Vec<Outcome> = bytes.iter().map(|byte| Outcome::from_byte(*byte)).collect::<Option<_>>()?;
    (outcomes.len() == registry::COUNT).then_some(outcomes)
}

#[cfg(test)]
mod tests;
