//! Every probe. One more is one more line; a part of the product that has walls of its own adds a group.

use super::call::Call;
use super::places::OBSERVED_INSIDE;
use super::{Act, Look, Outcome, Probe, Sighting, When, attempts, places, readings};
use crate::root::CANARY;
use crate::{ProgramRefusal, Wall};
use libc::{AF_INET, AF_NETLINK, AF_PACKET, AF_UNIX, IPPROTO_ICMP, IPPROTO_TCP, SOCK_DGRAM, SOCK_RAW};

/// How many there are.
pub(crate) const COUNT: usize = count();

/// Every probe, always in this order.
pub(crate) fn all() -> impl Iterator<Item = &'static Probe> {
    GROUPS.iter().copied().flatten()
}

const GROUPS: [&[Probe]; 6] = [NAMESPACES, ROOT, LANDLOCK, CALLS, PROCESS, DOOR];

const fn count() -> usize {
    let (mut sum, mut rest): (usize, &[&[Probe]]) = (0, &GROUPS);
    while let [group, others @ ..] = rest {
        (sum, rest) = (sum + group.len(), others);
    }
    sum
}

type Attempt = fn(&Look<'_>) -> Outcome;

const fn look(wall: Wall, name: &'static str, attempt: &'static str, expected: &'static str, act: Attempt) -> Probe {
    Probe { name, wall, second: None, attempt, expected, act: Act::Look(act), sighting: Sighting::Nothing, when: When::Always }
}

const fn call(name: &'static str, attempt: &'static str, call: Call) -> Probe {
    let expected = "the filter refuses";
    Probe {
        name,
        wall: Wall::Seccomp,
        second: None,
        attempt,
        expected,
        act: Act::Call(call),
        sighting: Sighting::Nothing,
        when: When::Always,
    }
}

impl Probe {
    const fn behind(self, second: Wall) -> Self {
        Self { second: Some(second), ..self }
    }

    const fn seen(self, sighting: Sighting) -> Self {
        Self { sighting, ..self }
    }

    const fn at_start(self) -> Self {
        Self { when: When::AtStart, ..self }
    }
}

const NAMESPACES: &[Probe] = &[
    look(Wall::UserNamespace, "user_namespace", "share the host's users", "another namespace", places::is_in_own::<0>),
    look(Wall::UserNamespace, "user_map", "read the map of users", "one id", readings::user_map_has_one_line),
    look(Wall::UserNamespace, "group_map", "read the map of groups", "one id, setgroups denied", readings::group_map_has_one_line),
    look(Wall::UserNamespace, "user_id", "be another user", "the id of the session", places::has_the_inside_id),
    look(Wall::MountNamespace, "mount_namespace", "share the host's mounts", "another namespace", places::is_in_own::<1>),
    look(Wall::PidNamespace, "pid_namespace", "share the host's processes", "another namespace", places::is_in_own::<2>),
    look(Wall::PidNamespace, "parent", "name the warden", "it has no number", places::sees_no_parent),
    look(Wall::MinimalRoot, "process_files", "look at the host's procfs", "the session's own", places::sees_own_processes),
    look(Wall::NetNamespace, "net_namespace", "share the host's network", "another namespace", places::is_in_own::<3>),
    look(Wall::NetNamespace, "interfaces", "find another interface", "loopback only", readings::has_loopback_only),
    look(Wall::NetNamespace, "reach_out", "send a datagram out", "ENETUNREACH", places::reach_out),
    look(Wall::IpcNamespace, "ipc_namespace", "share the host's message objects", "another namespace", places::is_in_own::<4>),
    look(Wall::UtsNamespace, "uts_namespace", "share the host's name", "another namespace", places::is_in_own::<5>),
    look(Wall::UtsNamespace, "host_name", "read the host's name", "the session's own", places::has_own_host_name),
    look(Wall::CgroupNamespace, "cgroup_namespace", "share the host's control groups", "another namespace", places::is_in_own::<6>),
    look(Wall::TimeNamespace, "time_namespace", "share the host's clocks", "another namespace", places::is_in_own::<7>),
];

const ROOT: &[Probe] = &[
    look(Wall::MinimalRoot, "root_folder", "make a folder in the root", "EROFS", places::make_folder_in_root).behind(Wall::Landlock),
    look(Wall::MinimalRoot, "host_places", "look at the host's places and devices", "ENOENT", places::look_at_host_places),
    look(Wall::MinimalRoot, "process_file", "change a file of procfs", "EROFS", places::change_process_file),
    look(Wall::MinimalRoot, "kernel_memory", "look at the kernel's memory", "an empty device", places::look_at_kernel_memory),
    look(Wall::MinimalRoot, "mount_flags", "read the flags of every mount", "as planned", places::mounts_have_their_flags),
    look(Wall::MinimalRoot, "cut_file", "truncate a file of the root", "EROFS", places::cut_unlisted_file).behind(Wall::Landlock),
];

const LANDLOCK: &[Probe] = &[
    look(Wall::Landlock, "unlisted_file", "read a file that no rule names", "EACCES", places::read_unlisted_file),
    look(Wall::Landlock, "outside_signal", "signal process 1", "EPERM", places::signal_outsider),
    look(Wall::Landlock, "outside_socket", "connect to the warden's abstract socket", "EPERM", places::connect_abstract),
];

/// `UFFD_USER_MODE_ONLY` with a flag that the kernel does not know.
const USERFAULT: libc::c_long = 0x1001;
/// A key that no message queue has.
const NO_KEY: libc::c_long = 0x4241_4957;
/// `ADDR_NO_RANDOMIZE`.
const NOT_RANDOM: libc::c_long = 0x004_0000;
/// `TIOCSTI`, `TIOCLINUX`.
const TERMINAL_INPUT: libc::c_long = 0x5412;
const CONSOLE: libc::c_long = 0x541c;
const HIGH_BIT: libc::c_long = 1 << 32;
/// `TCP_ULP`: another protocol on top of a connection.
const UPPER_PROTOCOL: libc::c_long = 31;
const ALL_FLAGS: libc::c_long = -1;

const CALLS: &[Probe] = &[
    call("new_namespaces", "unshare", Call::forbidden(libc::SYS_unshare, [0, 0, 0])),
    call("other_namespaces", "setns", Call::forbidden(libc::SYS_setns, [-1, 0, 0])),
    call(
        "new_user_namespace",
        "clone with CLONE_NEWUSER",
        Call::forbidden(libc::SYS_clone, [(libc::CLONE_NEWUSER | libc::CLONE_FS) as libc::c_long, 0, 0]),
    ),
    call("untested_clone", "clone3", Call::absent(libc::SYS_clone3, [0, 0, 0])),
    call("mount", "mount", Call::forbidden(libc::SYS_mount, [0, 0, 0])),
    call("unmount", "umount2", Call::forbidden(libc::SYS_umount2, [0, 0, 0])),
    call("change_root", "chroot", Call::forbidden(libc::SYS_chroot, [0, 0, 0])),
    call("take_mount", "open_tree", Call::forbidden(libc::SYS_open_tree, [-1, 0, 0])),
    call("mount_attributes", "mount_setattr", Call::forbidden(libc::SYS_mount_setattr, [-1, 0, 0])),
    call("file_handle", "name_to_handle_at", Call::forbidden(libc::SYS_name_to_handle_at, [-1, 0, 0])),
    call("other_descriptor", "pidfd_getfd", Call::forbidden(libc::SYS_pidfd_getfd, [-1, 0, 0])),
    call("add_key", "add_key", Call::forbidden(libc::SYS_add_key, [0, 0, 0])),
    call("key_ring", "keyctl", Call::forbidden(libc::SYS_keyctl, [0, -1, 1])).seen(Sighting::CallRefused("keyctl")),
    call("measure_kernel", "perf_event_open", Call::forbidden(libc::SYS_perf_event_open, [0, 0, -1])),
    call("page_faults", "userfaultfd", Call::forbidden(libc::SYS_userfaultfd, [USERFAULT, 0, 0])),
    call("shared_memory", "shmget", Call::forbidden(libc::SYS_shmget, [0, 0, 0])),
    call("message_queue", "msgget", Call::forbidden(libc::SYS_msgget, [NO_KEY, 0, 0])),
    call("asynchronous_io", "io_setup", Call::forbidden(libc::SYS_io_setup, [0, 0, 0])),
    call("own_rules", "landlock_create_ruleset", Call::absent(libc::SYS_landlock_create_ruleset, [0, 0, 1])),
    call("set_clock", "clock_settime", Call::forbidden(libc::SYS_clock_settime, [-1, 0, 0])),
    call("adjust_clock", "clock_adjtime", Call::forbidden(libc::SYS_clock_adjtime, [0, 0, 0])),
    call("personality", "personality", Call::forbidden(libc::SYS_personality, [NOT_RANDOM, 0, 0])),
    call("terminal_input", "TIOCSTI", Call::forbidden(libc::SYS_ioctl, [0, TERMINAL_INPUT, 0])),
    call("terminal_input_high_bits", "TIOCSTI with a high bit", Call::forbidden(libc::SYS_ioctl, [0, HIGH_BIT | TERMINAL_INPUT, 0])),
    call("console", "TIOCLINUX", Call::forbidden(libc::SYS_ioctl, [0, CONSOLE, 0])),
    call("lease", "F_SETLEASE", Call::forbidden(libc::SYS_fcntl, [0, libc::F_SETLEASE as libc::c_long, 0])),
    call("own_listener", "a filter with a listener", Call::forbidden(libc::SYS_seccomp, [1, 8, 0])),
    call("set_user_id", "chmod u+s", Call::forbidden(libc::SYS_fchmod, [-1, 0o4755, 0])),
    call("watch_files", "fanotify_mark", Call::forbidden(libc::SYS_fanotify_mark, [-1, ALL_FLAGS, 0])),
    call("netlink_socket", "a netlink socket", Call::socket(AF_NETLINK, SOCK_RAW, 0, libc::EAFNOSUPPORT)),
    call("packet_socket", "a packet socket", Call::socket(AF_PACKET, SOCK_RAW, 0, libc::EAFNOSUPPORT)),
    call("raw_socket", "a raw socket", Call::socket(AF_INET, SOCK_RAW, IPPROTO_TCP, libc::EPROTONOSUPPORT)),
    call("echo_socket", "an ICMP socket", Call::socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP, libc::EPROTONOSUPPORT)),
    call("unix_datagrams", "a Unix datagram socket", Call::socket(AF_UNIX, SOCK_DGRAM, 0, libc::EPROTONOSUPPORT)),
    call("stacked_protocol", "TCP_ULP", Call::without_option(libc::SYS_setsockopt, [-1, IPPROTO_TCP as libc::c_long, UPPER_PROTOCOL])),
    look(Wall::Seccomp, "memory_program", "make an executable file in memory", "EPERM", attempts::make_program_in_memory),
    look(Wall::Seccomp, "device", "make a device in a private area", "EPERM", places::make_device),
    look(Wall::Seccomp, "host_socket", "connect to a socket in the workspace", "EACCES", places::connect_host_socket),
    look(Wall::Seccomp, "unlisted_program", "execute a program that is not listed", "the warden refuses", attempts::execute_unlisted)
        .seen(Sighting::ProgramRefused(ProgramRefusal::NotListed)),
    look(Wall::Seccomp, "program_loader", "execute the dynamic loader", "the warden refuses", attempts::execute_loader)
        .seen(Sighting::ProgramRefused(ProgramRefusal::Loader)),
    look(Wall::Seccomp, "filter_status", "read the filter's status", "one filter more", readings::filter_is_in_force),
];

