//! What a role may ask of the kernel, and why. A call that is not named here kills the role.
//!
//! Found by tracing the roles under load, and checked by running them under it. Arguments are compared by their low 32 bits, as much as
//! the kernel reads of each that is tested here; pointers by both halves.

use super::program::{Entry, Rule, Test};
use super::{Confinement, Role};
use Rule::{Allow, Refuse, When, WhenElse};

/// The list of a role.
pub(super) fn of(confinement: &Confinement) -> impl Iterator<Item = Entry> {
    let lists: &[&[Entry]] = match (confinement.role, confinement.connect) {
        (Role::Door | Role::Model, _) => &[EVERYONE, OLDER, DATA_ONLY],
        (Role::Gateway, false) => &[EVERYONE, OLDER, LIBRARIES, LOCAL],
        (Role::Gateway, true) => &[EVERYONE, OLDER, LIBRARIES, REMOTE],
    };
    lists.iter().copied().flatten().copied()
}

/// Flags of a thread as the C library starts it (pthread_create in glibc, and in musl with CLONE_DETACHED): a copy of everything else,
/// so a process, has others.
const THREAD: u32 = 0x003d_0f00;
const THREAD_MUSL: u32 = 0x007d_0f00;
const NAME: u32 = libc::PR_SET_NAME.unsigned_abs();
const VMA: u32 = 0x5356_4d41;
const EXEC: u32 = libc::PROT_EXEC.unsigned_abs();
const WRITE_EXEC: u32 = (libc::PROT_WRITE | libc::PROT_EXEC).unsigned_abs();
/// The kind of a socket without its flags.
const KIND: u32 = 0xf;
const STREAM: u32 = libc::SOCK_STREAM.unsigned_abs();
const DATAGRAM: u32 = libc::SOCK_DGRAM.unsigned_abs();
const PACKET: u32 = libc::SOCK_SEQPACKET.unsigned_abs();
const UNIX: u32 = libc::AF_UNIX.unsigned_abs();
const INTERNET: &[u32] = &[libc::AF_INET.unsigned_abs(), libc::AF_INET6.unsigned_abs()];
const TCP_OR_UDP: &[u32] = &[0, libc::IPPROTO_TCP.unsigned_abs(), libc::IPPROTO_UDP.unsigned_abs()];
const ANY: u32 = u32::MAX;
const NETLINK_SOCKET: &[Test] = &[
    Test::Low(0, ANY, &[libc::AF_NETLINK.unsigned_abs()]),
    Test::Low(1, KIND, &[libc::SOCK_RAW.unsigned_abs(), DATAGRAM]),
    Test::Low(2, ANY, &[libc::NETLINK_ROUTE.unsigned_abs()]),
];
const UNIX_SOCKET: &[Test] = &[Test::Low(0, ANY, &[UNIX]), Test::Low(1, KIND, &[STREAM, DATAGRAM])];
/// Neither MPTCP nor SCTP, which slip past Landlock's rules for TCP.
const INTERNET_SOCKET: &[Test] = &[Test::Low(0, ANY, INTERNET), Test::Low(1, KIND, &[STREAM, DATAGRAM]), Test::Low(2, ANY, TCP_OR_UDP)];

