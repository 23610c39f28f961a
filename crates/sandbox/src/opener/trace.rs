//! Threads that are about to execute a program. The warden traces each from its call until the program is there, or will not be.

use crate::programs::FileIdentity;
use crate::ptrace::{self, Stop};
use crate::seccomp::Notification;
use crate::{Error, Signals, kernel};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Most threads that execute a program at once, and most that wait until another thread of their process is done with that.
const COUNT_MAX: usize = 4096;
/// How long it is looked what a debugger's child became.
const LOOKED_AFTER: Duration = Duration::from_secs(2);
/// The first Linux on which a call that the warden works on is cut short by a deadly signal only.
const UNDISTURBED: (u32, u32) = (5, 19);

/// A program that was asked for, and what was found there.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) path: PathBuf,
    pub(super) identity: FileIdentity,
}

/// A thread that executes a program.
#[derive(Debug)]
pub(super) struct Executing {
    /// Its number, and that of its process, as the warden counts them.
    pub(super) task: i32,
    pub(super) process: i32,
    pub(super) asked: Asked,
    is_killed: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// A program, which stands before its first instruction.
    Program,
    /// It is what it was: the kernel refused. This signal waits for it.
    Itself(i32),
    /// It is gone.
    Gone,
}

/// A child of the agent's own debugger, which the warden cannot trace.
#[derive(Debug)]
pub(super) struct Unconfirmed {
    pub(super) process: i32,
    pub(super) asked: FileIdentity,
    /// What it ran before.
    pub(super) before: Option<FileIdentity>,
    pub(super) until: Instant,
}

/// Who executes.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    /// Tells that a traced thread stopped; none for a trial, in which nothing is executed.
    signals: Option<Signals>,
    /// The agent's own number: its end is taken in by whoever waits for the session's end.
    agent: i32,
    executing: Vec<Executing>,
    held: VecDeque<(i32, Notification)>,
    pub(super) unconfirmed: Vec<Unconfirmed>,
    /// More than one may have stopped.
    is_stirred: bool,
}

impl Tracer {
    pub(super) fn new(agent: i32) -> Result<Self, Error> {
        let signals = Signals::collect(&[libc::SIGCHLD]).map_err(Error::system("collect the stops of traced threads"))?;
        Ok(Self { signals: Some(signals), agent, ..Self::default() })
    }

