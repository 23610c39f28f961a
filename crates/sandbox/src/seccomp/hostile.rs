//! The filter, asked with any number and arguments: see [`crate::hostile`].
#![expect(clippy::missing_panics_doc, reason = "each panics where what must hold does not: that is what it is for")]

use super::program::{Watch, Watched, build, build_role};
use super::table::{DATA, EVERYONE, LIBRARIES, REMOTE, RoleRule, Rule, Table, Test};
use crate::bpf::verdict::verdict;
use crate::bpf::{NATIVE, X32};
use crate::plan::Calls;
use libc::sock_filter;
use libc::{SECCOMP_RET_ALLOW as ALLOW, SECCOMP_RET_ERRNO as ERRNO, SECCOMP_RET_KILL_PROCESS as KILL, SECCOMP_RET_USER_NOTIF as NOTIFY};
use std::sync::OnceLock;

/// Architecture, number, six arguments.
const BYTES: usize = 4 + 4 + 6 * 8;

/// Built once: of the agent unobserved, observed, and observed with hidden names, of a door, of a gateway.
static FILTERS: OnceLock<[Vec<sock_filter>; 5]> = OnceLock::new();
/// What of an agent's files is watched.
const WATCHED: [Watch; 3] = [Watch::Nothing, Watch::Contents, Watch::Listings];
/// The lists of a door, and of a gateway that reaches other machines.
const ROLES: [[&[(u32, RoleRule)]; 3]; 2] = [[EVERYONE, DATA, &[]], [EVERYONE, LIBRARIES, REMOTE]];

/// The filter decides about a call as the lists say, read without it.
pub fn filter(bytes: &[u8]) {
    let Some((head, _)) = bytes.split_first_chunk::<BYTES>() else { return };
    let mut words = head.chunks_exact(4).filter_map(|part| part.try_into().ok()).map(u32::from_le_bytes);
    let (Some(choice), Some(number)) = (words.next(), words.next()) else { return };
    let mut arguments = [0_u64; 6];
    for argument in &mut arguments {
        let (low, high) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        *argument = u64::from(high) << 32 | u64::from(low);
    }
    // Mostly the native architecture and numbers that exist.
    let architecture = if choice.trailing_zeros() >= 4 { choice } else { NATIVE };
    let number = if choice & 2 == 0 { number % 512 } else { number };
    let Ok(table) = Table::new(&Calls::default()) else { return };
    let [unobserved, observed, hiding, door, gateway] = FILTERS.get_or_init(|| {
        let [door, gateway] = ROLES.map(|lists| build_role(lists.into_iter().flatten().copied()));
        let [unobserved, observed, hiding] = WATCHED.map(|files| build(&table, Watched { files, programs: files != Watch::Nothing }));
        [unobserved, observed, hiding, door, gateway]
    });
    for (watch, program) in WATCHED.into_iter().zip([unobserved, observed, hiding]) {
        let wanted = expect(architecture, number, NOTIFY, || agent(&table, watch, number, arguments));
        let seen = verdict(program, architecture, number, arguments);
        assert_eq!(seen, wanted, "call {number} {arguments:x?} of the agent");
    }
    for (lists, program) in ROLES.into_iter().zip([door, gateway]) {
        let list = || lists.into_iter().flatten().copied();
        let wanted =
            expect(architecture, number, KILL, || list().find(|(one, _)| *one == number).map_or(KILL, |(_, rule)| role(rule, arguments)));
        assert_eq!(verdict(program, architecture, number, arguments), wanted, "call {number} {arguments:x?} of a role");
    }
}

fn expect(architecture: u32, number: u32, foreign: u32, native: impl Fn() -> u32) -> u32 {
    if architecture == NATIVE && number & X32 == 0 { native() } else { foreign }
}

fn agent(table: &Table, watch: Watch, number: u32, arguments: [u64; 6]) -> u32 {
    match i32::try_from(number).ok().and_then(|number| table.rule(number)) {
        Some(Rule::Open(flags)) if watch != Watch::Nothing => {
            let flags = flags.map_or(0, |flags| low(arguments, flags).cast_signed());
            let creates = flags & (libc::O_CREAT | libc::O_TRUNC) != 0 || flags & libc::O_TMPFILE == libc::O_TMPFILE;
            let lists = flags & libc::O_DIRECTORY != 0 && !creates && flags & libc::O_ACCMODE == libc::O_RDONLY;
            if flags & libc::O_PATH != 0 || watch == Watch::Contents && lists { ALLOW } else { NOTIFY }
        }
        Some(Rule::Change(_) | Rule::Execute | Rule::Tell) if watch != Watch::Nothing => NOTIFY,
        Some(Rule::Watch) if watch == Watch::Listings => NOTIFY,
        Some(Rule::Allow | Rule::Open(_) | Rule::Change([]) | Rule::Execute | Rule::Tell | Rule::Watch) => ALLOW,
        Some(Rule::Trace) => {
            let begins = matches!(low(arguments, 0), 0 | 16 | 0x4206);
            if begins { NOTIFY } else { ALLOW }
        }
        Some(Rule::When(alternatives, _) | Rule::Change(alternatives)) => when(alternatives, arguments, None, NOTIFY),
        Some(Rule::Make | Rule::Connect | Rule::Refuse | Rule::RefuseAbsent) | None => NOTIFY,
    }
}

fn role(rule: RoleRule, arguments: [u64; 6]) -> u32 {
    match rule {
        RoleRule::Allow => ALLOW,
        RoleRule::Absent => ERRNO | libc::ENOSYS.unsigned_abs(),
        RoleRule::When(alternatives, errno) => when(alternatives, arguments, errno, KILL),
    }
}

fn when(alternatives: &[&[Test]], arguments: [u64; 6], errno: Option<i32>, otherwise: u32) -> u32 {
    let holds = |test: &Test| match *test {
        Test::Is(argument, mask, values) => values.contains(&(low(arguments, argument) & mask)),
        Test::Null(argument) => arguments.get(argument as usize) == Some(&0),
    };
    if alternatives.iter().any(|tests| tests.iter().all(holds)) {
        ALLOW
    } else {
        errno.map_or(otherwise, |errno| ERRNO | errno.unsigned_abs())
    }
}

/// The half of an argument that is compared.
fn low(arguments: [u64; 6], argument: u32) -> u32 {
    let value = arguments.get(argument as usize).copied().unwrap_or_default();
    u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default()
}
