//! What a session may write to the user's streams: how much, and how fast.

use crate::alarm::Alarm;
use crate::limit::{Limit, LimitLog};
use crate::supervise::Cause;
use schema::event::LimitAction;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The bounds of a session's output, shared by the threads that carry it.
#[derive(Clone)]
pub(crate) struct Outflow {
    pub(crate) log: LimitLog,
    pub(crate) alarm: Alarm,
    /// What may still go to streams that are no terminal.
    pub(crate) bytes_left: Arc<AtomicU64>,
    pub(crate) bytes_per_second_max: u64,
}

impl Outflow {
    pub(crate) fn new(log: LimitLog, alarm: Alarm, rules: &policy::SessionLimits) -> Self {
        let bytes_left = Arc::new(AtomicU64::new(rules.output_bytes_max));
        Self { log, alarm, bytes_left, bytes_per_second_max: rules.output_bytes_per_second_max }
    }

    /// How many of `wanted` bytes may go out; the session ends if that is less.
    pub(crate) fn take(&self, wanted: usize) -> usize {
        let wanted_bytes = wanted as u64;
        let taken = self.bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(wanted_bytes)));
        let left = taken.unwrap_or(0);
        if left >= wanted_bytes {
            return wanted;
        }
        self.alarm.raise(Cause::Limit(Limit::Output));
        usize::try_from(left).unwrap_or(wanted)
    }

    /// The pace of one stream.
    pub(crate) fn pace(&self) -> Pace {
        Pace { bytes_per_second_max: self.bytes_per_second_max.max(1), credit_bytes: self.bytes_per_second_max, since: Instant::now() }
    }

    /// Waits for as long as the pace demands. Meanwhile nothing is read, so whoever writes waits too.
    pub(crate) fn hold_up(&self, pace: &mut Pace, bytes: usize) {
        let pause = pace.pause(bytes as u64, Instant::now());
        if !pause.is_zero() {
            self.log.reached(Limit::OutputRate, LimitAction::Slowed);
            thread::sleep(pause);
        }
    }
}

/// How fast a stream may go: what was not used in a second is lost.
#[derive(Debug)]
pub(crate) struct Pace {
    bytes_per_second_max: u64,
    credit_bytes: u64,
    since: Instant,
}

impl Pace {
    /// How long to wait after `bytes` went out.
    fn pause(&mut self, bytes: u64, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.since).min(Duration::from_secs(1));
        let earned = passed.as_micros().saturating_mul(u128::from(self.bytes_per_second_max)) / 1_000_000;
        let credit = self.credit_bytes.saturating_add(u64::try_from(earned).unwrap_or(u64::MAX)).min(self.bytes_per_second_max);
        self.credit_bytes = credit.saturating_sub(bytes);
        let missing = bytes.saturating_sub(credit);
        let micros = u128::from(missing).saturating_mul(1_000_000) / u128::from(self.bytes_per_second_max);
        let pause = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        // The pause pays what is owed, and earns nothing more.
        self.since = now + pause;
        pause
    }
}

#[cfg(test)]
mod tests;
