//! The kernel, asked without a library between: one call with its number. Refusals are told to whoever reads the output.
#![expect(unsafe_code, reason = "a test tool that asks the kernel what no safe library would")]

use std::ffi::CString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a call gave: a number, or an error number.
pub(crate) type Answer = Result<usize, i32>;

/// Error numbers that are refusals. An object that is absent is none.
pub(crate) const REFUSALS: &[i32] = &[libc::EPERM, libc::EACCES, libc::EROFS, libc::ENOSYS];

/// Asks the kernel. A refusal is told with the call's name.
pub(crate) fn call(name: &str, number: libc::c_long, args: &[usize]) -> Answer {
    let answer = quiet(number, args);
    if let Err(error) = answer {
        refused(name, error, "");
    }
    answer
}

/// The same, telling nothing.
pub(crate) fn quiet(number: libc::c_long, args: &[usize]) -> Answer {
    let mut all = [0_usize; 6];
    for (place, value) in all.iter_mut().zip(args) {
        *place = *value;
    }
    let [first, second, third, fourth, fifth, sixth] = all;
    // SAFETY: whoever calls this hands addresses of memory that lives as long as the call, and of the size that the call expects;
    // calls that change this process's own memory layout are made with addresses that the kernel gave.
    let result = unsafe { libc::syscall(number, first, second, third, fourth, fifth, sixth) };
    usize::try_from(result).map_err(|_| std::io::Error::last_os_error().raw_os_error().unwrap_or(0))
}

/// A call by the gate of 32-bit programs, whose calls are numbered differently.
#[cfg(target_arch = "x86_64")]
pub(crate) fn call_i386(number: u32, argument: u32) -> i32 {
    let result: i32;
    // SAFETY: the gate takes numbers in registers and returns one; the calls made here are given no addresses. The kernel may clear
    // the registers r8 to r11. `rbx` is the compiler's, so it is exchanged and put back.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {argument}", "int 0x80", "xchg rbx, {argument}",
            argument = inout(reg) u64::from(argument) => _, inlateout("eax") number.cast_signed() => result, in("rcx") 0, in("rdx") 0,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if result == -libc::ENOSYS {
        refused(&format!("i386:{number}"), libc::ENOSYS, "");
    }
    result
}

/// Other architectures have no such gate.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn call_i386(_number: u32, _argument: u32) -> i32 {
    -libc::ENOSYS
}

/// Bytes at an address that the kernel gave for a mapping of at least that size.
pub(crate) fn bytes_at(address: usize, length: usize) -> Vec<u8> {
    let pointer = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: callers name a mapping that the kernel has just made, which nobody else in this process writes.
    unsafe { std::slice::from_raw_parts(pointer, length) }.to_vec()
}

/// Writes bytes to an address that the kernel gave for a writable mapping of at least that size.
pub(crate) fn write_at(address: usize, bytes: &[u8]) {
    let pointer = std::ptr::with_exposed_provenance_mut::<u8>(address);
    // SAFETY: callers name a writable mapping that the kernel has just made, and it does not overlap the bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), pointer, bytes.len()) };
}

/// The address of a value, for a call that reads it.
pub(crate) fn at<T: ?Sized>(value: &T) -> usize {
    std::ptr::from_ref(value).cast::<u8>().expose_provenance()
}

/// The address of a value, for a call that writes it.
pub(crate) fn into<T: ?Sized>(value: &mut T) -> usize {
    std::ptr::from_mut(value).cast::<u8>().expose_provenance()
}

/// A path as the kernel takes it.
pub(crate) fn text(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_bytes()).unwrap()
}

/// The address of such a path.
pub(crate) fn name(path: &CString) -> usize {
    path.as_ptr().expose_provenance()
}

/// A number with a sign as the kernel takes it.
pub(crate) fn signed(number: i64) -> usize {
    usize::try_from(number.cast_unsigned()).unwrap()
}

/// Tells a refusal: the call, the error's number, and what was asked for.
pub(crate) fn refused(call: &str, error: i32, object: &str) {
    say(format!("@refused {call} {error} {object}").as_bytes());
}

/// Tells that the kernel gave something that it gives to nobody behind a wall.
pub(crate) fn gained(what: &str) {
    say(format!("@gained {what}").as_bytes());
}

/// Prints what was found: the judge looks for secrets in it.
pub(crate) fn say(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    // A closed output leaves nothing to be told.
    let _closed = out.write_all(bytes).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
}

/// A descriptor of this process as a file, which closes it.
pub(crate) fn file(descriptor: i32) -> std::fs::File {
    // SAFETY: callers hand a descriptor that a call has just made and that nobody else holds.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(descriptor) }
}
