//! One session of a sandbox, with the runner inside.

use crate::host::{Host, secret};
use crate::result::Said;
use std::fs::File;
use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a sandbox has to come up, an attempt to be over, and a session to end.
const START: Duration = Duration::from_mins(1);
const ATTEMPT: Duration = Duration::from_secs(20);
const END: Duration = Duration::from_secs(20);
const KNOCK: Duration = Duration::from_millis(20);

pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Session {
    /// Starts the sandbox's command with the runner, and waits until the runner is there.
    pub(crate) fn start(host: &Host, command: &[String]) -> Result<Self, String> {
        let program = host.scene.inside("escape-tool").to_string_lossy().into_owned();
        let mut words: Vec<String> = command.iter().map(|word| fill(word, host, &program)).collect();
        words.extend([program, "inside".to_owned(), serde_json::to_string(&host.scene).unwrap()]);
        let (first, rest) = words.split_first().unwrap();
        let complaints = File::options().append(true).create(true).open(host.scratch.join("complaints")).unwrap();
        let mut child = Command::new(first)
            .args(rest)
            .current_dir(&host.scene.workspace)
            .env("HOME", &host.scene.home)
            .env("ESCAPE_SECRET", secret("environment", &host.random))
            .env("SSH_AUTH_SOCK", host.scene.home("engine.sock"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(complaints)
            .spawn()
            .map_err(|error| format!("could not start {first}: {error}"))?;
        let (input, lines) = (child.stdin.take(), crate::watch::lines(child.stdout.take().unwrap()));
        let mut session = Self { child, input, lines };
        if session.line(START, |line| line == "@ready").is_some() {
            return Ok(session);
        }
        session.end();
        Err(format!("the runner did not come up; see {}", host.scratch.join("complaints").display()))
    }

    /// Has one attempt made. None if the session did not live to tell of it.
    pub(crate) fn attempt(&mut self, host: &Host, name: &str) -> Option<Said> {
        let input = self.input.as_mut()?;
        writeln!(input, "{name}").and_then(|()| input.flush()).ok()?;
        let deadline = Instant::now() + ATTEMPT;
        while Instant::now() < deadline {
            match self.lines.recv_timeout(KNOCK) {
                Ok(line) => {
                    if let Ok(said) = serde_json::from_str::<Said>(&line) {
                        return Some(said);
                    }
                }
                // A visitor for an attempt that waits for one; nobody else listens there.
                Err(RecvTimeoutError::Timeout) if name == "listen-for-the-host" => {
                    let _visited = std::net::TcpStream::connect(("127.0.0.1", host.scene.tcp.wrapping_add(1)));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }

    /// Ends the session as an agent's end does, and by force if it does not end.
    pub(crate) fn end(&mut self) {
        self.input = None;
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            let _nothing = self.lines.recv_timeout(KNOCK);
        }
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }

    fn line(&mut self, within: Duration, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
        let deadline = Instant::now() + within;
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
            if is_wanted(&line) {
                return Some(line);
            }
        }
    }
}

fn fill(word: &str, host: &Host, program: &str) -> String {
    word.replace("{workspace}", &host.scene.workspace.to_string_lossy())
        .replace("{home}", &host.scene.home.to_string_lossy())
        .replace("{scratch}", &host.scratch.to_string_lossy())
        .replace("{program}", program)
}
