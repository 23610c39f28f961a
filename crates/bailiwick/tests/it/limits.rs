//! What a session may use. Each bomb is small and ends by itself if its bound does not hold; the tests look at the record, at what is
//! left on the host, and at whether the host goes on meanwhile.

use crate::heartbeat::Heartbeat;
use crate::place::{Place, stderr, stdout, with_argument};
use crate::processes::kill;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

/// Runs a script under the built-in profile with some of its bounds changed.
fn bounded(place: &Place, bounds: &[(&str, &str)], script: &str) -> Output {
    place.session(&["--upstream", "echo", "--policy", &policy(place, bounds)], script).output().unwrap()
}

/// The profile `pilot` with other bounds, as a file.
fn policy(place: &Place, bounds: &[(&str, &str)]) -> String {
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    let mut left = bounds.to_vec();
    let line = |line: &str| {
        let found = left.iter().position(|(key, _)| line.split(' ').next() == Some(*key)).map(|place| left.remove(place));
        found.map_or_else(|| line.to_owned(), |(key, value)| format!("{key} = {value}"))
    };
    let text: Vec<String> = pilot.lines().map(line).collect();
    assert_eq!(left, [], "the profile has these keys");
    let path = place.path("elsewhere").join("policy.toml");
    std::fs::write(&path, text.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn events(place: &Place) -> Vec<Value> {
    assert!(place.verifies());
    place.events()
}

/// The bounds that the only session came to, as `KEY ACTION`, and why it ended.
fn reached(place: &Place) -> (Vec<String>, String) {
    let events = events(place);
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).cloned().collect::<Vec<_>>();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let limits = of("limit.reached").iter().map(|event| format!("{} {}", text(&event["limit"]), text(&event["action"]))).collect();
    (limits, text(&of("session.ended")[0]["cause"]))
}

/// What bounds the session's processes here: a control group for root on this kind of host, the watcher for everyone else.
fn keeper(place: &Place) -> String {
    events(place)[0]["limits_by"].as_str().unwrap().to_owned()
}

fn assert_ended(place: &Place, output: &Output, (key, cause): (&str, &str)) {
    let (limits, ended) = reached(place);
    assert_eq!((output.status.code(), ended.as_str()), (Some(125), cause), "{}", stderr(output));
    assert!(limits.contains(&format!("{key} ended")), "{limits:?}");
    let said = stderr(output);
    assert_eq!(said.lines().filter(|line| line.contains("was ended") && line.contains(key)).count(), 1, "{said}");
}

/// Fills memory step by step with what cannot be shared, up to so many MiB.
fn hog(mib: u32) -> String {
    format!("perl -e 'my @hog; for (1..{mib}) {{ push @hog, chr($_ % 250) x (1 << 20) }} print \"all\\n\"'")
}

#[test]
fn memory_of_a_process_ends_the_session_and_the_host_goes_on() {
    let place = Place::new();
    let heart = Heartbeat::start();
    let output = bounded(&place, &[("memory_bytes_max", "\"128 MiB\"")], &format!("{}; echo survived", hog(1024)));
    heart.assert_steady();
    assert_ended(&place, &output, ("memory_bytes_max", "limit_memory"));
    assert!(!stdout(&output).contains("all"), "{}", stdout(&output));
    assert!(["cgroup-v1", "cgroup-v2", "watcher"].contains(&keeper(&place).as_str()));
}

#[test]
fn memory_of_many_processes_together_ends_the_session() {
    let place = Place::new();
    let script = format!("for n in 1 2 3 4 5 6 7 8; do {} & done; wait", hog(40).replace("print", "sleep 60; print"));
    let output = bounded(&place, &[("memory_bytes_max", "\"128 MiB\"")], &script);
    assert_ended(&place, &output, ("memory_bytes_max", "limit_memory"));
}

#[test]
fn memory_that_processes_share_counts_once() {
    let place = Place::new();
    let script = "perl -e 'my $shared = chr(7) x (60 << 20); my @all = map { my $child = fork; if (!$child) { sleep 2; exit 0 } $child } 1..6; waitpid($_, 0) for @all; print length $shared'";
    let output = bounded(&place, &[("memory_bytes_max", "\"192 MiB\"")], script);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "62914560"), "{}", stderr(&output));
    assert_eq!(reached(&place), (vec![], "agent_exited".to_owned()));
}

