//! The list as a program of the kernel's packet filter: a search tree over the sorted numbers. Calls that are allowed whatever their
//! arguments are cached by the kernel and cost next to nothing.

use super::table::{self, Rule, Test};
use crate::bpf::{ARCHITECTURE, ARGUMENTS, NATIVE, NUMBER, far, jump, load, ret, step};
use crate::kernel::checked;
use libc::{BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JSET, BPF_K, sock_filter};

/// Set in the number of a call by the x32 ABI, whose calls are numbered differently.
const X32: u32 = 0x4000_0000;
/// Longest jump of a condition.
const NEAR: usize = 255;

/// Builds the filter. With `observe`, every call that opens a file is handed to the warden.
pub(crate) fn build(observe: bool) -> Vec<sock_filter> {
    let mut steps = Vec::new();
    for rule in table::rules() {
        let Ok(number) = u32::try_from(rule.number) else { continue };
        let code = match (rule.rule, observe) {
            (Rule::Allow, _) | (Rule::Open(_), false) => vec![allow()],
            (Rule::Open(Some(flags)), true) => path_only(flags),
            (Rule::Absent, _) => vec![absent()],
            (Rule::When(tests), _) => conditions(tests),
            (Rule::Open(None) | Rule::Make | Rule::Connect, _) => vec![notify()],
            // Like everything that the table does not name.
            (Rule::Refuse | Rule::RefuseAbsent, _) => continue,
        };
        steps.push((number, code));
    }
    steps.sort_by_key(|(number, _)| *number);
    let mut program = vec![
        load(ARCHITECTURE),
        jump(BPF_JEQ, NATIVE, 1, 0),
        ret(libc::SECCOMP_RET_KILL_PROCESS),
        load(NUMBER),
        jump(BPF_JSET, X32, 0, 1),
        ret(libc::SECCOMP_RET_KILL_PROCESS),
    ];
    program.extend(tree(&ranges(steps)));
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

fn ranges(steps: Ranges) -> Ranges {
    let mut ranges: Ranges = vec![(0, vec![notify()])];
    for (number, code) in steps {
        // A range of one number; the next one takes over behind it.
        while ranges.last().is_some_and(|(start, _)| *start >= number) {
            ranges.pop();
        }
        ranges.push((number, code));
        ranges.push((number + 1, vec![notify()]));
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

/// Allowed if every test holds.
fn conditions(tests: &[Test]) -> Vec<sock_filter> {
    let mut code = Vec::new();
    for test in tests {
        let (argument, mask, values) = match test {
            Test::Is(argument, mask, values) | Test::IsNot(argument, mask, values) | Test::If(_, (argument, mask, values)) => {
                (*argument, *mask, *values)
            }
        };
        if let Test::If((other, bits, value), _) = test {
            // Past the two steps that load, one for each value, and the one that refuses.
            let behind = u8::try_from(values.len()).unwrap_or(u8::MAX).saturating_add(3);
            code.extend([load(ARGUMENTS + 8 * other), step(BPF_ALU | BPF_AND | BPF_K, *bits), jump(BPF_JEQ, *value, 0, behind)]);
        }
        code.push(load(ARGUMENTS + 8 * argument));
        code.push(step(BPF_ALU | BPF_AND | BPF_K, mask));
        for (value, place) in values.iter().take(NEAR).zip(0_u8..) {
            let behind = u8::try_from(values.len()).unwrap_or(u8::MAX).saturating_sub(place);
            code.push(jump(BPF_JEQ, *value, behind, 0));
        }
        if matches!(test, Test::IsNot(..)) {
            code.push(far(1));
        }
        code.push(notify());
    }
    code.push(allow());
    code
}

/// Carried out with `O_PATH`, handed to the warden without.
fn path_only(flags: u32) -> Vec<sock_filter> {
    vec![load(ARGUMENTS + 8 * flags), jump(BPF_JSET, libc::O_PATH.cast_unsigned(), 0, 1), allow(), notify()]
}

fn allow() -> sock_filter {
    ret(libc::SECCOMP_RET_ALLOW)
}

fn notify() -> sock_filter {
    ret(libc::SECCOMP_RET_USER_NOTIF)
}

fn absent() -> sock_filter {
    ret(libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs())
}

#[cfg(test)]
mod tests;
