//! Doors into the kernel's own code that an agent does not need.

use super::{gain, open, reach};
use crate::attempt::{Attempt, a};
use crate::sys::{at, call, call_i386, gained, into, name, quiet, signed, text};

/// What the x32 ABI sets in a call's number.
const X32: libc::c_long = 0x4000_0000;

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("io-uring", |_| {
        let mut parameters = [0_u8; 120];
        gain("a ring", call("io_uring_setup", libc::SYS_io_uring_setup, &[4, into(&mut parameters)]));
    }),
    a("io-uring-register", |_| {
        // Asked of no ring: the kernel's own answer is that there is none.
        reach("registration", call("io_uring_register", libc::SYS_io_uring_register, &[signed(-1), 0, 0, 0]));
    }),
    a("io-uring-of-32-bit-programs", |_| {
        if call_i386(425, 4) != -libc::ENOSYS {
            gained("a ring by the 32-bit gate");
        }
    }),
    a("calls-of-32-bit-programs", |_| {
        if call_i386(20, 0) > 0 {
            gained("the 32-bit gate");
        }
    }),
    a("socket-of-32-bit-programs", |_| {
        if call_i386(359, 1) != -libc::ENOSYS {
            gained("a socket by the 32-bit gate");
        }
    }),
    a("calls-of-x32-programs", |_| {
        gain("x32", call("x32:39", X32 | libc::SYS_getpid, &[]));
    }),
    a("io-uring-of-x32-programs", |_| {
        reach("x32", call("x32:425", X32 | libc::SYS_io_uring_setup, &[4, 0]));
    }),
    a("add-key", |_| {
        let (kind, label) = (text("user"), text("agent"));
        // -1: the thread's own keyring, which ends with it.
        gain("a key", call("add_key", libc::SYS_add_key, &[name(&kind), name(&label), name(&label), 5, signed(-1)]));
    }),
    a("read-users-keyring", |_| {
        // 0 is "which id has it", -4 the user's keyring.
        gain("the user's keyring", call("keyctl", libc::SYS_keyctl, &[0, signed(-4), 1]));
    }),
    a("request-key", |_| {
        let (kind, label) = (text("user"), text("agent-nothing"));
        reach("the keyrings", call("request_key", libc::SYS_request_key, &[name(&kind), name(&label), 0, 0]));
    }),
    a("packet-filter-program", |_| {
        let attributes = [2_u32, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        gain("a map", call("bpf", libc::SYS_bpf, &[0, at(&attributes), 48]));
    }),
    a("performance-counters", |_| {
        // A software clock of this process alone, without the kernel's part.
        let mut attributes = [0_u64; 16];
        let [kind, config, _, _, _, flags, ..] = &mut attributes;
        (*kind, *config, *flags) = (1 | (128 << 32), 0, 0x60);
        gain("a counter", call("perf_event_open", libc::SYS_perf_event_open, &[at(&attributes), 0, signed(-1), signed(-1), 0]));
    }),
    a("page-faults-in-userspace", |_| {
        gain("page faults", call("userfaultfd", libc::SYS_userfaultfd, &[1]));
    }),
    a("secret-memory", |_| {
        gain("secret memory", call("memfd_secret", libc::SYS_memfd_secret, &[0]));
    }),
    a("personality", |_| {
        gain("memory without random places", call("personality", libc::SYS_personality, &[0x004_0000]));
    }),
    a("segments", |_| {
        let entry = [1_u32, 0, 0xfff, 0x51];
        gain("a segment", call("modify_ldt", libc::SYS_modify_ldt, &[1, at(&entry), 16]));
    }),
    a("ports", |_| {
        gain("an input port", call("ioperm", libc::SYS_ioperm, &[0x80, 1, 1]));
    }),
    a("all-ports", |_| {
        gain("input ports", call("iopl", libc::SYS_iopl, &[3]));
    }),
    a("file-notifications", |_| {
        gain("notifications", call("fanotify_init", libc::SYS_fanotify_init, &[0x200, 0]));
    }),
    a("open-by-handle", |_| {
        let handle = [8_u32, 1, 0, 0];
        reach("handles", call("open_by_handle_at", libc::SYS_open_by_handle_at, &[signed(-100), at(&handle), 0]));
    }),
    a("load-module", |_| {
        reach("modules", call("init_module", libc::SYS_init_module, &[0, 0, 0]));
    }),
    a("load-module-from-file", |_| {
        reach("modules", call("finit_module", libc::SYS_finit_module, &[signed(-1), 0, 0]));
    }),
    a("remove-module", |_| {
        let label = text("there_is_no_such_module");
        reach("modules", call("delete_module", libc::SYS_delete_module, &[name(&label), 0o4000]));
    }),
    a("another-kernel", |_| {
        // More segments than there can be.
        reach("another kernel", call("kexec_load", libc::SYS_kexec_load, &[0, 99_999, 0, 0xffff_ffff]));
    }),
    a("reboot", |_| {
        // Without the numbers that would make it true.
        reach("the power switch", call("reboot", libc::SYS_reboot, &[1, 2, 0, 0]));
    }),
    a("kernel-log-by-call", |_| {
        gain("the kernel's log", call("syslog", libc::SYS_syslog, &[10, 0, 0]));
    }),
    a("accounting", |_| {
        let path = text("/nowhere-at-all");
        reach("accounting", call("acct", libc::SYS_acct, &[name(&path)]));
    }),
    a("swap", |_| {
        let path = text("/nowhere-at-all");
        reach("swap", call("swapon", libc::SYS_swapon, &[name(&path), 0]));
    }),
    a("quota", |_| {
        let path = text("/nowhere-at-all");
        reach("quotas", call("quotactl", libc::SYS_quotactl, &[0x80_0002 << 8, name(&path), 0, 0]));
    }),
    a("host-name", |_| {
        let own = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let own = own.trim().to_owned();
        gain("the host's name", call("sethostname", libc::SYS_sethostname, &[at(own.as_bytes()), own.len()]));
    }),
    a("domain-name", |_| {
        let own = std::fs::read_to_string("/proc/sys/kernel/domainname").unwrap_or_default();
        let own = own.trim().to_owned();
        gain("the domain's name", call("setdomainname", libc::SYS_setdomainname, &[at(own.as_bytes()), own.len()]));
    }),
    a("terminal-input", |_| terminal(0x5412)),
    a("terminal-input-with-high-bits", |_| terminal(0x1_0000_5412)),
    a("console-paste", |_| terminal(0x541c)),
    a("console-paste-with-high-bits", |_| terminal(0x1_0000_541c)),
    a("realtime", |_| {
        let priority = 1_i32;
        gain("a realtime turn", call("sched_setscheduler", libc::SYS_sched_setscheduler, &[0, 1, at(&priority)]));
    }),
];

/// Puts a letter into the input of a terminal, as if the user had typed it: one of its own, which is as well guarded as the user's.
fn terminal(request: usize) {
    let Some(master) = super::told("openat", "/dev/ptmx", std::fs::OpenOptions::new().read(true).write(true).open("/dev/ptmx")) else {
        return;
    };
    let fd = usize::try_from(std::os::fd::AsRawFd::as_raw_fd(&master)).unwrap();
    let (mut unlocked, mut number) = (0_i32, 0_u32);
    let _unlocked = quiet(libc::SYS_ioctl, &[fd, 0x4004_5431, into(&mut unlocked)]);
    if quiet(libc::SYS_ioctl, &[fd, 0x8004_5430, into(&mut number)]).is_err() {
        return;
    }
    let _own = quiet(libc::SYS_setsid, &[]);
    let Some(slave) = open(format!("/dev/pts/{number}")) else { return };
    let letter = *b"x";
    let fd = usize::try_from(std::os::fd::AsRawFd::as_raw_fd(&slave)).unwrap();
    gain("typed for the user", call("ioctl", libc::SYS_ioctl, &[fd, request, at(&letter)]));
}