/// What an event loop with threads needs.
const EVERYONE: &[Entry] = &[
    // Descriptors that it has.
    (libc::SYS_read, Allow),                                    // files, wake-ups
    (libc::SYS_readv, Allow),                                   // the same, scattered
    (libc::SYS_pread64, Allow),                                 // the model file, libraries
    (libc::SYS_write, Allow),                                   // wake-ups, standard error
    (libc::SYS_writev, Allow),                                  // answers: head and body at once
    (libc::SYS_pwrite64, Allow),                                // files that are listed for writing
    (libc::SYS_lseek, Allow),                                   // reading a file from its start
    (libc::SYS_close, Allow),                                   // connections that are over
    (libc::SYS_fstat, Allow),                                   // the size of a file that is read
    (libc::SYS_fsync, Allow),                                   // files that are listed for writing
    (libc::SYS_fdatasync, Allow),                               // the same
    (libc::SYS_ftruncate, Allow),                               // the same
    (libc::SYS_pipe2, Allow),                                   // wake-ups
    (libc::SYS_fcntl, When(&[&[Test::Low(1, ANY, COMMANDS)]])), // flags and copies; not the owner, who would get signals
    (libc::SYS_ioctl, When(&[&[Test::Low(1, ANY, REQUESTS)]])), // sockets that do not wait, how much has come
    // Files: Landlock decides which.
    (libc::SYS_openat, Allow),     // open
    (libc::SYS_newfstatat, Allow), // how large, how new
    (libc::SYS_statx, Allow),      // the same
    (libc::SYS_getdents64, Allow), // certificate folders
    (libc::SYS_readlinkat, Allow), // certificates are links
    (libc::SYS_faccessat, Allow),  // whether a configuration is there
    (libc::SYS_faccessat2, Allow), // the same
    (libc::SYS_getcwd, Allow),     // messages name paths
    // Waiting.
    (libc::SYS_epoll_create1, Allow),   // the event loop
    (libc::SYS_epoll_ctl, Allow),       // the event loop
    (libc::SYS_epoll_pwait, Allow),     // the event loop
    (libc::SYS_eventfd2, Allow),        // its wake-up
    (libc::SYS_ppoll, Allow),           // one descriptor
    (libc::SYS_futex, Allow),           // locks
    (libc::SYS_clock_gettime, Allow),   // time, where the kernel's page does not tell
    (libc::SYS_gettimeofday, Allow),    // the same
    (libc::SYS_clock_nanosleep, Allow), // pauses
    (libc::SYS_nanosleep, Allow),       // the same
    (libc::SYS_restart_syscall, Allow), // a wait that was interrupted
    // Sockets that it was handed, and connections that came by them.
    (libc::SYS_accept4, Allow),     // connections
    (libc::SYS_recvfrom, Allow),    // bytes, datagrams, durable indexes
    (libc::SYS_recvmsg, Allow),     // datagrams
    (libc::SYS_sendto, Allow),      // bytes, events
    (libc::SYS_sendmsg, Allow),     // answers
    (libc::SYS_sendmmsg, Allow),    // two name queries at once
    (libc::SYS_shutdown, Allow),    // end of an answer
    (libc::SYS_getsockname, Allow), // where a connection was going
    (libc::SYS_getpeername, Allow), // where it came from
    (libc::SYS_getsockopt, Allow),  // its original destination, errors
    (libc::SYS_socketpair, When(&[&[Test::Low(0, ANY, &[UNIX]), Test::Low(1, KIND, &[STREAM, DATAGRAM, PACKET])]])), // inside this process
    // Memory. Executable memory: see below.
    (libc::SYS_brk, Allow),                                     // allocator
    (libc::SYS_munmap, Allow),                                  // allocator
    (libc::SYS_mremap, Allow),                                  // allocator
    (libc::SYS_madvise, Allow),                                 // allocator, key pages that a fork must not copy
    (libc::SYS_mprotect, When(&[&[Test::Low(2, EXEC, &[0])]])), // guard pages of threads, relocations
    // Threads of this process.
    (libc::SYS_clone3, Refuse(libc::ENOSYS)), // its flags are in memory, where no filter sees them; the C library falls back to clone
    (libc::SYS_clone, When(&[&[Test::Low(0, ANY, &[THREAD, THREAD_MUSL])]])), // threads
    (libc::SYS_set_robust_list, Allow),       // a new thread's locks
    (libc::SYS_rseq, Allow),                  // a new thread's processor number
    (libc::SYS_sigaltstack, Allow),           // a new thread's stack for signals
    (libc::SYS_gettid, Allow),                // a new thread's number
    (libc::SYS_sched_getaffinity, Allow),     // how many threads are worth it
    (libc::SYS_sched_yield, Allow),           // locks that spin
    (libc::SYS_prctl, When(&[&[Test::Low(0, ANY, &[NAME, VMA])]])), // names of threads and of memory
    (libc::SYS_rt_sigaction, Allow),          // handler of stack overflow
    (libc::SYS_rt_sigprocmask, Allow),        // starting a thread
    (libc::SYS_rt_sigreturn, Allow),          // end of a handler
    (libc::SYS_exit, Allow),                  // end of a thread
    (libc::SYS_exit_group, Allow),            // end of the process
    // Who and where it is.
    (libc::SYS_getpid, Allow),  // random numbers are told apart from a fork's
    (libc::SYS_getuid, Allow),  // the C library asks
    (libc::SYS_geteuid, Allow), // the C library asks
    (libc::SYS_getgid, Allow),  // the C library asks
    (libc::SYS_getegid, Allow), // the C library asks
    (libc::SYS_uname, Allow),   // the C library asks
    (libc::SYS_sysinfo, Allow), // the C library's sort asks how much memory there is
    (libc::SYS_prlimit64, When(&[&[Test::Low(0, ANY, &[0]), Test::Zero(2)]])), // reading its own limits
    (libc::SYS_getrandom, Allow), // random numbers
];

