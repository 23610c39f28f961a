use super::{is_none, wanted};
use crate::seccomp::{Notification, Number};

fn call(number: libc::c_long, arguments: [u64; 6]) -> Notification {
    let number = i32::try_from(number).unwrap();
    Notification { id: 1, task: 1, number, full: Number::native(number.unsigned_abs()), arguments }
}

#[test]
fn only_who_sets_its_own_limit_of_core_dumps_is_answered() {
    let core = u64::from(libc::RLIMIT_CORE);
    let high = 7 << 32;
    for (number, arguments, expected) in [
        (libc::SYS_setrlimit, [core, 16, 0, 0, 0, 0], Some(16)),
        // As much as the kernel reads of it.
        (libc::SYS_setrlimit, [high | core, 16, 0, 0, 0, 0], Some(16)),
        (libc::SYS_setrlimit, [core + 1, 16, 0, 0, 0, 0], None),
        (libc::SYS_prlimit64, [high, high | core, 16, 0, 0, 0], Some(16)),
        (libc::SYS_prlimit64, [0, core, 0, 16, 0, 0], None),
        (libc::SYS_prlimit64, [0, core, 16, 16, 0, 0], None),
        (libc::SYS_prlimit64, [1, core, 16, 0, 0, 0], None),
        (libc::SYS_prlimit64, [0, core - 1, 16, 0, 0, 0], None),
        (libc::SYS_getrlimit, [core, 16, 0, 0, 0, 0], None),
    ] {
        assert_eq!(wanted(&call(number, arguments)), expected, "{number} {arguments:x?}");
    }
}

#[test]
fn a_dump_of_any_size_is_more_than_none() {
    let limit = |soft: u64, hard: u64| [soft.to_ne_bytes(), hard.to_ne_bytes()].concat();
    for (soft, hard, expected) in
        [(0, 0, true), (0, 1, true), (1, 1, true), (0, 2, false), (2, 2, false), (1 << 32, 1 << 32, false), (0, u64::MAX, false)]
    {
        assert_eq!(is_none(&limit(soft, hard)), expected, "{soft} {hard}");
    }
}
