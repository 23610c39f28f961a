//! What starts no session, and what is said about it.

use crate::place::{Place, stderr, stdout};
use std::process::{Command, Output};

/// Runs a session that would say `ran`, by way of another program that changes what the host gives.
fn by_way_of(place: &Place, before: &[&str]) -> Output {
    let mut command = Command::new(before[0]);
    command.args(&before[1..]).args([env!("CARGO_BIN_EXE_bailiwick"), "run", "--", "sh", "-c", "echo ran"]);
    command.env("XDG_STATE_HOME", place.path("state")).current_dir(place.path("workspace"));
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

fn assert_refused(place: &Place, output: &Output, words: &[&str]) {
    let said = stderr(output);
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(125), ""), "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
    let logs = std::fs::read_dir(place.path("state").join("bailiwick/evidence")).into_iter().flatten().count();
    assert_eq!(logs, 0, "a session that did not start leaves no log");
}

#[test]
fn a_host_without_user_namespaces_starts_no_session_and_names_the_setting() {
    let place = Place::new();
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let output = by_way_of(&place, &["unshare", "--user", "--map-root-user", "/bin/sh", "-c", script, "sh"]);
    let words = ["user_namespace", "user.max_user_namespaces is 0", "allow user namespaces", "bailiwick doctor --apparmor-profile"];
    assert_refused(&place, &output, &words);
}

#[test]
fn a_kernel_without_landlock_starts_no_session_and_says_what_to_use() {
    let place = Place::new();
    // A filter by which the kernel answers as one without Landlock does: landlock_create_ruleset(2) is 444 everywhere.
    let filter = r#"my $arm = `uname -m` =~ /aarch64/;
        my $filter = join "", map { pack("SCCL", @$_) } [0x20, 0, 0, 0], [0x15, 0, 1, 444], [6, 0, 0, 0x50026], [6, 0, 0, 0x7fff0000];
        my $program = pack("Sx![p]P", 4, $filter);
        syscall($arm ? 167 : 157, 38, 1, 0, 0, 0) == 0 or die;
        syscall($arm ? 277 : 317, 1, 0, $program) == 0 or die;
        exec @ARGV"#;
    let output = by_way_of(&place, &["perl", "-e", filter]);
    assert_refused(&place, &output, &["the wall landlock is missing", "use a kernel with Landlock"]);
}

#[test]
fn a_policy_with_an_unknown_key_starts_no_session_and_names_file_and_line() {
    let place = Place::new();
    let policy = place.path("elsewhere").join("policy.toml");
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    std::fs::write(&policy, pilot.replace("[session.limits]", "[session.limits]\nmemory_max = 1")).unwrap();
    let output = place.session(&["--policy", policy.to_str().unwrap()], "echo ran").output().unwrap();
    let line = pilot.lines().position(|line| line == "[session.limits]").unwrap() + 2;
    assert_refused(&place, &output, &[&format!("policy.toml:{line}:"), "memory_max", "memory_bytes_max"]);
}

#[test]
fn a_workspace_that_shows_too_much_or_is_not_there_starts_no_session() {
    let place = Place::new();
    let home = place.path("elsewhere");
    for workspace in ["/", home.to_str().unwrap(), "no-such-folder"] {
        let mut command = place.bailiwick(&["run", "--workspace", workspace, "--", "sh", "-c", "echo ran"]);
        assert_refused(&place, &command.env("HOME", &home).output().unwrap(), &["cannot give the session the workspace"]);
    }
}

#[test]
fn a_workspace_that_cannot_be_read_starts_no_session() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: root reads everything; run the tests as an ordinary user too");
        return;
    }
    let place = Place::new();
    let shut = place.path("elsewhere").join("shut");
    std::fs::create_dir(&shut).unwrap();
    std::fs::set_permissions(&shut, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    let output = place.bailiwick(&["run", "--workspace", shut.to_str().unwrap(), "--", "sh", "-c", "echo ran"]).output().unwrap();
    assert_refused(&place, &output, &["it cannot be read"]);
}

#[test]
fn a_disk_with_less_left_than_the_policy_keeps_free_starts_no_session() {
    let place = Place::new();
    let policy = place.path("elsewhere").join("policy.toml");
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    std::fs::write(&policy, pilot.replace("disk_free_bytes_min = \"256 MiB\"", "disk_free_bytes_min = \"16 TiB\"")).unwrap();
    let output = place.session(&["--policy", policy.to_str().unwrap()], "echo ran").output().unwrap();
    assert_refused(&place, &output, &["disk_free_bytes_min", "free some space"]);
}

#[test]
fn the_apparmor_profile_names_this_program() {
    let place = Place::new();
    let output = place.bailiwick(&["doctor", "--apparmor-profile"]).output().unwrap();
    assert!(output.status.success());
    assert!(stdout(&output).contains(&format!("profile bailiwick \"{}\"", env!("CARGO_BIN_EXE_bailiwick"))), "{}", stdout(&output));
}
