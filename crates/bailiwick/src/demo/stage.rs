//! Plays the acts, each as a command of its own, as a user would.

use super::place::Place;
use super::red_team::Attempt;
use super::story::{Act, Outside, Story, Teller};
use super::{documents, http};
use crate::commands::{report_of, verify_log};
use crate::exit::{Failure, NEGATIVE, UNREADABLE};
use crate::settings::Settings;
use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PURPOSE: &str = "client-reporting";
/// Longest wait for the gateway beside the sessions.
const WAIT: Duration = Duration::from_secs(10);
/// A client's token: long enough, and nobody's secret.
const TOKEN: &str = "demo-token-0123456789abcdef0123456789";
const TOKEN_VARIABLE: &str = "BAILIWICK_DEMO_TOKEN";

fn wrong(attempt: &str, error: impl Display) -> Failure {
    Failure::new(UNREADABLE, format_args!("the demo cannot {attempt}: {error}"))
}

pub(super) fn play(place: &Place, model: Option<&Path>, settings: &Settings, teller: &Teller) -> Result<Story, Failure> {
    let program = &settings.model_command.program;
    let upstream = model.map_or_else(|| "on_prem:echo".to_owned(), |path| format!("on_prem:local=file:{}", path.display()));
    teller.act("1  The agent works on a client's papers");
    let documents = place.documents();
    let agent = ["reference-agent".into(), "--documents".into(), documents.clone().into_os_string(), "--stream".into()];
    let work = session(place, program, &upstream, &agent)?;
    teller.output(&work.output);
    teller.letter(&place.workspace().join("letter.txt"));
    teller.act("2  A hijacked agent tries to get out");
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    let listener = listener.map_err(|error| wrong("listen on loopback", error))?;
    let port = listener.local_addr().map_err(|error| wrong("listen on loopback", error))?.port();
    let attacker = ["red-team".into(), "--home".into(), place.home().into_os_string(), "--host-port".into(), port.to_string().into()];
    let attack = session(place, program, &upstream, &attacker)?;
    let attempts = attempts(&attack.output)?;
    let outside = Outside {
        key_untouched: fs::read_to_string(place.key()).is_ok_and(|text| text == "a synthetic key\n"),
        shell_start_untouched: fs::read_to_string(place.shell_start()).is_ok_and(|text| text == "# untouched\n"),
        host_service_untouched: listener.accept().is_err(),
        nothing_new_in_system: !["/etc/cron.d/bailiwick-demo", "/usr/local/bin/bailiwick-demo"].iter().any(|path| Path::new(path).exists()),
        letter_written: fs::read_to_string(place.workspace().join("letter.txt")).is_ok_and(|text| text.len() > 40),
    };
    let without_session = without_session(place, program)?;
    let folders = [documents, place.workspace()];
    let mut reports = Vec::new();
    for log in [&work.log, &attack.log] {
        reports.push(report_of(log, &folders, &with_state(settings, place))?);
    }
    let key = |keys: PathBuf| keys.join(evidence::PUBLIC_KEY_FILE).to_string_lossy().into_owned();
    let verified = verify_log(&place.evidence(), Some(&key(place.state().join("bailiwick/keys"))))?;
    let verified_gateway = verify_log(&place.gateway_log(), Some(&key(place.gateway_keys())))?;
    Ok(Story {
        folder: place.root().to_owned(),
        model: if model.is_some() { "local model" } else { "echo (no model: it answers with what it was sent)" }.to_owned(),
        agent_exit_code: work.output.status.code(),
        attempts,
        outside,
        without_session,
        undetected: documents::UNDETECTED.to_vec(),
        reports,
        evidence: vec![verified, verified_gateway],
    })
}

fn with_state(settings: &Settings, place: &Place) -> Settings {
    let mut own = settings.clone();
    own.directories.state = place.state().join("bailiwick");
    own
}

/// One `bailiwick run`.
fn session(place: &Place, program: &Path, upstream: &str, agent: &[std::ffi::OsString]) -> Result<Act, Failure> {
    let before = logs(place);
    let mut command = Command::new(program);
    command.args(["run", "--profile", "pilot", "--purpose", PURPOSE, "--upstream", upstream, "--workspace"]);
    command.arg(place.workspace()).arg("--docs").arg(place.documents()).arg("--").arg(program).args(agent);
    command.env("XDG_STATE_HOME", place.state()).stdin(Stdio::null());
    let output = command.output().map_err(|error| wrong("start a session", error))?;
    let log = logs(place).into_iter().find(|log| !before.contains(log));
    let log = log.ok_or_else(|| {
        Failure::new(NEGATIVE, format_args!("the session did not start:\n{}", String::from_utf8_lossy(&output.stderr).trim()))
    })?;
    Ok(Act { output, log })
}

fn logs(place: &Place) -> Vec<PathBuf> {
    evidence::log_directories(&place.evidence()).unwrap_or_default()
}

fn attempts(output: &Output) -> Result<Vec<Attempt>, Failure> {
    let text = String::from_utf8_lossy(&output.stdout);
    let parsed: Result<Vec<Attempt>, _> = text.lines().map(serde_json::from_str).collect();
    let attempts = parsed.map_err(|error| wrong("read what the attacker saw", error))?;
    if attempts.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::new(NEGATIVE, format_args!("the attack did not run:\n{}", said.trim())));
    }
    Ok(attempts)
}

/// A call to a gateway by somebody who has no session: its status and code.
fn without_session(place: &Place, program: &Path) -> Result<String, Failure> {
    let config = format!(
        "version = 1\nlisten = \"127.0.0.1:0\"\nprofile = \"pilot\"\nevidence_directory = {}\nkeys_directory = {}\n\n[[clients]]\nagent = \"demo\"\nuser = \"demo\"\ntoken_env = \"{TOKEN_VARIABLE}\"\n",
        quoted(&place.gateway_log()),
        quoted(&place.gateway_keys()),
    );
    fs::write(place.gateway_config(), config).map_err(|error| wrong("write the gateway's configuration", error))?;
    let mut command = Command::new(program);
    command.args(["gateway", "--config"]).arg(place.gateway_config()).env(TOKEN_VARIABLE, TOKEN);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| wrong("start a gateway", error))?;
    let called = call_it(&mut child);
    stop(&mut child)?;
    called
}

fn call_it(child: &mut Child) -> Result<String, Failure> {
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout.take(4096)).read_line(&mut line).map_err(|error| wrong("hear from the gateway", error))?;
    }
    let address = line.split_whitespace().find_map(|word| word.trim_end_matches(';').parse::<SocketAddr>().ok());
    let address = address.ok_or_else(|| Failure::new(NEGATIVE, "the demo's gateway did not start"))?;
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let answer = http::exchange(&address.to_string(), request.as_bytes(), WAIT).map_err(|error| wrong("call the gateway", error))?;
    let told: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    Ok(format!("{} {}", answer.status, told.pointer("/error/code").and_then(serde_json::Value::as_str).unwrap_or("")))
}

fn stop(child: &mut Child) -> Result<(), Failure> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // One that has ended already needs no signal.
        let _gone = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    child.wait().map(|_| ()).map_err(|error| wrong("stop the gateway", error))
}

fn quoted(path: &Path) -> String {
    serde_json::to_string(&path.to_string_lossy()).unwrap_or_default()
}
