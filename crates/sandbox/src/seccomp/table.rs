//! What the agent may ask of the kernel, and why. A call that is not named here is refused as one that the kernel does not have.
//!
//! Arguments are compared by their low 32 bits, as much as the kernel reads of each argument that is tested here.

use libc::c_long;

/// What becomes of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// Carried out.
    Allow,
    /// Opens a file: the warden does it for the agent, and reports it, if files are observed. The argument of that number has the flags: with
    /// `O_PATH` the kernel does it, since nothing can be read by such a descriptor, and the warden could not hand one over.
    Open(Option<u32>),
    /// Makes a file in memory: the warden does it for the agent, so that it cannot be executed.
    Make,
    /// Connects a socket: the warden does it for the agent, so that the address it looked at is the one that is used.
    Connect,
    /// Carried out if every test holds, else refused and reported.
    When(&'static [Test]),
    /// Refused without a report, as a call that the kernel does not have: libraries try it first and have another way.
    Absent,
    /// Refused with `EPERM` and reported.
    Refuse,
    /// Refused as a call that the kernel does not have, and reported.
    RefuseAbsent,
}

/// A test of one argument: its number, the bits that are looked at, values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Test {
    /// It is one of the values.
    Is(u32, u32, &'static [u32]),
    /// It is none of the values.
    IsNot(u32, u32, &'static [u32]),
    /// If the first (number, bits, value) has its value, the second is one of the values.
    If((u32, u32, u32), (u32, u32, &'static [u32])),
}

/// A call and its rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    name: &'static str,
    pub(crate) number: c_long,
    pub(crate) rule: Rule,
}

impl Entry {
    pub(crate) fn name(&self) -> &'static str {
        self.name.strip_prefix("SYS_").unwrap_or(self.name)
    }
}

macro_rules! calls {
    ($rule:expr; $($call:ident)*) => { &[$(Entry { name: stringify!($call), number: libc::$call, rule: $rule },)*] };
}

/// Every call that is named here.
pub(crate) fn rules() -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().copied().flatten()
}

/// The name of a call, `call_NUMBER` if it is not named here.
pub(crate) fn name(number: i32) -> String {
    find(number).map_or_else(|| format!("call_{number}"), |entry| entry.name().to_owned())
}

/// The error number with which a call that was handed to the warden is refused.
pub(crate) fn refusal(number: i32, arguments: &[u64; 6]) -> i32 {
    let [first, ..] = arguments;
    match find(number) {
        // As a kernel that lacks the family: programs that ask for a netlink socket go on without.
        Some(entry) if entry.number == libc::SYS_socket => {
            let known = u32::try_from(*first).is_ok_and(|family| FAMILIES.contains(&family));
            if known { libc::EPROTONOSUPPORT } else { libc::EAFNOSUPPORT }
        }
        None | Some(Entry { rule: Rule::RefuseAbsent | Rule::Absent, .. }) => libc::ENOSYS,
        Some(_) => libc::EPERM,
    }
}

/// What becomes of a call; none if it is not named here.
pub(crate) fn rule(number: i32) -> Option<Rule> {
    find(number).map(|entry| entry.rule)
}

/// What is said here about a call.
pub(super) fn find(number: i32) -> Option<&'static Entry> {
    rules().find(|entry| entry.number == c_long::from(number))
}

const GROUPS: &[&[Entry]] = &[
    OPEN,
    USE,
    MEMORY,
    NAMES,
    FOLDERS,
    ATTRIBUTES,
    PROCESSES,
    SIGNALS,
    IDENTITY,
    THREADS,
    SCHEDULE,
    TIME,
    WAIT,
    PIPES,
    SOCKETS,
    ABOUT,
    TESTED,
    MAKE,
    CONNECT,
    ABSENT,
    REFUSED,
    REFUSED_ABSENT,
    OLDER,
    OLDER_TESTED,
];

/// Opening a file. The warden does it: what it reports is what it opened.
const OPEN: &[Entry] = &[
    Entry { name: "SYS_openat", number: libc::SYS_openat, rule: Rule::Open(Some(2)) },
    // Its flags are in memory, where another thread can change them.
    Entry { name: "SYS_openat2", number: libc::SYS_openat2, rule: Rule::Open(None) },
];

