//! The probes of the walls, as a session's record and `doctor` show them.

use crate::place::{Place, stderr, stdout};
use crate::processes::{children, kill, until_gone};
use rustix::process::Signal;
use serde_json::Value;
use std::io::Read;
use std::process::Stdio;

/// Fewest attempts.
const PROBES_MIN: u64 = 42;

fn events(place: &Place) -> Vec<Value> {
    assert!(place.verifies());
    place.events()
}

/// The profile `pilot` with a round of probes each second, as a file.
fn each_second(place: &Place) -> String {
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    assert!(pilot.contains("period_seconds = 300"));
    let path = place.path("elsewhere").join("policy.toml");
    std::fs::write(&path, pilot.replace("period_seconds = 300", "period_seconds = 1")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_record_says_that_every_probe_was_refused_before_the_agent_started() {
    let place = Place::new();
    let output = place.session(&["--upstream", "echo", "--report"], "true").output().unwrap();
    let events = events(&place);
    // Durable with the session's first record: before the agent had opened anything.
    let place_of = |kind: &str| events.iter().position(|event| event["type"] == kind).unwrap();
    let probed = &events[place_of("walls.probed")];
    assert_eq!((place_of("session.started"), probed["occasion"].as_str()), (0, Some("start")));
    assert!(["file.opened", "program.executed"].iter().all(|kind| place_of("walls.probed") < place_of(kind)));
    let (made, refused) = (probed["probes"].as_u64().unwrap(), probed["refused"].as_u64().unwrap());
    assert!(made >= PROBES_MIN && refused == made && probed["failed"].as_array().unwrap().is_empty(), "{probed}");
    assert_eq!(probed["kernel"].as_str().unwrap(), std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim());
    assert_eq!(probed["profile_digest"].as_str().unwrap().len(), 64);
    let told = format!("{made} of {made} refused");
    assert!(stdout(&output).contains(&told) || stderr(&output).contains(&told), "{output:?}");
}

#[test]
fn the_profile_digest_is_that_of_the_walls() {
    let digest = |place: &Place, options: &[&str]| {
        place.session(&[&["--upstream", "echo"], options].concat(), "true").output().unwrap();
        let events = events(place);
        events.iter().find(|event| event["type"] == "walls.probed").unwrap()["profile_digest"].as_str().unwrap().to_owned()
    };
    let places = [Place::new(), Place::new()];
    let [one, other] = places.each_ref().map(|place| digest(place, &[]));
    // Another workspace is another mount.
    assert_ne!(one, other);
}

#[test]
fn a_probe_that_fails_while_the_agent_runs_is_recorded_and_ends_the_session() {
    let place = Place::new();
    let policy = each_second(&place);
    let mark = format!("79{}", std::process::id());
    let script = format!("echo up; exec sleep {mark}");
    let mut command = place.session(&["--upstream", "echo", "--policy", &policy], &script);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
    let warden = children(child.id()).into_iter().find(|(_, name)| name == "bailiwick-walls").unwrap().0;
    let runner = children(warden.unsigned_abs()).into_iter().find(|(_, name)| name == "bailiwick-probe").unwrap().0;
    kill(runner, Signal::KILL);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(125), "{}", stderr(&output));
    assert!(stderr(&output).contains("was ended: wall breached"), "{}", stderr(&output));
    until_gone(&mark);
    let events = events(&place);
    let [.., probed, ended] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&probed["type"], &probed["failed"]), (&"walls.probed".into(), &serde_json::json!(["probe_runner"])));
    assert_eq!((&ended["type"], &ended["cause"]), (&"session.ended".into(), &"wall_breached".into()));
}

#[test]
fn rounds_that_hold_are_recorded_too() {
    let place = Place::new();
    let policy = each_second(&place);
    // The agent waits for more than one round.
    let output = place.session(&["--upstream", "echo", "--policy", &policy], "sleep 2.5").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let events = events(&place);
    let rounds: Vec<_> = events.iter().filter(|event| event["occasion"] == "periodic").collect();
    assert!(!rounds.is_empty() && rounds.iter().all(|round| round["refused"] == round["probes"]), "{rounds:?}");
    assert!(!events.iter().any(|event| event["type"] == "system_call.refused"), "the probes' calls are not the agent's");
}

#[test]
fn doctor_lists_every_probe() {
    let place = Place::new();
    let output = place.bailiwick(&["doctor", "--probes", "--json"]).output().unwrap();
    let found: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let probes = found["probes"].as_array().unwrap();
    let refused = probes.iter().filter(|probe| probe["outcome"] == "refused").count();
    assert!(refused as u64 >= PROBES_MIN, "{probes:?}");
    assert!(probes.iter().all(|probe| ["refused", "unused"].contains(&probe["outcome"].as_str().unwrap())), "{probes:?}");
    assert!(
        stdout(&place.bailiwick(&["doctor", "--probes"]).output().unwrap()).contains(&format!("{refused} of {refused} probes refused"))
    );
    assert_eq!(
        serde_json::from_str::<Value>(&stdout(&place.bailiwick(&["doctor", "--json"]).output().unwrap())).unwrap().get("probes"),
        None
    );
}