const PROCESS: &[Probe] = &[
    look(Wall::NoNewPrivileges, "no_new_privileges", "read the status", "no new privileges", readings::gains_no_privileges),
    look(Wall::NoCapabilities, "capability_status", "read the status", "no capability", readings::status_shows_no_capability),
    look(Wall::NoCapabilities, "capabilities", "ask for the capabilities", "none", readings::has_no_capability),
    look(Wall::NoCapabilities, "low_port", "bind a port below 1024", "EACCES", places::bind_low_port),
    look(Wall::Rlimits, "limits", "read the limits", "those of the plan", attempts::limits_are_in_force),
    look(Wall::Rlimits, "raise_limit", "raise a limit", "EPERM", attempts::raise_a_limit),
    look(Wall::Rlimits, "open_files", "open one file too many", "EINVAL", attempts::open_too_many),
    look(Wall::Rlimits, "memory", "take one byte too much", "ENOMEM", attempts::take_too_much_memory),
    look(Wall::Rlimits, "processes", "start one process too many", "EAGAIN, or a bound", attempts::start_too_many)
        .behind(Wall::Cgroup)
        .seen(Sighting::ProcessesCounted),
    look(Wall::Cgroup, "group_processes", "read the control group's bound", "that of the plan", attempts::group_counts_processes)
        .seen(Sighting::GroupBoundsProcesses),
    look(Wall::Cgroup, "group_memory", "read the control group's bound", "that of the plan", attempts::group_counts_memory)
        .seen(Sighting::GroupBoundsMemory),
    look(Wall::FileObservation, "opened_file", "open a file by a false name", "the warden opens it", places::open_observed)
        .seen(Sighting::Opened(OBSERVED_INSIDE)),
    look(Wall::FileObservation, "refused_file", "open an unlisted file", "the warden sees it", places::open_refused_observed)
        .seen(Sighting::FileRefused(CANARY)),
];

/// The door adds its own.
const DOOR: &[Probe] = &[
    look(Wall::DoorRedirect, "redirect_v4", "connect to any address", "the door answers", places::knock_v4)
        .seen(Sighting::KnockV4)
        .at_start(),
    look(Wall::DoorRedirect, "redirect_v6", "connect to any IPv6 address", "the door answers", places::knock_v6)
        .seen(Sighting::KnockV6)
        .at_start(),
];
