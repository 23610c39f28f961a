//! With a terminal outside there is one inside. `script` (util-linux) makes the one outside.

use crate::place::{Place, stdout};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

fn scripted(place: &Place, inner: &str) -> Command {
    let line = format!("exec {} run --upstream echo -- /bin/sh -c '{inner}'", env!("CARGO_BIN_EXE_bailiwick"));
    let mut command = Command::new("script");
    command.args(["-qefc", &line, "/dev/null"]).env("XDG_STATE_HOME", place.path("state")).current_dir(place.path("workspace"));
    command.env("TERM", "xterm-256color").stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[test]
fn the_agent_has_a_terminal_of_its_own() {
    let place = Place::new();
    let output = scripted(&place, "test -t 0 && test -t 1 && test -t 2 && tty && echo $TERM; exit 9").output().unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert!(stdout(&output).contains("/dev/pts/0\r\nxterm-256color\r\n"), "{:?}", stdout(&output));
}

#[test]
fn control_c_interrupts_what_runs_inside_and_not_the_session() {
    let place = Place::new();
    let mut child = scripted(&place, "trap \"echo caught; exit 6\" INT; echo up; while :; do sleep 0.05; done").spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut input = child.stdin.take().unwrap();
    while !seen.ends_with(b"up\r\n") {
        let mut one = [0];
        out.read_exact(&mut one).unwrap();
        seen.extend(one);
    }
    input.write_all(&[3]).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("caught"), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(6));
}

#[test]
fn the_users_terminal_is_given_back_however_the_session_ends() {
    let place = Place::new();
    let bailiwick = env!("CARGO_BIN_EXE_bailiwick");
    let mark = format!("87{}", std::process::id());
    // The second is ended from outside by its warden's death, the third by a signal.
    let script = format!(
        r#"before=$(stty -g)
        check() {{ test "$before" = "$(stty -g)" && echo same-$1; }}
        # Once the agent sleeps, its supervisor is the one whose arguments end with the mark.
        victim() {{ for turn in $(seq 200); do found=$(pgrep -o -f "run -- sleep {mark}$1\$"); test -n "$found" && pgrep -x sleep -a | grep -q "{mark}$1" && break; sleep 0.05; done; echo $found; }}
        {bailiwick} run -- sh -c 'exit 3'; check exit
        (kill -9 $(pgrep -x bailiwick-walls -P $(victim 1))) & {bailiwick} run -- sleep {mark}1; check walls
        (kill -TERM $(victim 2)) & {bailiwick} run -- sleep {mark}2; check signal"#
    );
    let file = place.path("elsewhere").join("script");
    std::fs::write(&file, script).unwrap();
    let mut command = Command::new("script");
    command.args(["-qefc", &format!("sh {}", file.display()), "/dev/null"]).env("XDG_STATE_HOME", place.path("state"));
    let output = command.current_dir(place.path("workspace")).stdin(Stdio::null()).output().unwrap();
    for ending in ["exit", "walls", "signal"] {
        assert!(stdout(&output).contains(&format!("same-{ending}")), "{ending}: {}", stdout(&output));
    }
}
