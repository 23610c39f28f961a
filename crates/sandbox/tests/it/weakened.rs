//! Takes each wall away in turn: exactly its probes must notice. Only with the feature `danger-weaken`.

use crate::{example, ordinary, text};
use std::collections::BTreeSet;
use std::process::Command;

/// A wall, what must be away with it, further options, and the probes that then get through, of this wall and of those beside it.
struct Case {
    away: &'static [&'static str],
    options: &'static [&'static str],
    through: &'static [&'static str],
}

const fn case(away: &'static [&'static str], through: &'static [&'static str]) -> Case {
    Case { away, options: &[], through }
}

const LANDLOCK: [&str; 3] = ["unlisted_file", "outside_signal", "outside_socket"];
const SECCOMP: [&str; 39] = [
    "new_namespaces",
    "other_namespaces",
    "new_user_namespace",
    "untested_clone",
    "mount",
    "unmount",
    "change_root",
    "take_mount",
    "mount_attributes",
    "file_handle",
    "other_descriptor",
    "add_key",
    "key_ring",
    "measure_kernel",
    "page_faults",
    "shared_memory",
    "message_queue",
    "asynchronous_io",
    "own_rules",
    "set_clock",
    "adjust_clock",
    "personality",
    "terminal_input",
    "terminal_input_high_bits",
    "console",
    "lease",
    "own_listener",
    "set_user_id",
    "watch_files",
    "netlink_socket",
    "packet_socket",
    "raw_socket",
    "echo_socket",
    "unix_datagrams",
    "stacked_protocol",
    "memory_program",
    "device",
    "host_socket",
    "filter_status",
];

/// Those that anyone can take away.
const EVERYONE: &[Case] = &[
    case(&["ipc_namespace"], &["ipc_namespace"]),
    case(&["uts_namespace"], &["uts_namespace", "host_name"]),
    case(&["cgroup_namespace"], &["cgroup_namespace"]),
    case(&["time_namespace"], &["time_namespace"]),
    case(&["net_namespace"], &["net_namespace", "interfaces", "reach_out"]),
    case(&["minimal_root"], &["process_files", "host_places", "process_file", "kernel_memory", "mount_flags"]),
    case(&["landlock"], &LANDLOCK),
    // Landlock stands behind two attempts on the root.
    case(
        &["minimal_root", "landlock"],
        &[
            "process_files",
            "host_places",
            "process_file",
            "kernel_memory",
            "mount_flags",
            "root_folder",
            "cut_file",
            "unlisted_file",
            "outside_signal",
            "outside_socket",
        ],
    ),
    Case { away: &["seccomp"], options: &["workspace"], through: &SECCOMP },
    case(&["no_capabilities"], &["capability_status", "capabilities", "low_port"]),
    case(&["rlimits"], &["limits", "raise_limit", "open_files", "memory"]),
    Case { away: &["file_observation"], options: &["observe"], through: &["opened_file", "refused_file"] },
    Case { away: &["door_redirect"], options: &["door"], through: &["redirect_v4", "redirect_v6"] },
];

/// A filter needs new privileges to be given up, and so do the rules of Landlock.
const NO_NEW_PRIVILEGES: &Case = &case(&["no_new_privileges", "seccomp", "landlock"], &["no_new_privileges"]);

/// Those that only root can take away. A process and a mount namespace can be made only in a user namespace, or by root.
const ROOT: &[Case] = &[
    case(&["user_namespace"], &["user_namespace", "user_map", "group_map", "user_id"]),
    case(&["user_namespace", "pid_namespace"], &["user_namespace", "user_map", "group_map", "user_id", "pid_namespace", "parent"]),
];

/// Those of the session's control group, where the host lends one.
const GROUP: &[Case] = &[
    case(&["cgroup"], &["group_processes", "group_memory"]),
    // The group stands behind the user's own count, which root does not have.
    case(&["rlimits", "cgroup"], &["limits", "raise_limit", "open_files", "memory", "processes", "group_processes", "group_memory"]),
];