#[test]
fn memory_in_files_without_a_name_or_in_private_areas_is_the_sessions_too() {
    // memfd_create(2): 319 on x86_64, 279 on aarch64.
    let nameless = r#"perl -e 'my $call = `uname -m` =~ /aarch64/ ? 279 : 319; my $name = "x"; my $number = syscall($call, $name, 0); die "none" if $number < 0; open(my $file, ">&=", $number) or die; for (1..512) { syswrite($file, "x" x (1 << 20)) or last } sleep 60'"#;
    for script in [nameless, "head -c 512M /dev/zero > /tmp/full; sleep 60"] {
        let place = Place::new();
        let output = bounded(&place, &[("memory_bytes_max", "\"128 MiB\"")], script);
        assert_ended(&place, &output, ("memory_bytes_max", "limit_memory"));
    }
}

#[test]
fn memory_that_only_a_mapping_tells_of_is_the_sessions_too() {
    // The pages of shared memory stay when a process lets go of them.
    let script = "import mmap, time\nwhole = mmap.mmap(-1, 512 << 20)\nfor n in range(512):\n    whole[n << 20 : (n + 1) << 20] = b'x' * (1 << 20)\n    whole.madvise(mmap.MADV_DONTNEED)\ntime.sleep(60)\n";
    if !std::path::Path::new("/usr/bin/python3").exists() {
        println!("skipped: there is no python3");
        return;
    }
    let place = Place::new();
    std::fs::write(place.path("workspace").join("hidden.py"), script).unwrap();
    let output = bounded(&place, &[("memory_bytes_max", "\"128 MiB\"")], "exec /usr/bin/python3 hidden.py");
    assert_ended(&place, &output, ("memory_bytes_max", "limit_memory"));
}

#[test]
fn memory_is_watched_while_many_files_are_counted() {
    let place = Place::new();
    // More descriptors than anybody counts, and more files than are counted at once.
    let script = format!(
        "perl -e 'my @all; for my $n (1..3000) {{ open($all[$n], \">\", \"e$n\") or last }} for (1..40) {{ next if fork; sleep 60 }} sleep 60' & perl -e 'for my $n (1..3000) {{ open(my $file, \">\", \"f$n\") or die; syswrite($file, \"x\" x 16384) }}' & {}; sleep 60",
        hog(1024)
    );
    let output = bounded(&place, &[("memory_bytes_max", "\"192 MiB\""), ("workspace_growth_bytes_max", "\"1 GiB\"")], &script);
    assert_ended(&place, &output, ("memory_bytes_max", "limit_memory"));
}

#[test]
fn a_fork_bomb_ends_the_session_and_the_host_goes_on() {
    let place = Place::new();
    let mark = format!("86{}", std::process::id());
    let heart = Heartbeat::start();
    // Each forks for as long as it may, and for half a minute at most.
    let bomb = format!("perl -e 'my $end = time + 30; while (time < $end) {{ fork; select(undef, undef, undef, 0.002) }}' {mark}");
    let output = bounded(&place, &[("processes_max", "64")], &bomb);
    heart.assert_steady();
    assert_ended(&place, &output, ("processes_max", "limit_processes"));
    assert_eq!(with_argument(&mark), 0);
    let (limits, _) = reached(&place);
    assert_eq!(limits, ["processes_max refused", "processes_max ended"]);
}

