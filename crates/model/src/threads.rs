//! How many threads compute. The libraries below take the number from the environment alone, so it is set there and checked here.

use crate::Error;
use candle_core::utils::{barrier_pool, get_num_threads};
use tokenizers::utils::parallelism;

#[cfg(test)]
mod tests;

/// The environment that a process of [`crate::serve`] is to be started with, for this many threads in each pool that computes.
///
/// One is a good number where the machine does other work: candle's threads wait for each other by spinning, so that two of them on busy
/// processors are many times slower than one.
#[must_use]
pub fn environment(threads: usize) -> [(&'static str, String); 2] {
    [("RAYON_NUM_THREADS", threads.to_string()), ("CANDLE_NUM_THREADS", threads.to_string())]
}

/// Refuses to go on with more threads than allowed, by counting them.
pub(crate) fn check(allowed: usize) -> Result<(), Error> {
    parallelism::set_parallelism(false);
    // Counting a pool starts it, so what is only planned is looked at first.
    let planned = get_num_threads();
    if planned > allowed {
        return Err(Error::Threads { found: planned, allowed });
    }
    let found = parallelism::current_num_threads().max(barrier_pool().n_workers() + 1);
    if found > allowed { Err(Error::Threads { found, allowed }) } else { Ok(()) }
}
