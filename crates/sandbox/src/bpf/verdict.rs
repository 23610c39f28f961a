//! The kernel's packet filter, for the few steps that our programs have (Linux, networking/filter.rst). For tests and fuzzing.

use libc::sock_filter;

/// What stands for a program that runs over its end or has an unknown step.
const BROKEN: u32 = 0xdead_0000;

/// What a filter makes of a call.
pub(crate) fn verdict(program: &[sock_filter], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let halves = arguments.iter().flat_map(|argument| [argument & u64::from(u32::MAX), argument >> 32]);
    let halves = halves.filter_map(|half| u32::try_from(half).ok());
    let words: Vec<u32> = [number, architecture, 0, 0].into_iter().chain(halves).collect();
    let (mut place, mut word) = (0, 0);
    while let Some(step) = program.get(place) {
        place += 1;
        let choose = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
        match u32::from(step.code) {
            0x20 => word = words.get(step.k as usize / 4).copied().unwrap_or(BROKEN),
            0x54 => word &= step.k,
            0x05 => place += step.k as usize,
            0x15 => place += choose(word == step.k),
            0x35 => place += choose(word >= step.k),
            0x45 => place += choose(word & step.k != 0),
            0x06 => return step.k,
            _ => return BROKEN,
        }
    }
    BROKEN
}