#[test]
fn many_processes_for_a_moment_are_on_record_and_end_nothing() {
    let place = Place::new();
    let script = "perl -e 'my @all; while (1) { my $child = fork; last unless defined $child; if (!$child) { sleep 2; exit 0 } push @all, $child } waitpid($_, 0) for @all'; exit 4";
    let output = bounded(&place, &[("processes_max", "64")], script);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert_eq!(reached(&place), (vec!["processes_max refused".to_owned()], "agent_exited".to_owned()));
}

#[test]
fn a_workspace_that_grows_ends_the_session() {
    // With a name, without one, and as many small files.
    let nameless = r#"perl -e 'open(my $file, ">", "gone") or die; unlink "gone"; syswrite($file, "x" x (1 << 20)) for 1..400; sleep 60'"#;
    let many = r#"perl -e 'for my $n (1..6400) { open(my $file, ">", "f$n") or die; syswrite($file, "x" x 65536) } sleep 60'"#;
    for script in ["head -c 400M /dev/zero > full; sleep 60", nameless, many] {
        let place = Place::new();
        let heart = Heartbeat::start();
        let output = bounded(&place, &[("workspace_growth_bytes_max", "\"32 MiB\"")], script);
        heart.assert_steady();
        assert_ended(&place, &output, ("workspace_growth_bytes_max", "limit_disk"));
    }
}

#[test]
fn a_workspace_that_only_changes_does_not() {
    let place = Place::new();
    std::fs::write(place.path("workspace").join("large"), vec![1; 64 << 20]).unwrap();
    let script = "printf x | dd of=large conv=notrunc 2> /dev/null; head -c 8M /dev/zero > small; exit 3";
    let output = bounded(&place, &[("workspace_growth_bytes_max", "\"32 MiB\"")], script);
    assert_eq!((output.status.code(), reached(&place).1.as_str()), (Some(3), "agent_exited"), "{}", stderr(&output));
}

#[test]
fn a_full_private_area_is_on_record_and_ends_nothing() {
    let place = Place::new();
    let script = "head -c 64M /dev/zero > /tmp/full 2> /dev/null; df -P /tmp > /dev/null; exit 6";
    let output = bounded(&place, &[("tmp_bytes_max", "\"8 MiB\"")], script);
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert_eq!(reached(&place), (vec!["tmp_bytes_max refused".to_owned()], "agent_exited".to_owned()));
}

#[test]
fn output_without_end_ends_the_session_and_not_a_byte_too_much_comes_out() {
    let place = Place::new();
    let heart = Heartbeat::start();
    // Ten million lines, of which the bound lets a part out.
    let script = "yes 'a line of a log that nobody will ever read' | head -n 10000000; echo survived >&2";
    let output = bounded(&place, &[("output_bytes_max", "\"4 MiB\"")], script);
    heart.assert_steady();
    assert_ended(&place, &output, ("output_bytes_max", "limit_output"));
    assert_eq!(output.stdout.len() + stderr(&output).find("bailiwick:").unwrap(), 4 << 20);
}

#[test]
fn output_that_is_too_fast_is_held_up_and_arrives_whole() {
    let place = Place::new();
    let start = Instant::now();
    let output = bounded(&place, &[("output_bytes_per_second_max", "\"1 MiB\"")], "head -c 3M /dev/zero");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 3 << 20));
    // The first second's worth goes out at once.
    assert!(start.elapsed() >= Duration::from_millis(1500), "{:?}", start.elapsed());
    assert_eq!(reached(&place), (vec!["output_bytes_per_second_max slowed".to_owned()], "agent_exited".to_owned()));
}

#[test]
fn time_of_the_processor_ends_a_process_or_the_session() {
    let place = Place::new();
    let output = bounded(&place, &[("cpu_seconds_max", "2")], "exec perl -e '1 while time - $^T < 60'");
    assert_eq!(output.status.code(), Some(128 + 24), "{}", stderr(&output));
    assert_eq!(reached(&place), (vec!["cpu_seconds_max killed".to_owned()], "agent_exited".to_owned()));
    let place = Place::new();
    let output =
        bounded(&place, &[("cpu_total_seconds_max", "2")], "perl -e '1 while time - $^T < 60' & perl -e '1 while time - $^T < 60'");
    assert_ended(&place, &output, ("cpu_total_seconds_max", "limit_cpu"));
}

