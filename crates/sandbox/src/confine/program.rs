//! A list of calls as a program of the kernel's packet filter. What the list does not name kills the process.

use crate::bpf::{ARCHITECTURE, ARGUMENTS, NATIVE, NUMBER, far, jump, load, ret, step};
use libc::{BPF_ALU, BPF_AND, BPF_JEQ, BPF_K, c_long, sock_filter};

/// Bytes of one argument and of its halves, low half first.
const ARGUMENT_BYTES: u32 = 8;
const HALF_BYTES: u32 = 4;

/// What becomes of a call that the list names.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// Carried out.
    Allow,
    /// Refused with this error number.
    Refuse(i32),
    /// Carried out if every test of one of the alternatives holds. Otherwise it kills.
    When(&'static [&'static [Test]]),
    /// Carried out in the same cases. Otherwise it is refused with this error number.
    WhenElse(&'static [&'static [Test]], i32),
}

/// A test of an argument.
#[derive(Clone, Copy, Debug)]
pub(super) enum Test {
    /// The masked bits of the low half are one of the values: argument, mask, values.
    Low(u32, u32, &'static [u32]),
    /// Both halves are zero: argument.
    Zero(u32),
}

/// A call and what becomes of it.
pub(super) type Entry = (c_long, Rule);

/// The filter for a list.
pub(super) fn build(list: impl Iterator<Item = Entry>) -> Vec<sock_filter> {
    let mut program = vec![load(ARCHITECTURE), equal(NATIVE, 1, 0), kill(), load(NUMBER)];
    for (number, rule) in list {
        let Ok(number) = u32::try_from(number) else { continue };
        let code = match rule {
            Rule::Allow => vec![ret(libc::SECCOMP_RET_ALLOW)],
            Rule::Refuse(errno) => vec![refuse(errno)],
            Rule::When(alternatives) => conditions(alternatives, kill()),
            Rule::WhenElse(alternatives, errno) => conditions(alternatives, refuse(errno)),
        };
        // A short jump would do for all but the longest.
        program.extend([equal(number, 1, 0), far(code.len())]);
        program.extend(code);
    }
    program.push(kill());
    program
}

fn conditions(alternatives: &[&[Test]], otherwise: sock_filter) -> Vec<sock_filter> {
    let mut code = Vec::new();
    for tests in alternatives {
        // Backwards, since each test jumps over the rest of its alternative when it fails.
        let mut rest = vec![ret(libc::SECCOMP_RET_ALLOW)];
        for test in tests.iter().rev() {
            let mut block = match *test {
                Test::Low(argument, mask, values) => one_of(argument * ARGUMENT_BYTES, mask, values, rest.len()),
                Test::Zero(argument) => {
                    let high = one_of(argument * ARGUMENT_BYTES + HALF_BYTES, u32::MAX, &[0], rest.len());
                    let mut both = one_of(argument * ARGUMENT_BYTES, u32::MAX, &[0], high.len() + rest.len());
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
fn one_of(offset: u32, mask: u32, values: &[u32], rest: usize) -> Vec<sock_filter> {
    let mut code = vec![load(ARGUMENTS + offset), step(BPF_ALU | BPF_AND | BPF_K, mask)];
    for (place, value) in values.iter().enumerate() {
        // Over the other values and the jump behind them.
        let over = u8::try_from(values.len() - place).unwrap_or(u8::MAX);
        code.push(equal(*value, over, 0));
    }
    code.push(far(rest));
    code
}

fn kill() -> sock_filter {
    ret(libc::SECCOMP_RET_KILL_PROCESS)
}

fn refuse(errno: i32) -> sock_filter {
    ret(libc::SECCOMP_RET_ERRNO | errno.unsigned_abs())
}

fn equal(value: u32, jt: u8, jf: u8) -> sock_filter {
    jump(BPF_JEQ, value, jt, jf)
}
