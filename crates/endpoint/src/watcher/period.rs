use std::time::Duration;

/// The longest time between two looks.
const LONGEST: Duration = Duration::from_secs(1);
/// The shortest.
const SHORTEST: Duration = Duration::from_millis(5);
/// Faster than a machine of today fills memory or a disk: what is left lasts until the next look.
const GROWTH_BYTES_PER_SECOND: u64 = 8 << 30;
/// How many times longer than a look the time until the next one is at least.
const LOOKS_PART: u32 = 10;

/// When to look again: the nearer a bound, the sooner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period(Duration);

impl Default for Period {
    fn default() -> Self {
        Self(LONGEST)
    }
}

impl Period {
    /// Until the first look: nothing is known yet.
    pub(super) const START: Duration = Duration::from_millis(20);

    /// Not later than it takes to use up so many bytes.
    pub(super) fn before_growth_of(&mut self, bytes: u64) {
        let micros = u128::from(bytes).saturating_mul(1_000_000) / u128::from(GROWTH_BYTES_PER_SECOND);
        self.at_most(Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)));
    }

    pub(super) fn at_most(&mut self, period: Duration) {
        self.0 = self.0.min(period).max(SHORTEST);
    }

    /// The time to wait after a look that took so much processor time: looking never takes more than a small part of a processor.
    pub(super) fn at_most_a_part_of_the_time(self, look: Duration) -> Duration {
        self.0.max(look.saturating_mul(LOOKS_PART)).min(LONGEST)
    }
}