#[test]
fn too_large_a_file_is_on_record() {
    let place = Place::new();
    let output =
        bounded(&place, &[("file_bytes_max", "\"1 MiB\"")], "exec perl -e 'open(F, \">\", \"large\"); 1 while syswrite(F, \"x\" x 65536)'");
    assert_eq!(output.status.code(), Some(128 + 25), "{}", stderr(&output));
    assert_eq!(reached(&place), (vec!["file_bytes_max killed".to_owned()], "agent_exited".to_owned()));
    assert_eq!(std::fs::metadata(place.path("workspace").join("large")).unwrap().len(), 1 << 20);
}

#[test]
fn a_session_that_lasts_too_long_says_which_key() {
    let place = Place::new();
    let output = bounded(&place, &[("wall_clock_seconds_max", "1")], "sleep 60");
    assert_ended(&place, &output, ("wall_clock_seconds_max", "wall_clock"));
}

#[test]
fn a_policy_that_is_changed_or_deleted_meanwhile_is_on_record_and_changes_nothing() {
    for (change, expected) in [("echo >> policy.toml", "changed"), ("rm policy.toml", "deleted")] {
        let place = Place::new();
        let policy = policy(&place, &[("processes_max", "64")]);
        let mut command = place.session(&["--upstream", "echo", "--policy", &policy], "echo up; read line; exit 7");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
        let script = format!("cd {} && {change}", place.path("elsewhere").display());
        assert!(std::process::Command::new("sh").args(["-c", &script]).status().unwrap().success());
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
        assert!(stderr(&output).contains(&format!("the policy's file was {expected}")), "{}", stderr(&output));
        let changes: Vec<_> = events(&place).into_iter().filter(|event| event["type"] == "policy.changed").collect();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0]["change"], expected);
    }
}

#[test]
fn a_log_that_stands_still_freezes_the_agent_and_loses_nothing() {
    const FILES: usize = 16_384;
    let place = Place::new();
    // The agent opens files one after another once it may; the host looks how far it came.
    let script = format!(
        r#"exec perl -e '$| = 1; print "up\n"; select(undef, undef, undef, 0.01) until -e "go"; for my $n (1..{FILES}) {{ open(my $file, ">", "e$n") or die }} exit 8'"#
    );
    let mut child = place.session(&["--upstream", "echo"], &script).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
    let supervisor = i32::try_from(child.id()).unwrap();
    kill(supervisor, Signal::STOP);
    let workspace = place.path("workspace");
    std::fs::write(workspace.join("go"), "").unwrap();
    let made = || std::fs::read_dir(&workspace).unwrap().count();
    // It comes to a stand: for a whole second nothing is made.
    let deadline = Instant::now() + Duration::from_mins(1);
    let (mut seen, mut since) = (0, Instant::now());
    while seen == 0 || since.elapsed() < Duration::from_secs(1) {
        assert!(Instant::now() < deadline, "the agent goes on: {seen} files");
        let now = made();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        std::thread::yield_now();
    }
    assert!(seen < FILES, "{seen} files were opened while nobody took their reports");
    kill(supervisor, Signal::CONT);
    assert_eq!(child.wait().unwrap().code(), Some(8));
    assert_eq!(made(), FILES + 1);
    let written = |event: &Value| event["type"] == "file.opened" && event["path_class"] == "workspace" && event["mode"] == "write";
    let ids: BTreeSet<String> = events(&place).iter().filter(|event| written(event)).map(|event| event["file_id"].to_string()).collect();
    assert_eq!(ids.len(), FILES);
}
