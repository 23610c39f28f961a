//! System calls that rustix does not wrap, each as one small safe function.

use rustix::process::Pid;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Which side of a fork this is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fork {
    /// The new process.
    Child,
    /// The old process, with the new one's id.
    Parent(Pid),
}

/// Turns a raw return value into a result.
pub(crate) fn checked(value: libc::c_long) -> io::Result<libc::c_long> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

/// Copies this process. The caller has one thread only, so the child may allocate.
pub(crate) fn fork() -> io::Result<Fork> {
    // SAFETY: fork has no memory preconditions; callers checked that there is one thread, so no lock is copied in a locked state.
    let pid = unsafe { libc::fork() };
    checked(pid.into())?;
    Ok(Pid::from_raw(pid).map_or(Fork::Child, Fork::Parent))
}

/// Ends this process without running destructors or exit handlers of the parent's copy.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit ends the process; nothing runs after it.
    unsafe { libc::_exit(code) }
}

/// Closes every descriptor from `first` to `last` inclusive.
pub(crate) fn close_range(first: u32, last: u32) -> io::Result<()> {
    if first > last {
        return Ok(());
    }
    // SAFETY: close_range takes numbers only; callers list every descriptor that is still owned outside the range.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    checked(result).map(drop)
}

/// Sets and clears attributes of the mounts at `path` below `dir`.
pub(crate) fn mount_setattr(dir: BorrowedFd<'_>, path: &CStr, flags: i32, set: u64, propagation: u64) -> io::Result<()> {
    let attributes = libc::mount_attr { attr_set: set, attr_clr: 0, propagation, userns_fd: 0 };
    // SAFETY: `path` is a C string and `attributes` a live structure of the size that is passed.
    let result = unsafe {
        libc::syscall(libc::SYS_mount_setattr, dir.as_raw_fd(), path.as_ptr(), flags, &raw const attributes, size_of::<libc::mount_attr>())
    };
    checked(result).map(drop)
}

/// Whether this process has exactly one thread.
pub(crate) fn is_single_threaded() -> io::Result<bool> {
    Ok(std::fs::read_dir("/proc/self/task")?.take(2).count() == 1)
}

/// Zeroes the process's own argument or environment block.
pub(crate) fn zero(start: usize, length: usize) {
    // SAFETY: the kernel reported the range as this process's own argument or environment block on its stack; one thread runs, and
    // Rust's copies of both (`std::env`) read the block only through pointers that stay valid and now lead to empty strings.
    unsafe { std::ptr::write_bytes(std::ptr::with_exposed_provenance_mut::<u8>(start), 0, length) };
}

/// Gives up supplementary groups; only root may.
pub(crate) fn drop_groups() -> io::Result<()> {
    // SAFETY: a count of zero reads no memory.
    let result = unsafe { libc::setgroups(0, std::ptr::null()) };
    checked(result.into()).map(drop)
}

/// Leaves namespaces of the parent. One thread runs, so no other thread is left behind with the old ones.
pub(crate) fn unshare(flags: rustix::thread::UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: unshare of descriptors is not asked for, so no descriptor's meaning changes for another thread.
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// Lets the kernel take in ended children without a wait.
pub(crate) fn reap_children_unseen() {
    // SAFETY: ignoring a signal installs no handler that could run.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
}

/// Makes writing to a closed pipe or socket an error instead of a death.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: ignoring a signal installs no handler that could run.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Whether this number is an open descriptor.
pub(crate) fn is_open(number: RawFd) -> bool {
    // SAFETY: the command takes numbers only.
    unsafe { libc::fcntl(number, libc::F_GETFD) >= 0 }
}

/// The running kernel's release.
pub(crate) fn release_text() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// Major and minor number of the running kernel; zeros if it does not say.
pub(crate) fn release() -> (u32, u32) {
    release_of(&release_text())
}

/// The first two numbers of a kernel's release.
pub(crate) fn release_of(text: &str) -> (u32, u32) {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map_while(|part| part.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// The newest version of Landlock's interface that the kernel speaks; 0 without Landlock (landlock_create_ruleset(2)).
pub(crate) fn landlock_abi() -> u32 {
    const VERSION: libc::c_long = 1;
    // SAFETY: with this flag the call reads no attributes.
    let result = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) };
    u32::try_from(result).unwrap_or(0)
}

/// Puts this thread, and what it will start, behind a filter without listener. New privileges must have been given up.
pub(crate) fn install_filter(filter: &[libc::sock_filter]) -> io::Result<()> {
    let length = u16::try_from(filter.len()).map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?;
    let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut() };
    // SAFETY: the kernel reads `len` instructions from `filter`, which the caller's slice keeps alive, and writes nothing.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    checked(result).map(drop)
}