/// Using what is open already.
const USE: &[Entry] = calls![Rule::Allow;
    SYS_read SYS_write SYS_pread64 SYS_pwrite64 SYS_readv SYS_writev SYS_preadv SYS_pwritev SYS_preadv2 SYS_pwritev2 SYS_lseek
    SYS_close SYS_close_range SYS_dup SYS_dup3 SYS_flock SYS_fsync SYS_fdatasync SYS_sync SYS_syncfs
    SYS_ftruncate SYS_fallocate SYS_fadvise64 SYS_readahead SYS_sendfile SYS_splice SYS_tee SYS_vmsplice SYS_copy_file_range
];

/// The caller's own memory. Pages both writable and executable are left to it: every just-in-time compiler needs them.
const MEMORY: &[Entry] = calls![Rule::Allow;
    SYS_mmap SYS_munmap SYS_mprotect SYS_mremap SYS_madvise SYS_msync SYS_mincore SYS_brk SYS_mlock SYS_mlock2 SYS_munlock
    SYS_mlockall SYS_munlockall SYS_membarrier SYS_pkey_alloc SYS_pkey_free SYS_pkey_mprotect SYS_mseal SYS_get_mempolicy
];

/// Looking at, making and removing names. The root, Landlock and the mounts' own flags decide what is in reach.
const NAMES: &[Entry] = calls![Rule::Allow;
    SYS_fstat SYS_newfstatat SYS_statx SYS_faccessat SYS_faccessat2 SYS_readlinkat SYS_mkdirat SYS_unlinkat SYS_renameat2
    SYS_linkat SYS_symlinkat SYS_truncate SYS_statfs SYS_fstatfs
];

/// Folders, and being told when they change.
const FOLDERS: &[Entry] = calls![Rule::Allow;
    SYS_getdents64 SYS_getcwd SYS_chdir SYS_fchdir SYS_inotify_init1 SYS_inotify_add_watch SYS_inotify_rm_watch
];

/// Attributes of files. Owners other than the caller's own do not exist inside.
const ATTRIBUTES: &[Entry] = calls![Rule::Allow;
    SYS_fchown SYS_fchownat SYS_utimensat SYS_umask SYS_getxattr SYS_lgetxattr SYS_fgetxattr
    SYS_listxattr SYS_llistxattr SYS_flistxattr SYS_setxattr SYS_lsetxattr SYS_fsetxattr SYS_removexattr SYS_lremovexattr
    SYS_fremovexattr
];

/// Starting and ending processes of the session.
const PROCESSES: &[Entry] = calls![Rule::Allow;
    SYS_execve SYS_execveat SYS_exit SYS_exit_group SYS_wait4 SYS_waitid SYS_setpgid SYS_getpgid SYS_setsid SYS_getsid SYS_getpid
    SYS_getppid SYS_gettid SYS_pidfd_open SYS_prlimit64 SYS_getrusage SYS_times
];

/// Signals. They reach processes of the session only: others have no number inside, and Landlock keeps them in.
const SIGNALS: &[Entry] = calls![Rule::Allow;
    SYS_kill SYS_tkill SYS_tgkill SYS_pidfd_send_signal SYS_rt_sigaction SYS_rt_sigprocmask SYS_rt_sigpending SYS_rt_sigtimedwait
    SYS_rt_sigqueueinfo SYS_rt_tgsigqueueinfo SYS_rt_sigsuspend SYS_rt_sigreturn SYS_sigaltstack SYS_signalfd4 SYS_restart_syscall
];

/// Who the caller is. One user and one group exist inside and there are no capabilities, so the setters change nothing.
const IDENTITY: &[Entry] = calls![Rule::Allow;
    SYS_getuid SYS_geteuid SYS_getgid SYS_getegid SYS_getresuid SYS_getresgid SYS_getgroups SYS_setuid SYS_setgid SYS_setreuid
    SYS_setregid SYS_setresuid SYS_setresgid SYS_setfsuid SYS_setfsgid SYS_setgroups SYS_capget SYS_capset
];

/// Threads and their locks.
const THREADS: &[Entry] = calls![Rule::Allow;
    SYS_futex SYS_futex_waitv SYS_set_tid_address SYS_set_robust_list
    SYS_get_robust_list SYS_rseq
];

/// The scheduler. Without capabilities a process can only step back.
const SCHEDULE: &[Entry] = calls![Rule::Allow;
    SYS_sched_yield SYS_sched_getaffinity SYS_sched_setaffinity SYS_sched_getparam SYS_sched_setparam SYS_sched_getscheduler
    SYS_sched_setscheduler SYS_sched_getattr SYS_sched_setattr SYS_sched_get_priority_max SYS_sched_get_priority_min
    SYS_sched_rr_get_interval SYS_getpriority SYS_setpriority SYS_ioprio_get SYS_ioprio_set SYS_getcpu
];

