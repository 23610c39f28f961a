//! Which programs run in a session, and what is on record of them.

use crate::place::{Place, stderr, stdout};
use std::path::Path;
use std::process::Output;

/// A policy like `pilot`, with other rules about programs.
fn policy(place: &Place, programs: &str) -> String {
    let pilot = stdout(&place.bailiwick(&["policy", "show", "pilot"]).output().unwrap());
    let usual = "[session.programs]\nrule = \"any\"\nworkspace = \"recorded\"\ndebuggers = true\n";
    assert!(pilot.contains(usual));
    let path = place.path("elsewhere").join("policy.toml");
    std::fs::write(&path, pilot.replace(usual, programs)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Only a shell, `cat` and `cp` may run, and nothing of the workspace.
const LISTED: &str = r#"[session.programs]
rule = "listed"
workspace = "refused"
[[session.programs.allowed]]
path = "/bin/sh"
[[session.programs.allowed]]
path = "/usr/bin/cat"
[[session.programs.allowed]]
path = "/usr/bin/cp"
"#;

fn run(place: &Place, programs: &str, script: &str) -> Output {
    place.run(&["--upstream", "echo", "--policy", &policy(place, programs)], script)
}

/// Ways to run `/usr/bin/id`, or a copy of it, which is not listed.
const WAYS: [&str; 6] = [
    "/usr/bin/id",
    "ln -s /usr/bin/id link; cat /dev/null; ./link",
    "/lib64/ld-linux-x86-64.so.2 /usr/bin/id",
    "cp /usr/bin/id copy && ./copy",
    "cp /usr/bin/id /tmp/copy && /tmp/copy",
    "cp /usr/bin/id /tmp/copy && /lib64/ld-linux-x86-64.so.2 /tmp/copy",
];

#[test]
fn what_is_not_listed_does_not_run_whatever_way_leads_to_it() {
    for way in WAYS {
        let place = Place::new();
        let output = run(&place, LISTED, &format!("{way} 2>/dev/null; echo over"));
        assert_eq!(stdout(&output), "over\n", "{way}: {}", stderr(&output));
        // Without the rule the same attempt runs it.
        let place = Place::new();
        let output = place.run(&["--upstream", "echo"], way);
        assert!(stdout(&output).contains("uid="), "{way}: {}", stderr(&output));
    }
}

#[test]
fn a_refused_program_is_on_record() {
    let place = Place::new();
    run(&place, LISTED, "/usr/bin/id; /usr/bin/cat /dev/null");
    let refused = place.acts_of("program_refused");
    assert!(refused.iter().any(|act| act.to_string().contains("not_listed")), "{refused:?}");
    assert!(!place.acts_of("program_executed").is_empty());
    assert!(place.verifies());
}

#[test]
fn an_agent_that_is_not_listed_does_not_start_which_is_on_record() {
    let place = Place::new();
    let policy = policy(&place, "[session.programs]\nrule = \"listed\"\n[[session.programs.allowed]]\npath = \"/usr/bin/cat\"\n");
    let output = place.run(&["--upstream", "echo", "--policy", &policy], "echo ran");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(125), ""), "{}", stderr(&output));
    assert!(stderr(&output).contains("agent_not_listed"), "{}", stderr(&output));
    assert!(place.verifies());
    let text = std::fs::read_to_string(place.log().join("log.jsonl")).unwrap();
    assert!(text.contains("program.refused") && text.contains("agent_not_listed") && !text.contains("session.started"));
}

#[test]
fn an_agent_that_is_not_pinned_does_not_start_which_is_on_record() {
    let pin = |digest: &str| format!("[[session.agents]]\nname = \"sh\"\nsha256 = \"{digest}\"\n[session.programs]\nrule = \"any\"\n");
    let place = Place::new();
    let output = run(&place, &pin(&"0".repeat(64)), "echo ran");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(125), ""), "{}", stderr(&output));
    assert!(stderr(&output).contains("agent_not_pinned"), "{}", stderr(&output));
    assert!(std::fs::read_to_string(place.log().join("log.jsonl")).unwrap().contains("agent_not_pinned"));
    // The same agent with its own digest starts; the digest is in its record.
    let place = Place::new();
    run(&place, "[session.programs]\nrule = \"any\"\n", "true");
    let log = std::fs::read_to_string(place.log().join("log.jsonl")).unwrap();
    let (_, rest) = log.split_once("\"runtime_digest\":\"").unwrap();
    let place = Place::new();
    let output = run(&place, &pin(rest.get(..64).unwrap()), "echo ran");
    assert_eq!(stdout(&output), "ran\n", "{}", stderr(&output));
}

#[test]
fn a_debugger_works_on_its_own_child_where_the_policy_lets_it() {
    if !Path::new("/usr/bin/gdb").exists() {
        println!("skipped: gdb is not installed");
        return;
    }
    let script = "gdb -q -batch -ex 'set startup-with-shell off' -ex 'starti' -ex 'info registers rip' --args /bin/true 2>&1";
    let place = Place::new();
    let output = place.run(&["--upstream", "echo"], script);
    assert!(stdout(&output).contains("rip"), "{}{}", stdout(&output), stderr(&output));
    assert!(!place.acts_of("system_call_observed").is_empty());
    let place = Place::new();
    let output = run(&place, "[session.programs]\nrule = \"any\"\n", script);
    assert!(!stdout(&output).contains("rip  "), "{}", stdout(&output));
}