/// Whether a filter says that there is no clone3. The kernel alone would find this request too short (clone(2)).
pub(crate) fn new_clone_is_absent() -> bool {
    // SAFETY: with a size of zero no memory is read, and no process is made.
    let result = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<u8>(), 0) };
    result < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS)
}

/// A name that nobody guesses: 128 random bits, hexadecimal.
pub(crate) fn random_name() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

/// Makes `target` another number of `source`, kept over exec.
pub(crate) fn duplicate_to(source: RawFd, target: RawFd) -> io::Result<()> {
    // SAFETY: numbers only; what `target` was is not owned by anything that runs on in this child.
    let result = unsafe { libc::dup2(source, target) };
    checked(result.into()).map(drop)
}

/// Makes the terminal at this number the controlling one of this (new) session.
pub(crate) fn take_terminal(number: RawFd) -> io::Result<()> {
    // SAFETY: the request takes a plain number.
    let result = unsafe { libc::ioctl(number, libc::TIOCSCTTY, 0) };
    checked(result.into()).map(drop)
}

/// Puts every signal back to its default and blocks none.
pub(crate) fn reset_signals() {
    for number in 1..=64 {
        // SAFETY: the default action installs no handler.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    let none: u64 = 0;
    // SAFETY: the kernel reads eight bytes, the size of its signal set, from a live variable.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const none, std::ptr::null_mut::<u64>(), size_of::<u64>()) };
}

/// Installs the filter, hands its listener to the warden and waits for the go. Allocates nothing.
pub(crate) fn install_and_hand_over(filter: &[libc::sock_filter], warden: &OwnedFd) -> io::Result<()> {
    let listener = crate::seccomp::install_with_listener(filter)?;
    send_one(warden, &listener)?;
    drop(listener);
    let mut go = [0_u8; 1];
    match rustix::io::read(warden, &mut go)? {
        1 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(libc::EPIPE)),
    }
}

fn send_one(socket: &OwnedFd, descriptor: &OwnedFd) -> io::Result<()> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let rights = [descriptor.as_fd()];
    if !control.push(SendAncillaryMessage::ScmRights(&rights)) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    sendmsg(socket, &[io::IoSlice::new(b"L")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Makes a call for a probe; the further arguments are zero. Returns the error number of a refusal. Allocates nothing.
pub(crate) fn attempt(number: libc::c_long, arguments: [libc::c_long; 3]) -> Result<libc::c_long, i32> {
    let [first, second, third] = arguments;
    let zero: libc::c_long = 0;
    // SAFETY: the registry's calls have null for every pointer and no descriptor but -1 and standard input, so that the kernel reads and
    // writes no memory of this process and closes nothing.
    let result = unsafe { libc::syscall(number, first, second, third, zero, zero, zero) };
    if result < 0 { Err(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)) } else { Ok(result) }
}

/// Asks for the execution of a program with arguments at an address of the kernel's own, so that nothing runs whoever lets the call
/// through. Allocates nothing.
pub(crate) fn execute_without_arguments(path: &CStr) -> rustix::io::Result<()> {
    let nowhere = std::ptr::without_provenance::<*const libc::c_char>(usize::MAX - 7);
    // SAFETY: `path` is a C string. The kernel reads the arguments before it gives up this process's memory, and fails (`EFAULT`), so that
    // the call returns.
    errno(unsafe { libc::execve(path.as_ptr(), nowhere, nowhere) }.into()).map(drop)
}

/// Cuts a file to nothing. Allocates nothing.
pub(crate) fn truncate(path: &CStr) -> rustix::io::Result<()> {
    // SAFETY: `path` is a C string; the call writes no memory.
    errno(unsafe { libc::truncate(path.as_ptr(), 0) }.into()).map(drop)
}

/// Reserves so much private memory, and gives it back at once.
pub(crate) fn reserve(length: usize) -> rustix::io::Result<()> {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: a new anonymous mapping at a place of the kernel's choice overlaps nothing.
    let place = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) };
    if place == libc::MAP_FAILED {
        return errno(-1).map(drop);
    }
    // SAFETY: exactly the mapping that was just made, which nothing refers to.
    let _unmapped = unsafe { libc::munmap(place, length) };
    Ok(())
}

