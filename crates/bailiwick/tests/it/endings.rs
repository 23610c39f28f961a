//! How sessions end when something goes wrong: nothing fails open, and the record says what happened.

use crate::place::{Place, stderr, stdout, with_argument};
use crate::processes::{children, kill, sleeping, until_gone};
use crate::upstream::Upstream;
use rustix::process::Signal;
use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The cause in the only session's last record, which must be its end.
fn cause(place: &Place) -> String {
    assert!(place.verifies());
    let events = place.events();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "session.ended", "{events:?}");
    last["cause"].as_str().unwrap().to_owned()
}

/// The session's processes in the order in which they were started: warden, gateway, door.
fn parts(child: &Child) -> [i32; 3] {
    let found: Vec<i32> = children(child.id()).into_iter().map(|(pid, _)| pid).collect();
    found.try_into().unwrap()
}

#[test]
fn a_lost_part_ends_the_session_and_is_named() {
    for (part, expected) in [(0, "walls_lost"), (1, "gateway_lost"), (2, "door_lost")] {
        let place = Place::new();
        let mark = format!("82{part}{}", std::process::id());
        let child = sleeping(&place, &mark);
        kill(parts(&child)[part], Signal::KILL);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(125), "{expected}");
        until_gone(&mark);
        assert_eq!(cause(&place), expected);
    }
}

#[test]
fn a_stopped_part_does_not_hold_up_the_end() {
    let place = Place::new();
    let mark = format!("83{}", std::process::id());
    let child = sleeping(&place, &mark);
    let [_, _, door] = parts(&child);
    kill(door, Signal::STOP);
    kill(i32::try_from(child.id()).unwrap(), Signal::TERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    until_gone(&mark);
    assert_eq!(cause(&place), "interrupted");
}

#[test]
fn a_program_that_does_not_start_has_an_end_on_record() {
    let place = Place::new();
    std::fs::write(place.path("workspace").join("broken"), "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(place.path("workspace").join("broken"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(place.bailiwick(&["run", "--", "./broken"]).output().unwrap().status.code(), Some(126));
    assert_eq!(cause(&place), "not_started");
}

#[test]
fn a_call_under_way_when_the_gateway_dies_is_unknown() {
    let place = Place::new();
    // Takes the call and never answers.
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let option = format!("openai=http://{}/v1", upstream.local_addr().unwrap());
    let ask = crate::calls::ask("/v1/chat/completions", &crate::calls::chat("hello"));
    let child = place.session(&["--upstream", &option], &ask).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut call, _) = upstream.accept().unwrap();
    assert!(call.read(&mut [0; 1]).unwrap() > 0);
    kill(parts(&child)[1], Signal::KILL);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(125), "{}", stderr(&output));
    assert_eq!(cause(&place), "gateway_lost");
    assert_eq!(place.acts_of("llm_call")[0]["outcome"], "unknown");
}

#[test]
fn a_killed_supervisor_leaves_a_record_that_verifies_and_has_no_end() {
    let place = Place::new();
    let mark = format!("84{}", std::process::id());
    let mut child = sleeping(&place, &mark);
    child.kill().unwrap();
    child.wait().unwrap();
    until_gone(&mark);
    assert!(place.verifies());
    assert!(stdout(&place.bailiwick(&["evidence", "report"]).output().unwrap()).contains("end not recorded"));
}

#[test]
fn an_agent_whose_reader_went_away_is_told_by_its_pipe() {
    let place = Place::new();
    let mut child = place.session(&["--upstream", "echo"], "exec yes").stdout(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 2]).unwrap();
    drop(out);
    assert_eq!(child.wait().unwrap().code(), Some(128 + 13));
    assert_eq!(cause(&place), "agent_exited");
}

