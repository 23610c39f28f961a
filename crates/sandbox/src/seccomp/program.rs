//! The list as a program of the kernel's packet filter: a search tree over the sorted numbers. Calls that are allowed whatever their
//! arguments are cached by the kernel and cost next to nothing.

use super::table::{ATTACH, RoleRule, Rule, SEIZE, TRACE_ME, Table, Test};
use crate::bpf::{ARCHITECTURE, ARGUMENTS, NATIVE, NUMBER, X32, far, jump, load, ret, step};
use crate::kernel::checked;
use libc::{BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JSET, BPF_K, sock_filter};

/// Bytes of one argument and of its halves, low half first.
const ARGUMENT_BYTES: u32 = 8;
const HALF_BYTES: u32 = 4;

/// Which calls that open or change a file are handed to the warden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Watch {
    /// None.
    #[default]
    Nothing,
    /// All but those that open a folder to list it: no content can be read or written by such a descriptor.
    Contents,
    /// All, where names are hidden: a folder that is hidden is not listed either.
    Listings,
}

/// Flags that tell whether a folder is opened to be listed: of these, `O_DIRECTORY` alone. The kernel then opens nothing but a folder; with
/// one of the others it would make a file, change it or write to it.
const LISTS: i32 = libc::O_DIRECTORY | libc::O_TMPFILE | libc::O_CREAT | libc::O_TRUNC | libc::O_ACCMODE;

/// What of a session is handed to the warden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Calls that open or change a file.
    pub(crate) files: Watch,
    /// Every call that executes a program or changes who a process is.
    pub(crate) programs: bool,
}

/// Builds the agent's filter.
pub(crate) fn build(table: &Table, watched: Watched) -> Vec<sock_filter> {
    let code = |rule: Rule| match rule {
        Rule::Open(Some(flags)) if watched.files == Watch::Contents => Some(names_only(flags)),
        Rule::Open(Some(flags)) if watched.files == Watch::Listings => Some(path_only(flags)),
        Rule::Open(None) | Rule::Change(_) if watched.files != Watch::Nothing => Some(vec![notify()]),
        Rule::Execute | Rule::Tell if watched.programs => Some(vec![notify()]),
        Rule::Watch if watched.files == Watch::Listings => Some(vec![notify()]),
        Rule::Allow | Rule::Open(_) | Rule::Change([]) | Rule::Execute | Rule::Tell | Rule::Watch => Some(vec![allow()]),
        Rule::Make | Rule::Connect => Some(vec![notify()]),
        Rule::Change(alternatives) | Rule::When(alternatives, _) => Some(conditions(alternatives, notify())),
        Rule::Trace => Some(tracing()),
        // Like everything that the lists do not name.
        Rule::Refuse | Rule::RefuseAbsent => None,
    };
    compile(table.entries().filter_map(|entry| Some((entry.number, code(entry.rule)?))).collect(), notify(), notify())
}

/// Builds the filter of a role, which has no warden: what its lists do not carry out kills it.
pub(crate) fn build_role(list: impl Iterator<Item = (u32, RoleRule)>) -> Vec<sock_filter> {
    let kill = || ret(libc::SECCOMP_RET_KILL_PROCESS);
    let code = |rule: RoleRule| match rule {
        RoleRule::Allow => vec![allow()],
        RoleRule::Absent => vec![refuse(libc::ENOSYS)],
        RoleRule::When(alternatives, errno) => conditions(alternatives, errno.map_or_else(kill, refuse)),
    };
    compile(list.map(|(number, rule)| (number, code(rule))).collect(), kill(), kill())
}

/// The steps for each call, one for all others, and one for calls of another architecture or numbering.
fn compile(mut steps: Ranges, otherwise: sock_filter, foreign: sock_filter) -> Vec<sock_filter> {
    steps.sort_by_key(|(number, _)| *number);
    let mut program = vec![load(ARCHITECTURE), jump(BPF_JEQ, NATIVE, 1, 0), foreign, load(NUMBER), jump(BPF_JSET, X32, 0, 1), foreign];
    program.extend(tree(&ranges(steps, otherwise)));
    program
}

/// Whether the kernel knows filters with a listener.
pub(crate) fn is_available() -> bool {
    let action = libc::SECCOMP_RET_USER_NOTIF;
    // SAFETY: the kernel reads four bytes from a live variable.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
    checked(result).is_ok()
}

/// From which number on which code holds; every number is covered, neighbours differ.
type Ranges = Vec<(u32, Vec<sock_filter>)>;