/// Probes that got through.
fn through(mut command: Command, case: &Case, more: &[String]) -> BTreeSet<String> {
    let workspace = tempfile::Builder::new().prefix("bailiwick-weakened-").tempdir_in("/var/tmp").unwrap();
    std::fs::set_permissions(workspace.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    command.arg("verbose");
    for wall in case.away {
        command.args([format!("away={wall}"), format!("allow={wall}")]);
    }
    for option in case.options {
        let shown = format!("rw={}", workspace.path().display());
        command.arg(if *option == "workspace" { &shown } else { *option });
    }
    let output = command.args(more).args(["--", "/bin/true"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{:?}: {said}", case.away);
    assert_eq!(text(&output), "");
    assert!(said.contains("probe user_id refused") || case.away.contains(&"user_namespace"), "{said}");
    said.lines().filter_map(|line| line.strip_prefix("probe ")?.strip_suffix(" succeeded")).map(str::to_owned).collect()
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_wall_that_is_taken_away_is_noticed_by_exactly_its_probes() {
    for case in EVERYONE {
        for command in [Command::new(example("session")), ordinary(Command::new(example("session")))] {
            assert_eq!(through(command, case, &[]), names(case.through), "{:?}", case.away);
        }
    }
}

#[test]
fn new_privileges_are_noticed_when_nothing_that_needs_their_absence_is_left() {
    for command in [Command::new(example("session")), ordinary(Command::new(example("session")))] {
        let found = through(command, NO_NEW_PRIVILEGES, &[]);
        let others: BTreeSet<String> = names(&LANDLOCK).into_iter().chain(names(&SECCOMP)).collect();
        assert_eq!(found.difference(&others).cloned().collect::<BTreeSet<_>>(), names(NO_NEW_PRIVILEGES.through));
    }
}

#[test]
fn namespaces_that_only_root_can_do_without_are_noticed() {
    if !rustix::process::geteuid().is_root() {
        // For everyone else there is no session without a user namespace.
        let output = Command::new(example("session")).args(["away=user_namespace", "--", "/bin/true"]).output().unwrap();
        assert_eq!(output.status.code(), Some(125));
        return;
    }
    for case in ROOT {
        assert_eq!(through(Command::new(example("session")), case, &[]), names(case.through), "{:?}", case.away);
    }
    let case = case(&["user_namespace", "mount_namespace"], &[]);
    let mut apart = Command::new("unshare");
    apart.arg("--mount").arg(example("session"));
    let host = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata("/proc/self/ns/mnt").unwrap());
    let found = through(apart, &case, &[format!("host-mounts={host}")]);
    assert_eq!(found, names(&["user_namespace", "user_map", "group_map", "user_id", "mount_namespace"]));
}

#[test]
fn a_control_group_without_bounds_is_noticed() {
    let output = Command::new(example("session")).args(["verbose", "--", "/bin/true"]).output().unwrap();
    if !String::from_utf8_lossy(&output.stderr).contains("cgroup held") {
        return;
    }
    for case in GROUP {
        assert_eq!(through(Command::new(example("session")), case, &[]), names(case.through), "{:?}", case.away);
    }
}

#[test]
fn a_list_of_programs_that_nobody_holds_to_is_noticed() {
    let programs = ["unlisted_program", "program_loader"];
    let options = crate::probes::listed_options();
    for command in [Command::new(example("session")), ordinary(Command::new(example("session")))] {
        // Landlock, which is there, refuses one of them, but nobody saw it.
        let found = through(command, &case(&["seccomp"], &[]), &options);
        let others = names(&SECCOMP);
        assert_eq!(found.difference(&others).cloned().collect::<BTreeSet<_>>(), names(&programs));
    }
    for command in [Command::new(example("session")), ordinary(Command::new(example("session")))] {
        let found = through(command, &case(&["landlock"], &[]), &options);
        assert_eq!(found, names(&LANDLOCK), "the warden holds the list alone");
    }
}

#[test]
fn a_wall_that_is_gone_refuses_the_session() {
    for wall in ["net_namespace", "minimal_root", "landlock", "seccomp", "no_capabilities", "rlimits"] {
        let mut command = ordinary(Command::new(example("session")));
        let output = command.args([&format!("away={wall}"), "--", "/bin/true"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(125), "{wall}");
        assert!(said.contains(&format!("the wall {wall} is missing (the probe ")), "{said}");
    }
}

#[test]
fn an_older_landlock_holds_by_the_walls_that_make_its_gaps_good() {
    let run = |options: &[&str]| ordinary(Command::new(example("session"))).args(options).args(["--", "/bin/true"]).output().unwrap();
    for version in 2..=7 {
        let output = run(&["observe", &format!("abi={version}")]);
        assert!(output.status.success(), "{version}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let refused = |options: &[&str], why: &str| {
        let output = run(options);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(125), "{options:?}");
        assert!(said.contains(why), "{said}");
    };
    refused(&["abi=1"], "its version is too old");
    // Allowed to be missing or not: what makes the gap good must stand.
    refused(&["abi=2", "away=minimal_root", "allow=minimal_root"], "it has no truncate, and minimal_root does not make that good");
    refused(&["abi=4", "away=seccomp", "allow=seccomp"], "it has no ioctl_dev, and seccomp does not make that good");
    refused(&["abi=5", "away=net_namespace", "allow=net_namespace"], "it has no scope_abstract_unix_socket");
}