#[test]
fn a_reader_that_does_not_read_holds_up_neither_the_record_nor_a_signal() {
    let place = Place::new();
    let mut child =
        place.session(&["--upstream", "echo"], "head -c 200000 /dev/zero & sleep 1; exit 4").stdout(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let has_ended = || {
        let logs = std::fs::read_dir(place.path("state").join("bailiwick/evidence")).into_iter().flatten().flatten();
        logs.map(|log| std::fs::read_to_string(log.path().join("log.jsonl")).unwrap_or_default()).any(|log| log.contains("session.ended"))
    };
    while !has_ended() {
        assert!(Instant::now() < deadline, "the end is not on record while nobody reads");
        std::thread::yield_now();
    }
    assert_eq!(child.try_wait().unwrap(), None);
    kill(i32::try_from(child.id()).unwrap(), Signal::TERM);
    assert_eq!(child.wait().unwrap().code(), Some(4));
}

/// Runs a script of the host's shell in a mount namespace of its own, where `$1` is a file system of 1 MiB.
fn on_a_small_disk(place: &Place, script: &str, option: &str) -> Option<Output> {
    let state = place.path("state");
    let whole = format!("mount -t tmpfs -o size=1m,mode=0700 small \"$1\" || exit 77\n{script}");
    let bailiwick = env!("CARGO_BIN_EXE_bailiwick");
    let mut command = Command::new("unshare");
    command.args(["--mount", "--user", "--map-root-user", "sh", "-c", &whole, "sh"]).arg(&state).args([bailiwick, option]);
    command.env("XDG_STATE_HOME", &state).current_dir(place.path("workspace")).stdin(Stdio::null());
    let output = command.output().unwrap();
    let is_refused = output.status.code() == Some(77) || stderr(&output).contains("unshare failed");
    if is_refused {
        println!("skipped: mount namespaces are not to be had here: {}", stderr(&output));
    }
    (!is_refused).then_some(output)
}

#[test]
fn a_disk_that_fills_up_ends_the_session_and_lets_no_call_through() {
    let (place, upstream) = (Place::new(), Upstream::start(|_| "{}".to_owned()));
    let option = format!("openai={}/v1", upstream.url);
    let ask = crate::calls::ask("/v1/chat/completions", &crate::calls::chat("hello"));
    std::fs::write(
        place.path("workspace").join("agent"),
        format!("echo up; while ! test -e full; do sleep 0.05; done; for n in $(seq 400); do {ask} done; sleep 60"),
    )
    .unwrap();
    let script = r#"
        "$2" run --upstream "$3" -- sh agent > out 2> err & session=$!
        for turn in $(seq 400); do grep -q up out && break; sleep 0.05; done
        dd if=/dev/zero of="$1/fill" bs=4096 2> /dev/null
        touch full
        wait $session; echo "code $?"
        cat out err
        rm "$1/fill"
        "$2" evidence verify > /dev/null; echo "verified $?"
        "$2" evidence show | grep -c llm_call
    "#;
    let Some(output) = on_a_small_disk(&place, script, &option) else { return };
    let text = stdout(&output);
    assert!(text.contains("code 125"), "{text} {}", stderr(&output));
    assert!(text.contains("was ended, since its evidence could not be kept"), "{text}");
    assert!(text.contains("No space left on device"), "{text}");
    // The log had some room left; what went through in it is on record.
    let recorded = text.rsplit_once("verified 0\n").and_then(|(_, count)| count.trim().parse::<usize>().ok());
    assert!(recorded.is_some_and(|recorded| upstream.received().len() <= recorded && recorded < 400), "{text}");
}

#[test]
fn a_full_disk_starts_no_session_and_leaves_no_log() {
    let place = Place::new();
    let script = r#"
        "$2" run -- true; echo "code $?"
        dd if=/dev/zero of="$1/fill" bs=4096 2> /dev/null
        "$2" run -- sh -c 'echo ran'; echo "full $?"
        rm "$1/fill"
        ls "$1/bailiwick/evidence" | wc -l
        "$2" evidence verify > /dev/null; echo "verified $?"
    "#;
    let Some(output) = on_a_small_disk(&place, script, "") else { return };
    assert_eq!(stdout(&output), "code 0\nfull 125\n1\nverified 0\n", "{}", stderr(&output));
}

#[test]
fn sessions_at_once_and_one_after_another_leave_nothing() {
    let place = Place::new();
    let mark = format!("85{}", std::process::id());
    // Both make the keys. Two may not work in one folder.
    let beside = place.path("elsewhere");
    let both: Vec<Child> = [".", beside.to_str().unwrap()]
        .map(|folder| place.session(&["--workspace", folder], &format!("sleep 0.{mark}")).spawn().unwrap())
        .into();
    for mut child in both {
        assert!(child.wait().unwrap().success());
    }
    for _ in 0..8 {
        assert!(place.run(&[], "true").status.success());
    }
    assert!(place.verifies());
    let state = place.path("state").join("bailiwick");
    assert_eq!(std::fs::read_dir(state.join("sockets")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(state.join("evidence")).unwrap().count(), 10);
    let mut keys: Vec<_> = std::fs::read_dir(state.join("keys")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    keys.sort();
    assert_eq!(keys, ["digest.key", "signing.key", "signing.pub"]);
    assert_eq!(with_argument(&format!("0.{mark}")), 0);
}

#[test]
fn closed_streams_are_no_obstacle() {
    let place = Place::new();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let line = format!("exec {} run -- sh -c 'exit 3' {closed}", env!("CARGO_BIN_EXE_bailiwick"));
        let mut command = Command::new("sh");
        command.args(["-c", &line]).env("XDG_STATE_HOME", place.path("state")).current_dir(place.path("workspace"));
        assert_eq!(command.status().unwrap().code(), Some(3), "{closed}");
    }
}