fn ranges(steps: Ranges, otherwise: sock_filter) -> Ranges {
    let mut ranges: Ranges = vec![(0, vec![otherwise])];
    for (number, code) in steps {
        // A range of one number; the next one takes over behind it.
        while ranges.last().is_some_and(|(start, _)| *start >= number) {
            ranges.pop();
        }
        ranges.push((number, code));
        ranges.push((number + 1, vec![otherwise]));
    }
    ranges.dedup_by(|next, before| is_same(&next.1, &before.1));
    ranges
}

fn is_same(one: &[sock_filter], other: &[sock_filter]) -> bool {
    let key = |step: &sock_filter| (step.code, step.jt, step.jf, step.k);
    one.iter().map(key).eq(other.iter().map(key))
}

fn tree(ranges: &[(u32, Vec<sock_filter>)]) -> Vec<sock_filter> {
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let [(_, code)] = ranges else {
        let Some((start, _)) = high.first() else { return vec![notify()] };
        let (low, high) = (tree(low), tree(high));
        let mut code = match u8::try_from(low.len()) {
            Ok(near) => vec![jump(BPF_JGE, *start, near, 0)],
            Err(_) => vec![jump(BPF_JGE, *start, 0, 1), far(low.len())],
        };
        code.extend(low.into_iter().chain(high));
        return code;
    };
    code.clone()
}

/// Allowed if every test of one of the alternatives holds.
fn conditions(alternatives: &[&[Test]], otherwise: sock_filter) -> Vec<sock_filter> {
    let mut code = Vec::new();
    for tests in alternatives {
        // Backwards, since each test jumps over the rest of its alternative when it fails.
        let mut rest = vec![allow()];
        for test in tests.iter().rev() {
            let mut block = match *test {
                Test::Is(argument, mask, values) => compare(argument * ARGUMENT_BYTES, mask, values, rest.len()),
                Test::Null(argument) => {
                    let high = compare(argument * ARGUMENT_BYTES + HALF_BYTES, u32::MAX, &[0], rest.len());
                    let mut both = compare(argument * ARGUMENT_BYTES, u32::MAX, &[0], high.len() + rest.len());
                    both.extend(high);
                    both
                }
            };
            block.append(&mut rest);
            rest = block;
        }
        code.extend(rest);
    }
    code.push(otherwise);
    code
}

/// Goes on if the masked word is one of the values, otherwise jumps over `rest` steps.
fn compare(offset: u32, mask: u32, values: &[u32], rest: usize) -> Vec<sock_filter> {
    let mut code = vec![load(ARGUMENTS + offset), step(BPF_ALU | BPF_AND | BPF_K, mask)];
    for (place, value) in values.iter().enumerate() {
        // Over the other values and the jump behind them; the build bounds how many values a test has.
        let over = u8::try_from(values.len() - place).unwrap_or(u8::MAX);
        code.push(jump(BPF_JEQ, *value, over, 0));
    }
    code.push(far(rest));
    code
}

/// Carried out with `O_PATH`, handed to the warden without.
fn path_only(flags: u32) -> Vec<sock_filter> {
    vec![load(ARGUMENTS + ARGUMENT_BYTES * flags), jump(BPF_JSET, libc::O_PATH.cast_unsigned(), 0, 1), allow(), notify()]
}

/// The requests that begin to trace are handed to the warden, the others carried out.
fn tracing() -> Vec<sock_filter> {
    let low = |request: u64| u32::try_from(request).unwrap_or_default();
    vec![
        load(ARGUMENTS),
        jump(BPF_JEQ, low(TRACE_ME), 3, 0),
        jump(BPF_JEQ, low(ATTACH), 2, 0),
        jump(BPF_JEQ, low(SEIZE), 1, 0),
        allow(),
        notify(),
    ]
}

/// Carried out with `O_PATH`, or to list a folder, handed to the warden otherwise.
fn names_only(flags: u32) -> Vec<sock_filter> {
    let mut code = vec![
        load(ARGUMENTS + ARGUMENT_BYTES * flags),
        jump(BPF_JSET, libc::O_PATH.cast_unsigned(), 0, 1),
        allow(),
        step(BPF_ALU | BPF_AND | BPF_K, LISTS.cast_unsigned()),
        jump(BPF_JEQ, libc::O_DIRECTORY.cast_unsigned(), 0, 1),
    ];
    code.extend([allow(), notify()]);
    code
}

fn allow() -> sock_filter {
    ret(libc::SECCOMP_RET_ALLOW)
}

fn notify() -> sock_filter {
    ret(libc::SECCOMP_RET_USER_NOTIF)
}

fn refuse(errno: i32) -> sock_filter {
    ret(libc::SECCOMP_RET_ERRNO | errno.unsigned_abs())
}

#[cfg(test)]
mod tests;
