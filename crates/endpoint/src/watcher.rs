//! Watches what a session uses, on a thread of its own: what no control group bounds, and what none could.

mod disk;
mod period;
mod policy_file;
mod processes;

use crate::alarm::Alarm;
use crate::limit::{Limit, LimitLog};
use crate::supervise::{Cause, timespec};
use crate::{Error, SessionSpec};
use disk::Disk;
use period::Period;
use policy::SessionLimits;
use policy_file::PolicyFile;
use processes::Crowd;
use rustix::event::{PollFd, PollFlags, poll};
use sandbox::{Keeper, Meter, Usage};
use schema::event::LimitAction;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use disk::refuse_full;

/// How often the policy's file is looked at.
const POLICY_PERIOD: Duration = Duration::from_secs(2);

/// The thread. Dropping it lets it look for a last time and end.
pub(crate) struct Watcher {
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

/// All that is watched.
pub(crate) struct Watched {
    pub(crate) meter: Meter,
    pub(crate) log: LimitLog,
    pub(crate) alarm: Alarm,
}

impl Watcher {
    /// Starts the thread. Call it after the last fork.
    pub(crate) fn start(watched: Watched, spec: &SessionSpec, workspace: &Path) -> Result<Self, Error> {
        let (stop, stopped) = UnixStream::pair().map_err(Error::system("make the watcher's stop signal"))?;
        let limits = spec.policy.session().limits.clone();
        let disk = Disk::open(workspace, &limits)?;
        let policy = spec.policy_file.as_deref().map(|path| PolicyFile::new(path, spec.policy.text()));
        let crowd = Crowd::new(limits.processes_max, watched.meter.keeper(), Instant::now());
        let Watched { meter, log, alarm } = watched;
        let mut watch = Watch { meter, log, alarm, limits, disk, policy, crowd, policy_due: Instant::now(), was_stopped: false };
        let thread = Builder::new().name("limits".into()).spawn(move || watch.until(&stopped));
        let thread = thread.map_err(Error::system("start the thread that watches limits"))?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Lets it look for a last time, and waits for that. The session must be over, and its control group still there.
    pub(crate) fn finish(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to tell.
            let _ended = thread.join();
        }
    }
}

struct Watch {
    meter: Meter,
    log: LimitLog,
    alarm: Alarm,
    limits: SessionLimits,
    disk: Disk,
    policy: Option<PolicyFile>,
    crowd: Crowd,
    policy_due: Instant,
    was_stopped: bool,
}

impl Watch {
    fn until(&mut self, stopped: &UnixStream) {
        let mut period = Period::START;
        loop {
            let mut polled = [PollFd::new(stopped, PollFlags::IN)];
            let waited = poll(&mut polled, Some(&timespec(period)));
            let is_last = match waited {
                Ok(0) | Err(rustix::io::Errno::INTR) => false,
                Ok(_) => true,
                Err(_) => return,
            };
            let start = own_time();
            let next = self.look(is_last);
            if is_last {
                self.was_stopped = true;
                return;
            }
            period = next.at_most_a_part_of_the_time(own_time().saturating_sub(start));
        }
    }

    /// Looks at everything once; returns when to look again.
    fn look(&mut self, is_last: bool) -> Period {
        let mut next = Period::default();
        let usage = match self.meter.look() {
            Ok(usage) => usage,
            // A session that is over need not list anything.
            Err(_) if is_last => Usage::default(),
            Err(_) => {
                // Nobody watches over it any more.
                self.alarm.raise(Cause::SupervisionFailed);
                return next;
            }
        };
        self.memory(&usage, &mut next);
        if usage.cpu_seconds >= self.limits.cpu_total_seconds_max {
            self.alarm.raise(Cause::Limit(Limit::CpuTotal));
        }
        let crowd = self.crowd.look(&usage, Instant::now(), &mut next);
        if crowd.was_refused {
            self.refused(Limit::Processes);
        }
        if crowd.is_too_long {
            self.alarm.raise(Cause::Limit(Limit::Processes));
        }
        for area in self.meter.areas().into_iter().filter(|area| area.is_full) {
            if let Some(limit) = Limit::of_area(&area.path) {
                self.refused(limit);
            }
        }
        if let Some(limit) = self.disk.look(&self.meter, &mut next) {
            self.alarm.raise(Cause::Limit(limit));
        }
        if is_last || Instant::now() >= self.policy_due {
            self.policy_due = Instant::now() + POLICY_PERIOD;
            if let Some(change) = self.policy.as_mut().and_then(PolicyFile::look) {
                self.record(move |log| log.policy_changed(change));
            }
        }
        next
    }

    fn refused(&self, limit: Limit) {
        if !self.log.has_told(limit, LimitAction::Refused) {
            self.record(move |log| log.reached(limit, LimitAction::Refused));
        }
    }

    /// What cannot be recorded ends the session.
    fn record(&self, record: impl FnOnce(&LimitLog) + Send + 'static) {
        if !self.log.aside(record) {
            self.alarm.raise(Cause::SupervisionFailed);
        }
    }

    fn memory(&mut self, usage: &Usage, next: &mut Period) {
        let bound = self.limits.memory_bytes_max;
        if usage.memory_kills > 0 {
            self.alarm.raise(Cause::Limit(Limit::Memory));
        }
        if self.meter.keeper() != Keeper::Watcher {
            return;
        }
        let most = usage.memory_bytes_most;
        next.before_growth_of(bound.saturating_sub(most));
        // What costs more is looked at only if it could matter.
        if most > bound && self.meter.memory_exceeds(bound).unwrap_or(true) {
            self.alarm.raise(Cause::Limit(Limit::Memory));
        }
    }
}

impl Drop for Watch {
    /// One that ends without being told to, by whatever accident, leaves nobody who holds the session to its bounds.
    fn drop(&mut self) {
        if !self.was_stopped {
            self.alarm.raise(Cause::SupervisionFailed);
        }
    }
}

/// Processor time of this thread: on a busy machine a look takes longer, and the next one is wanted all the sooner.
fn own_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(spent.tv_sec).unwrap_or(0), u32::try_from(spent.tv_nsec).unwrap_or(0))
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests;
