//! When the steps of a session's start were done, so that its cost can be seen where it falls.

use rustix::time::{ClockId, clock_gettime};
use std::borrow::Cow;

/// Most steps of one process.
pub(crate) const STEPS_MAX: usize = 64;

/// The steps of one process, one after the other. Times are those of the monotonic clock of the host (`clock_gettime(2)`), in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// When the first step began.
    pub began_ns: u64,
    /// What was done, and when that was done. The next step began then.
    pub steps: Vec<(Cow<'static, str>, u64)>,
}

impl Timeline {
    /// Begins now.
    pub fn begin() -> Self {
        Self { began_ns: now_ns(), steps: Vec::new() }
    }

    /// The step of this name is done.
    pub fn done(&mut self, step: &'static str) {
        if self.steps.len() < STEPS_MAX {
            self.steps.push((Cow::Borrowed(step), now_ns()));
        }
    }

    /// As text without line ends.
    pub(crate) fn encode(&self) -> String {
        let steps = self.steps.iter().map(|(step, done)| format!("\t{step}\t{done}"));
        [self.began_ns.to_string()].into_iter().chain(steps).collect()
    }

    pub(crate) fn decode(text: &str) -> Option<Self> {
        let mut fields = text.split('\t');
        let began_ns = fields.next()?.parse().ok()?;
        let mut steps = Vec::new();
        while let Some(step) = fields.next() {
            if steps.len() == STEPS_MAX {
                return None;
            }
            steps.push((Cow::Owned(step.to_owned()), fields.next()?.parse().ok()?));
        }
        Some(Self { began_ns, steps })
    }
}

fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let nanoseconds = now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec);
    u64::try_from(nanoseconds).unwrap_or(0)
}

#[cfg(test)]
mod tests;