/// Clocks are read, never set.
const TIME: &[Entry] = calls![Rule::Allow;
    SYS_clock_gettime SYS_clock_getres SYS_clock_nanosleep SYS_nanosleep SYS_gettimeofday SYS_getitimer SYS_setitimer SYS_timer_create
    SYS_timer_settime SYS_timer_gettime SYS_timer_getoverrun SYS_timer_delete SYS_timerfd_create SYS_timerfd_settime
    SYS_timerfd_gettime
];

/// Waiting for many things at once.
const WAIT: &[Entry] = calls![Rule::Allow;
    SYS_epoll_create1 SYS_epoll_ctl SYS_epoll_pwait SYS_epoll_pwait2 SYS_ppoll SYS_pselect6
];

/// Pipes and counters between the session's processes.
const PIPES: &[Entry] = calls![Rule::Allow; SYS_pipe2 SYS_eventfd2];

/// Using a socket; which ones can be made is tested below. The session's network has loopback and the door, nothing else.
const SOCKETS: &[Entry] = calls![Rule::Allow;
    SYS_bind SYS_listen SYS_accept SYS_accept4 SYS_shutdown SYS_getsockname SYS_getpeername SYS_sendto SYS_recvfrom
    SYS_sendmsg SYS_recvmsg SYS_sendmmsg SYS_recvmmsg SYS_getsockopt
];

/// About the machine; host names of the session's own namespace.
const ABOUT: &[Entry] = calls![Rule::Allow; SYS_uname SYS_sysinfo SYS_getrandom];