/// Commands of fcntl: copy, close-on-exec, flags.
const COMMANDS: &[u32] = &[
    libc::F_DUPFD.unsigned_abs(),
    libc::F_DUPFD_CLOEXEC.unsigned_abs(),
    libc::F_GETFD.unsigned_abs(),
    libc::F_SETFD.unsigned_abs(),
    libc::F_GETFL.unsigned_abs(),
    libc::F_SETFL.unsigned_abs(),
];
/// Requests of ioctl: FIONBIO, FIONREAD, and TCGETS, by which the C library asks whether a stream is a terminal.
const REQUESTS: &[u32] = &[0x5421, 0x541b, 0x5401];
/// Levels of socket options: sockets, TCP. At the IP levels are packet filters.
const LEVELS: &[u32] = &[libc::SOL_SOCKET.unsigned_abs(), libc::IPPROTO_TCP.unsigned_abs()];

const OPTIONS: &[Test] = &[Test::Low(1, ANY, LEVELS)];
const ERRORS_V4: &[Test] = &[Test::Low(1, ANY, &[libc::IPPROTO_IP.unsigned_abs()]), Test::Low(2, ANY, &[libc::IP_RECVERR.unsigned_abs()])];
const ERRORS_V6: &[Test] =
    &[Test::Low(1, ANY, &[libc::IPPROTO_IPV6.unsigned_abs()]), Test::Low(2, ANY, &[libc::IPV6_RECVERR.unsigned_abs()])];

/// Older forms of the same calls, which x86-64 has beside the newer ones.
#[cfg(target_arch = "x86_64")]
const OLDER: &[Entry] = &[
    (libc::SYS_open, Allow),       // openat
    (libc::SYS_stat, Allow),       // newfstatat
    (libc::SYS_lstat, Allow),      // newfstatat
    (libc::SYS_access, Allow),     // faccessat
    (libc::SYS_readlink, Allow),   // readlinkat
    (libc::SYS_poll, Allow),       // ppoll
    (libc::SYS_epoll_wait, Allow), // epoll_pwait
    (libc::SYS_time, Allow),       // clock_gettime
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[Entry] = &[];

/// A door and a model server load no code.
const DATA_ONLY: &[Entry] = &[
    (libc::SYS_setsockopt, When(&[OPTIONS])),               // delay, buffers, keep-alive
    (libc::SYS_mmap, When(&[&[Test::Low(2, EXEC, &[0])]])), // stacks of threads, allocator, the model file
];

/// The gateway looks up names by the C library, which loads the libraries that the host names in nsswitch.conf.
const LIBRARIES: &[Entry] = &[
    (libc::SYS_mmap, When(&[&[Test::Low(2, WRITE_EXEC, &[0, libc::PROT_WRITE.unsigned_abs(), EXEC])]])), // code comes from files, never from data
];

/// Without permission to connect to other machines: a model's own socket by its path.
const LOCAL: &[Entry] = &[
    (libc::SYS_setsockopt, When(&[OPTIONS])),                   // delay, buffers, keep-alive
    (libc::SYS_socket, WhenElse(&[UNIX_SOCKET], libc::EACCES)), // the model; a name look-up finds that there is no network
    (libc::SYS_connect, Allow),                                 // the model
];

/// With permission to connect to other machines.
const REMOTE: &[Entry] = &[
    (libc::SYS_setsockopt, When(&[OPTIONS, ERRORS_V4, ERRORS_V6])), // the same; name look-ups want to hear of dead servers
    (libc::SYS_socket, WhenElse(&[INTERNET_SOCKET, UNIX_SOCKET, NETLINK_SOCKET], libc::EACCES)), // upstreams, the model, name look-ups
    (libc::SYS_connect, Allow),                                     // the same
    (libc::SYS_bind, Allow), // the C library's question to netlink which addresses the host has; TCP ports are Landlock's, and none may listen
];
