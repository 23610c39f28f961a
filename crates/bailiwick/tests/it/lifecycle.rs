use crate::place::{Place, stderr, stdout};
use crate::processes::{children, kill, sleeping, until_gone};
use std::io::Read;
use std::process::Stdio;

#[test]
fn refusals_have_their_exit_codes() {
    let place = Place::new();
    let code = |args: &[&str]| {
        let output = place.bailiwick(args).output().unwrap();
        assert!(!stderr(&output).is_empty());
        output.status.code()
    };
    assert_eq!(code(&["run", "--", "no-such-program"]), Some(127));
    assert_eq!(code(&["run", "--workspace", "/", "--", "true"]), Some(125));
    assert_eq!(code(&["run", "--profile", "regulated", "--purpose", "document-synthesis", "--", "true"]), Some(125));
    assert_eq!(code(&["run", "--profile", "other", "--", "true"]), Some(2));
    assert_eq!(code(&["run", "--upstream", "openai=http://models.example", "--", "true"]), Some(2));
    assert_eq!(code(&["run", "--profile", "regulated", "--upstream", "echo", "--", "true"]), Some(125));
    std::fs::write(place.path("workspace").join("broken"), "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(place.path("workspace").join("broken"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(code(&["run", "--", "./broken"]), Some(126));
}

#[test]
fn the_agents_exit_code_and_streams_are_its_own() {
    let place = Place::new();
    let mut child = place
        .session(&["--upstream", "echo"], "cat; echo error >&2; exit 42")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"from outside").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((stdout(&output).as_str(), stderr(&output).as_str(), output.status.code()), ("from outside", "error\n", Some(42)));
}

#[test]
fn much_output_arrives_whole() {
    let place = Place::new();
    let output = place.run(&["--upstream", "echo"], "head -c 3000000 /dev/zero");
    assert_eq!(output.stdout.len(), 3_000_000);
}

#[test]
fn nothing_outlives_a_killed_supervisor() {
    let place = Place::new();
    let mark = format!("81{}", std::process::id());
    let mut child = sleeping(&place, &mark);
    child.kill().unwrap();
    child.wait().unwrap();
    until_gone(&mark);
}

#[test]
fn a_lost_part_ends_the_session() {
    let mut lost = Vec::new();
    loop {
        let place = Place::new();
        let mark = format!("82{}{}", lost.len(), std::process::id());
        let mut child = sleeping(&place, &mark);
        // The warden, the gateway and the door; process 1, who makes the probes, and the agent; nothing else.
        let mut victims = children(child.id());
        let warden = victims.iter().find(|(_, name)| name == "bailiwick-walls").unwrap().0;
        victims.extend(children(u32::try_from(warden).unwrap()));
        let Some((victim, name)) = victims.get(lost.len()) else {
            child.kill().unwrap();
            child.wait().unwrap();
            break;
        };
        kill(*victim, rustix::process::Signal::KILL);
        let output = child.wait_with_output().unwrap();
        assert_ne!(output.status.code(), Some(0), "{name}");
        until_gone(&mark);
        assert!(place.verifies(), "{name}");
        let log = std::fs::read_to_string(place.log().join("log.jsonl")).unwrap();
        assert!(log.contains("session.ended"), "{name}: {log}");
        lost.push(name.clone());
    }
    assert_eq!(lost.len(), 6, "{lost:?}");
    assert!(["bailiwick-walls", "init", "bailiwick-probe", "sleep"].iter().all(|name| lost.iter().any(|one| one == name)), "{lost:?}");
}

#[test]
fn an_interrupt_reaches_the_agent() {
    let place = Place::new();
    let script = "trap 'echo caught; exit 5' INT; echo up; while :; do sleep 0.05; done";
    let mut child = place.session(&["--upstream", "echo"], script).stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
    kill(i32::try_from(child.id()).unwrap(), rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!((stdout(&output).as_str(), output.status.code()), ("caught\n", Some(5)));
}

#[test]
fn a_stopped_agent_is_ended_by_the_first_signal() {
    use rustix::process::Signal;
    for (stop, signal) in [("STOP", Signal::TERM), ("TSTP", Signal::INT)] {
        let place = Place::new();
        // Once its mate sees it stopped, it says so.
        let script = format!("(until grep -q '^State:.T' /proc/$$/status; do sleep 0.05; done; echo up) & kill -{stop} $$; exit 3");
        let mut child = place.session(&["--upstream", "echo"], &script).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
        kill(i32::try_from(child.id()).unwrap(), signal);
        // It ends by the signal. If it had not gone on, it would be killed when its time to end is over.
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal.as_raw()), "{stop}");
    }
}

#[test]
fn nothing_of_the_caller_comes_along() {
    let place = Place::new();
    let script = "ls /proc/self/fd | tr '\\n' ' '; env; cat /proc/*/environ /proc/*/cmdline";
    let mut command = place.session(&["--upstream", "echo", "--env", "GIVEN=on-purpose"], script);
    let output = command.env("CALLERS_SECRET", "do-not-leak").output().unwrap();
    assert!(stdout(&output).starts_with("0 1 2 3 "), "{}", stdout(&output));
    assert!(!stdout(&output).contains("do-not-leak"));
    assert!(stdout(&output).contains("GIVEN=on-purpose"));
}

#[test]
fn no_process_of_a_session_shows_its_memory_or_variables() {
    if rustix::process::getuid().is_root() {
        println!("skipped: root reads everything; run the tests as an ordinary user too");
        return;
    }
    let place = Place::new();
    let mark = format!("86{}", std::process::id());
    let mut child = sleeping(&place, &mark);
    let parts = children(child.id()).into_iter().map(|(pid, _)| pid);
    for pid in parts.chain([i32::try_from(child.id()).unwrap()]) {
        for file in ["environ", "mem", "maps"] {
            assert!(std::fs::read(format!("/proc/{pid}/{file}")).is_err(), "{file} of {pid}");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    until_gone(&mark);
}

#[test]
fn a_session_that_lasts_too_long_is_ended() {
    let place = Place::new();
    let policy = place.path("elsewhere").join("policy.toml");
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    std::fs::write(&policy, pilot.replace("wall_clock_seconds_max = 259200", "wall_clock_seconds_max = 1")).unwrap();
    let output = place.run(&["--policy", policy.to_str().unwrap(), "--upstream", "echo"], "sleep 60");
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("wall clock"), "{}", stderr(&output));
    assert!(std::fs::read_to_string(place.log().join("log.jsonl")).unwrap().contains("wall_clock"));
}