/// The address families that can be had: Unix, IPv4, IPv6.
const FAMILIES: &[u32] = &[libc::AF_UNIX.unsigned_abs(), libc::AF_INET.unsigned_abs(), libc::AF_INET6.unsigned_abs()];
/// Those whose datagrams the session's network holds.
const INTERNET: &[u32] = &[libc::AF_INET.unsigned_abs(), libc::AF_INET6.unsigned_abs()];
/// Types whose messages all go to the other end.
const CONNECTED: &[u32] = &[libc::SOCK_STREAM.unsigned_abs(), libc::SOCK_SEQPACKET.unsigned_abs()];
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER` (seccomp(2)).
const LISTENS: u32 = 8;
const SOCKET_TYPE: u32 = !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC).unsigned_abs();
const ALL: u32 = u32::MAX;
/// New namespaces; a child of the warden instead of one's own; a child that cannot be traced is of no use.
const CLONE: u32 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_PARENT
    | libc::CLONE_PTRACE)
    .cast_unsigned();
/// Input put into a terminal (`TIOCSTI`, `TIOCLINUX`), the host's console (`TIOCCONS`), hanging up (`TIOCVHANGUP`), line disciplines
/// (`TIOCSETD`: each is another parser in the kernel), locked settings (`TIOCSLCKTRMIOS`), fs-verity and fs encryption keys of the host.
const DEVICE_REFUSED: &[u32] = &[0x5412, 0x541c, 0x541d, 0x5437, 0x5423, 0x5457, 0x4080_6685, 0x800c_6613, 0xc050_6617, 0xc040_6618];
/// What a process may ask about itself (prctl(2)): the signal of a parent's end 1 2, dumpable 3 4, capabilities kept 7 8, name 15 16, seccomp
/// 21 22, bounding set 23, secure bits 27, timer slack 29 30, subreaper 36 37, new privileges 38 39, thread id 40, huge pages 41 42,
/// ambient set 47, vectors 50 51 and pointer keys 54 55 56 of arm64, speculation 52, no writable code 65 66, names of memory (`PR_SET_VMA`).
const PROCESS_OPTIONS: &[u32] =
    &[1, 2, 3, 4, 7, 8, 15, 16, 21, 22, 23, 27, 29, 30, 36, 37, 38, 39, 40, 41, 42, 47, 50, 51, 52, 54, 55, 56, 65, 66, 0x5356_4d41];
/// Bits of a file's mode by which whoever executes it gets its owner's or its group's rights: outside, that would be the user's.
pub(crate) const SET_ID: u32 = 0o6000;
const STREAM_OR_DATAGRAM: &[u32] = &[libc::SOCK_STREAM.unsigned_abs(), libc::SOCK_DGRAM.unsigned_abs()];
/// The default of the family, TCP, UDP: no MPTCP, no ICMP, nothing raw.
const PROTOCOLS: &[u32] = &[0, libc::IPPROTO_TCP.unsigned_abs(), libc::IPPROTO_UDP.unsigned_abs()];

/// Allowed for some arguments only.
const TESTED: &[Entry] = &[
    when(
        "SYS_socket",
        libc::SYS_socket,
        &[
            Test::Is(0, ALL, FAMILIES),
            Test::Is(1, SOCKET_TYPE, STREAM_OR_DATAGRAM),
            Test::Is(2, ALL, PROTOCOLS),
            // A Unix datagram names its receiver in memory, where nobody can test it.
            Test::If((1, SOCKET_TYPE, libc::SOCK_DGRAM.unsigned_abs()), (0, ALL, INTERNET)),
        ],
    ),
    // A connected pair leads nowhere else, unless its datagrams can name other receivers.
    when("SYS_socketpair", libc::SYS_socketpair, &[Test::Is(0, ALL, &[libc::AF_UNIX.unsigned_abs()]), Test::Is(1, SOCKET_TYPE, CONNECTED)]),
    when("SYS_fchmod", libc::SYS_fchmod, &[Test::Is(1, SET_ID, &[0])]),
    when("SYS_fchmodat", libc::SYS_fchmodat, &[Test::Is(2, SET_ID, &[0])]),
    // `fchmodat2`, by its number: not every architecture's C library crate names it.
    when("SYS_fchmodat2", 452, &[Test::Is(2, SET_ID, &[0])]),
    when("SYS_mknodat", libc::SYS_mknodat, &[Test::Is(2, SET_ID, &[0])]),
    // A listener of the agent's own (`SECCOMP_FILTER_FLAG_NEW_LISTENER`) could answer in the warden's place.
    when("SYS_seccomp", libc::SYS_seccomp, &[Test::Is(1, LISTENS, &[0])]),
    // No protocol on top of TCP (`TCP_ULP`, 31; no other level has an option of that number that can be set).
    when("SYS_setsockopt", libc::SYS_setsockopt, &[Test::IsNot(2, ALL, &[31])]),
    when("SYS_clone", libc::SYS_clone, &[Test::Is(0, CLONE, &[0])]),
    when("SYS_ioctl", libc::SYS_ioctl, &[Test::IsNot(1, ALL, DEVICE_REFUSED)]),
    // A lease (`F_SETLEASE`) would make the warden wait for the agent; a directory's own signals (`F_NOTIFY`) are of another time.
    when("SYS_fcntl", libc::SYS_fcntl, &[Test::IsNot(1, ALL, &[1024, 1026])]),
    when("SYS_prctl", libc::SYS_prctl, &[Test::Is(0, ALL, PROCESS_OPTIONS)]),
    // Asking only.
    when("SYS_personality", libc::SYS_personality, &[Test::Is(0, ALL, &[u32::MAX])]),
];

const fn when(name: &'static str, number: c_long, tests: &'static [Test]) -> Entry {
    Entry { name, number, rule: Rule::When(tests) }
}

/// Files in memory: compilers and browsers share memory by them. The warden makes them, not executable where the kernel can (Linux 6.3).
const MAKE: &[Entry] = calls![Rule::Make; SYS_memfd_create];

/// A Unix socket's name stands in memory too: one that the host made, in a folder that stands inside, would be a way out.
const CONNECT: &[Entry] = calls![Rule::Connect; SYS_connect];

/// Its arguments are in memory, where a filter cannot test them; C libraries fall back to `clone`.
const ABSENT: &[Entry] = calls![Rule::Absent; SYS_clone3];

/// Namespaces, mounts, other processes' memory, kernel keys, programs and modules, the machine itself. System V and POSIX message
/// objects: private to the session, but not worth their share of the kernel.
const REFUSED: &[Entry] = calls![Rule::Refuse;
    SYS_unshare SYS_setns SYS_chroot SYS_pivot_root SYS_mount SYS_umount2 SYS_open_tree SYS_move_mount SYS_fsopen SYS_fsconfig SYS_fsmount
    SYS_fspick SYS_mount_setattr SYS_ptrace SYS_process_vm_readv SYS_process_vm_writev SYS_process_madvise SYS_process_mrelease
    SYS_pidfd_getfd SYS_kcmp SYS_add_key SYS_request_key SYS_keyctl SYS_bpf SYS_perf_event_open SYS_userfaultfd
    SYS_open_by_handle_at SYS_name_to_handle_at SYS_fanotify_init SYS_fanotify_mark SYS_quotactl SYS_quotactl_fd SYS_acct SYS_swapon
    SYS_swapoff SYS_reboot SYS_kexec_load SYS_kexec_file_load SYS_init_module SYS_finit_module SYS_delete_module SYS_syslog
    SYS_sethostname SYS_setdomainname SYS_settimeofday SYS_clock_settime SYS_clock_adjtime SYS_adjtimex SYS_vhangup SYS_nfsservctl
    SYS_move_pages SYS_migrate_pages SYS_mbind SYS_set_mempolicy SYS_remap_file_pages SYS_shmget SYS_shmat SYS_shmctl SYS_shmdt
    SYS_semget SYS_semop SYS_semtimedop SYS_semctl SYS_msgget SYS_msgsnd SYS_msgrcv SYS_msgctl SYS_mq_open SYS_mq_unlink
    SYS_mq_timedsend SYS_mq_timedreceive SYS_mq_notify SYS_mq_getsetattr SYS_io_setup SYS_io_destroy SYS_io_submit SYS_io_cancel
    SYS_io_getevents SYS_memfd_secret
];

/// Refused as absent: programs have another way. A file opened by `io_uring` would be seen by nobody; the warden, which opens files for
/// the agent, could not honour rules that the agent gave itself with Landlock.
const REFUSED_ABSENT: &[Entry] = calls![Rule::RefuseAbsent;
    SYS_io_uring_setup SYS_io_uring_enter SYS_io_uring_register SYS_landlock_create_ruleset SYS_landlock_add_rule
    SYS_landlock_restrict_self
];

/// What only x86-64 still has beside its successors: the same rules.
#[cfg(target_arch = "x86_64")]
const OLDER: &[Entry] = calls![Rule::Allow;
    SYS_stat SYS_lstat SYS_access SYS_readlink SYS_mkdir SYS_rmdir SYS_unlink SYS_rename SYS_link SYS_symlink
    SYS_chown SYS_lchown SYS_utime SYS_utimes SYS_futimesat SYS_getdents SYS_inotify_init SYS_fork SYS_vfork SYS_getpgrp SYS_pause
    SYS_signalfd SYS_alarm SYS_time SYS_epoll_create SYS_epoll_wait SYS_poll SYS_select SYS_pipe SYS_eventfd SYS_dup2
    SYS_arch_prctl SYS_getrlimit SYS_setrlimit SYS_renameat SYS_sync_file_range
];
/// What the C library's crate does not name on other architectures, by the kernel's common numbers: the same rules.
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[Entry] = &[
    Entry { name: "SYS_renameat", number: 38, rule: Rule::Allow },
    Entry { name: "SYS_sync_file_range", number: 84, rule: Rule::Allow },
    Entry { name: "SYS_getrlimit", number: 163, rule: Rule::Allow },
    Entry { name: "SYS_setrlimit", number: 164, rule: Rule::Allow },
];

#[cfg(target_arch = "x86_64")]
const OLDER_TESTED: &[Entry] = &[
    Entry { name: "SYS_open", number: libc::SYS_open, rule: Rule::Open(Some(1)) },
    Entry { name: "SYS_creat", number: libc::SYS_creat, rule: Rule::Open(None) },
    when("SYS_chmod", libc::SYS_chmod, &[Test::Is(1, SET_ID, &[0])]),
    when("SYS_mknod", libc::SYS_mknod, &[Test::Is(1, SET_ID, &[0])]),
    // Ports of the machine, segments of another time.
    Entry { name: "SYS_iopl", number: libc::SYS_iopl, rule: Rule::Refuse },
    Entry { name: "SYS_ioperm", number: libc::SYS_ioperm, rule: Rule::Refuse },
    Entry { name: "SYS_modify_ldt", number: libc::SYS_modify_ldt, rule: Rule::Refuse },
    Entry { name: "SYS_uselib", number: libc::SYS_uselib, rule: Rule::Refuse },
    Entry { name: "SYS_ustat", number: libc::SYS_ustat, rule: Rule::Refuse },
    Entry { name: "SYS_sysfs", number: libc::SYS_sysfs, rule: Rule::Refuse },
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_TESTED: &[Entry] = &[];