    /// Readable when a thread stopped.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.signals.as_ref().map(AsFd::as_fd)
    }

    /// Whether a stop may wait although nothing is readable.
    pub(super) fn is_stirred(&self) -> bool {
        self.is_stirred
    }

    pub(super) fn is_full(&self) -> bool {
        self.executing.len() + self.unconfirmed.len() >= COUNT_MAX || self.held.len() >= COUNT_MAX
    }

    /// The thread of this process that executes a program right now, if it is another one.
    pub(super) fn other_of(&self, process: i32, task: i32) -> Option<i32> {
        self.executing.iter().find(|one| one.process == process && one.task != task).map(|one| one.task)
    }

    /// Keeps a call until the process's other thread is done.
    pub(super) fn hold(&mut self, process: i32, call: Notification) {
        self.held.push_back((process, call));
    }

    /// The calls that were kept for a process.
    pub(super) fn take_held(&mut self, process: i32) -> Vec<Notification> {
        let (taken, kept) = std::mem::take(&mut self.held).into_iter().partition(|(of, _)| *of == process);
        self.held = kept;
        let taken: VecDeque<(i32, Notification)> = taken;
        taken.into_iter().map(|(_, call)| call).collect()
    }

    /// Starts to trace a thread whose call waits for the warden. It stops when it has executed a program, or before it goes on otherwise.
    pub(super) fn seize(&mut self, task: i32, process: i32, asked: Asked) -> Result<(), Errno> {
        if let Some(one) = self.executing.iter_mut().find(|one| one.task == task) {
            one.asked = asked;
            return Ok(());
        }
        super::target::able(|| ptrace::seize(task))?;
        if kernel::release() >= UNDISTURBED {
            ptrace::interrupt(task)?;
        }
        self.executing.push(Executing { task, process, asked, is_killed: false });
        Ok(())
    }

    /// Forgets a thread that is not traced any more.
    pub(super) fn forget(&mut self, task: i32) {
        self.executing.retain(|one| one.task != task);
    }

    /// Lets a stopped one go on.
    pub(super) fn release(task: i32, signal: i32) {
        // One that was killed meanwhile is gone.
        let _gone = ptrace::detach(task, signal);
    }

    /// Ends a process that may not run what it became.
    pub(super) fn kill(&mut self, executing: Executing) {
        kill(executing.process);
        if executing.process != self.agent {
            self.executing.push(Executing { is_killed: true, ..executing });
        }
    }

    /// The next thread that stopped or ended, which is then no longer kept here.
    pub(super) fn next(&mut self) -> Option<(Executing, Became)> {
        // What stops from here on is told anew.
        while self.signals.as_ref().and_then(Signals::next).is_some() {}
        let agent = self.agent;
        let found = self.executing.iter().enumerate().find_map(|(place, one)| Some((place, became(one, agent)?)));
        self.is_stirred = found.is_some();
        found.map(|(place, became)| (self.executing.swap_remove(place), became))
    }

    /// Remembers a child of a debugger.
    pub(super) fn look_after(&mut self, process: i32, asked: FileIdentity, before: Option<FileIdentity>) {
        self.unconfirmed.retain(|one| one.process != process);
        self.unconfirmed.push(Unconfirmed { process, asked, before, until: Instant::now() + LOOKED_AFTER });
    }
}

/// Ends a process.
pub(super) fn kill(process: i32) {
    if let Some(process) = rustix::process::Pid::from_raw(process) {
        // It may be gone already.
        let _gone = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

/// What became of a thread; none while it executes.
fn became(one: &Executing, agent: i32) -> Option<Became> {
    if one.is_killed {
        return matches!(ptrace::has_ended(one.process), Ok(true) | Err(_)).then_some(Became::Gone);
    }
    match ptrace::stop_of(one.task) {
        Ok(Some(Stop::Executed)) => Some(Became::Program),
        Ok(Some(Stop::Halted)) => Some(Became::Itself(0)),
        Ok(Some(Stop::Signal(signal))) => Some(Became::Itself(signal)),
        Ok(None) if one.task == agent => None,
        Err(_) if one.task == agent => Some(Became::Gone),
        // One that was killed does not count as stopped; it is taken in here, or whoever waits for it would wait for ever.
        Ok(None) | Err(_) => not_stopped(one, agent),
    }
}

/// What became of a thread that had not stopped at the last look, and is not the agent: that one's end is taken in by whoever waits for the
/// session's. A process's first thread that was killed has not ended before the last of its process has.
fn not_stopped(one: &Executing, agent: i32) -> Option<Became> {
    match ptrace::has_ended(one.task) {
        Ok(false) => None,
        Ok(true) => Some(Became::Gone),
        Err(_) => renumbered(one, agent),
    }
}

/// What became of a thread whose number is gone: one that executes a program gets the number of its process, at any moment between two
/// looks.
fn renumbered(one: &Executing, agent: i32) -> Option<Became> {
    if one.process == one.task {
        return Some(Became::Gone);
    }
    match ptrace::stop_of(one.process) {
        Ok(Some(Stop::Executed)) => Some(Became::Program),
        Ok(None) => None,
        Ok(Some(Stop::Halted | Stop::Signal(_))) => Some(Became::Gone),
        Err(_) if one.process == agent => Some(Became::Gone),
        Err(_) => matches!(ptrace::has_ended(one.process), Ok(true) | Err(_)).then_some(Became::Gone),
    }
}

#[cfg(test)]
mod tests;
