//! The kernel's packet filter, for the few steps that our programs have (Linux, networking/filter.rst).

use libc::sock_filter;

/// What a filter makes of a call.
pub(crate) fn verdict(program: &[sock_filter], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let mut data = Vec::new();
    data.extend(number.to_le_bytes());
    data.extend(architecture.to_le_bytes());
    data.extend([0; 8]);
    data.extend(arguments.iter().flat_map(|argument| argument.to_le_bytes()));
    let (mut place, mut word) = (0, 0);
    loop {
        let step = program[place];
        place += 1;
        let choose = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
        match u32::from(step.code) {
            0x20 => word = u32::from_le_bytes(data[step.k as usize..][..4].try_into().unwrap()),
            0x54 => word &= step.k,
            0x05 => place += step.k as usize,
            0x15 => place += choose(word == step.k),
            0x35 => place += choose(word >= step.k),
            0x45 => place += choose(word & step.k != 0),
            0x06 => return step.k,
            other => unreachable!("{other:#x}"),
        }
    }
}
