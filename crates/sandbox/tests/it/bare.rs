//! System calls with any number and arguments, each in a fork of its own.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};

/// What a call never returns.
const UNSAID: i64 = i64::MIN;
/// Seconds after which a call that waits is ended; `pause` always does.
const WAIT_SECONDS_MAX: i64 = 30;
const PAUSE_SECONDS: i64 = 1;
#[cfg(target_arch = "x86_64")]
const PAUSE: libc::c_long = libc::SYS_pause;
#[cfg(not(target_arch = "x86_64"))]
const PAUSE: libc::c_long = -1;

/// A number that forks share.
pub(crate) fn shared() -> io::Result<&'static AtomicI64> {
    let (rights, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at an address of the kernel's choice.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), 4096, rights, kind, -1, 0) };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is large enough, aligned to a page, zeroed, and never taken away.
    Ok(unsafe { &*address.cast::<AtomicI64>() })
}

/// Makes a call in a fork, after `prepare`, and says what came of it: `returned NUMBER` or `ended STATUS`.
pub(crate) fn attempt(said: &AtomicI64, numbers: [u64; 7], prepare: impl FnOnce()) -> io::Result<String> {
    said.store(UNSAID, Ordering::SeqCst);
    // SAFETY: the child makes system calls only, so no lock of another thread matters.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            end_late(if numbers[0] == PAUSE.cast_unsigned() { PAUSE_SECONDS } else { WAIT_SECONDS_MAX });
            prepare();
            said.store(call(numbers), Ordering::SeqCst);
            // The call may have been one that this process cannot go on after.
            exit()
        }
        child => {
            let mut status = 0;
            // SAFETY: the kernel writes one number into a live variable.
            let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
            if waited != child {
                return Err(io::Error::last_os_error());
            }
            let result = said.load(Ordering::SeqCst);
            Ok(if result == UNSAID { format!("ended {status}") } else { format!("returned {result}") })
        }
    }
}

fn end_late(seconds: i64) {
    let none = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let once = libc::itimerval { it_interval: none, it_value: libc::timeval { tv_sec: seconds, ..none } };
    // SAFETY: the kernel reads one such structure from a live variable.
    let _best_effort = unsafe { libc::syscall(libc::SYS_setitimer, libc::ITIMER_REAL, &raw const once, 0) };
}

/// The call itself, without a function of the C library around it: after `vfork` its stack would be used twice.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call frame would be used twice after vfork")]
fn call([number, first, second, third, fourth, fifth, sixth]: [u64; 7]) -> i64 {
    let result: i64;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: only this process, made for this call, bears what the call does.
    unsafe {
        std::arch::asm!("syscall", inlateout("rax") number.cast_signed() => result, in("rdi") first, in("rsi") second, in("rdx") third, in("r10") fourth,
            in("r8") fifth, in("r9") sixth, lateout("rcx") _, lateout("r11") _);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("svc 0", in("x8") number, inlateout("x0") first.cast_signed() => result, in("x1") second, in("x2") third, in("x3") fourth, in("x4") fifth,
            in("x5") sixth);
    }
    result
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "as above")]
fn exit() -> ! {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: ends this process.
    unsafe {
        std::arch::asm!("syscall", in("rax") libc::SYS_exit_group, in("rdi") 0, options(noreturn));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: ends this process.
    unsafe {
        std::arch::asm!("svc 0", in("x8") libc::SYS_exit_group, in("x0") 0, options(noreturn));
    }
}
