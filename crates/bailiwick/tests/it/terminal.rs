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