/// Stops every process of this process namespace but process 1, which calls this. True if there was one to stop or none is left.
pub(crate) fn stop_everyone() -> bool {
    if rustix::process::getpid() != Pid::INIT {
        // Anywhere else it would stop processes of the host.
        return false;
    }
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::kill(-1, libc::SIGSTOP) };
    result == 0 || io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH)
}

/// Puts this thread, and what it will start, into the Landlock domain of a ruleset. New privileges must have been given up.
pub(crate) fn enter_domain(ruleset: RawFd) -> io::Result<()> {
    // SAFETY: the call takes numbers only.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) };
    checked(result).map(drop)
}

/// A new descriptor of the file that `number` stands for, closed on exec.
pub(crate) fn duplicate(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the call takes numbers only; a number that is not open is refused by the kernel.
    let result = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    let copy = RawFd::try_from(checked(result.into())?).map_err(io::Error::other)?;
    // SAFETY: the kernel just gave this number, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Opens a file exactly as asked for: no flag is added or lost.
pub(crate) fn open_how(folder: BorrowedFd<'_>, path: &CStr, how: &libc::open_how) -> rustix::io::Result<OwnedFd> {
    // SAFETY: `path` is a C string and `how` a live structure of the size that is passed.
    let result = unsafe {
        libc::syscall(libc::SYS_openat2, folder.as_raw_fd(), path.as_ptr(), std::ptr::from_ref(how), size_of::<libc::open_how>())
    };
    let number = i32::try_from(errno(result)?).map_err(|_| rustix::io::Errno::BADF)?;
    // SAFETY: the kernel just made this descriptor for us; nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Changes the mode of a file by a descriptor that may be for its name only (Linux 6.6).
pub(crate) fn change_mode(file: BorrowedFd<'_>, mode: u32) -> rustix::io::Result<()> {
    // `SYS_fchmodat2`: not every architecture's C library crate names it.
    const CHANGE_MODE: libc::c_long = 452;
    // SAFETY: the path is an empty C string; the rest are numbers.
    let result = unsafe { libc::syscall(CHANGE_MODE, file.as_raw_fd(), c"".as_ptr(), mode, libc::AT_EMPTY_PATH) };
    errno(result).map(drop)
}

/// Connects a socket to an address as the kernel reads it.
pub(crate) fn connect(socket: BorrowedFd<'_>, address: &[u8]) -> rustix::io::Result<()> {
    let length = libc::socklen_t::try_from(address.len()).map_err(|_| rustix::io::Errno::INVAL)?;
    // SAFETY: the kernel reads `length` bytes from a live slice, at any alignment.
    let result = unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), length) };
    errno(result.into()).map(drop)
}

/// Copies memory of another process; what cannot be read at once is left out.
pub(crate) fn read_memory(process: i32, address: u64, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    let Ok(address) = usize::try_from(address) else { return Err(rustix::io::Errno::FAULT) };
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let remote = libc::iovec { iov_base: std::ptr::without_provenance_mut(address), iov_len: buffer.len() };
    // SAFETY: the kernel writes at most `buffer.len()` bytes into the live buffer; the other address is the other process's.
    let result = unsafe { libc::process_vm_readv(process, &raw const local, 1, &raw const remote, 1, 0) };
    usize::try_from(errno(result as libc::c_long)?).map_err(|_| rustix::io::Errno::FAULT)
}

fn errno(value: libc::c_long) -> rustix::io::Result<libc::c_long> {
    checked(value).map_err(|error| rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO))
}
