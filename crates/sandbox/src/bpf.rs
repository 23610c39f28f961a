//! Steps of the kernel's packet filter over `seccomp_data` (linux/seccomp.h), shared by the agent's filter and those of our own processes.

use libc::{BPF_ABS, BPF_JA, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter};

/// Offset of the call's number.
pub(crate) const NUMBER: u32 = 0;
/// Offset of the architecture.
pub(crate) const ARCHITECTURE: u32 = 4;
/// Offset of the first argument; each has eight bytes, low half first.
pub(crate) const ARGUMENTS: u32 = 16;
/// `AUDIT_ARCH_*` of this architecture.
#[cfg(target_arch = "x86_64")]
pub(crate) const NATIVE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
pub(crate) const NATIVE: u32 = 0xc000_00b7;

/// Set in the number of a call by the x32 ABI, whose calls are numbered differently.
pub(crate) const X32: u32 = 0x4000_0000;

/// Takes the word at an offset.
pub(crate) fn load(offset: u32) -> sock_filter {
    step(BPF_LD | BPF_W | BPF_ABS, offset)
}

/// Ends with a verdict.
pub(crate) fn ret(value: u32) -> sock_filter {
    step(BPF_RET | BPF_K, value)
}

/// Jumps over so many steps.
pub(crate) fn far(distance: usize) -> sock_filter {
    step(BPF_JMP | BPF_JA, u32::try_from(distance).unwrap_or(u32::MAX))
}

/// Compares the word with `k`, and jumps over `jt` or `jf` steps.
pub(crate) fn jump(kind: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { jt, jf, ..step(BPF_JMP | kind | BPF_K, k) }
}

/// Any other step.
pub(crate) fn step(code: u32, k: u32) -> sock_filter {
    sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt: 0, jf: 0, k }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod verdict;
