//! CPU time of the gateway for each call at saturation: 64 keep-alive connections, requests of 1 kB, a real log.
//!
//! `cargo run --release -p gateway --example load [CALLS]` prints the time of each thread with the upstream `echo`. The gateway and its
//! log's writer run in a child process, so the load generator's own time does not count. For comparisons (`scripts/bench-gateway`) the
//! parts also run by themselves: `serve UPSTREAM` is the gateway, `upstream` a tiny server behind it; both print their address.
//! `drive ADDRESS PROCESS CALLS` loads whatever listens there and prints the time of that process.
#![expect(
    clippy::cast_precision_loss,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement stops at what it did not expect"
)]

use gateway::{Config, Listener, Random, SharedClock, Socket, Upstreams};
use schema::{Clock, SessionId, Subject, Timestamp, Token, Trust};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const CONNECTIONS: usize = 64;
/// Of `/proc/PID/task/TID/stat`, on every Linux that Bailiwick runs on.
const TICKS_PER_SECOND: f64 = 100.0;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: 1_768_651_200_000 }
    }
}

fn main() {
    let argument = |place| std::env::args().nth(place).unwrap();
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve(&argument(2)),
        Some("upstream") => upstream(),
        Some("drive") => drive(argument(2).parse().unwrap(), argument(3).parse().unwrap(), argument(4).parse().unwrap()),
        calls => load(calls.and_then(|calls| calls.parse().ok()).unwrap_or(100_000)),
    }
}

fn serve(upstream: &str) {
    let folder = tempfile::tempdir().unwrap();
    let keys = evidence::Keys::load_or_create(&folder.path().join("keys")).unwrap();
    let digest_key = keys.digest_key().clone();
    let mut writer = evidence::Writer::new(evidence::Log::open(&folder.path().join("log"), keys, Arc::new(Fixed)).unwrap());
    let evidence = evidence::Client::new(writer.add_client().unwrap()).unwrap();
    let _writer = writer.run().unwrap();
    let policy = policy::Policy::parse("pilot", policy::builtin("pilot").unwrap()).unwrap();
    let policy = policy.with_user_upstream(policy::Upstream::parse_argument(upstream).unwrap()).unwrap();
    let upstreams = Upstreams::prepare(&policy, &BTreeMap::new(), &|_| None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    let subject = Subject {
        session_id: SessionId::parse("ses-load").unwrap(),
        user_id: Token::lossy("user"),
        agent_id: Token::lossy("agent"),
        purpose: None,
        trust: Trust::SelfKept,
        agent_version: None,
        runtime_digest: None,
    };
    gateway::serve(Config {
        listener: Listener::Session { socket: Socket::Tcp(listener), subject },
        policy,
        upstreams,
        evidence,
        digest_key,
        random: Random { placeholder_key: [9; 32].into(), request_seed: [1; 8] },
        detectors: dlp::Detectors::standard(),
        clock: SharedClock(Arc::new(Fixed)),
        stop: None,
    })
    .unwrap();
}

fn request() -> Vec<u8> {
    let text = "Please look at the build that failed this morning and say which of the last changes is the likely cause of it. ";
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"system","content":"You are a careful engineer."}},{{"role":"user","content":"{}"}}]}}"#,
        text.repeat(8)
    );
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn load(calls: usize) {
    let mut child = Command::new(std::env::current_exe().unwrap()).args(["serve", "echo"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    drive(line.trim().parse().unwrap(), child.id(), calls);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Answers every request with the same small completion, as fast as it can.
fn upstream() {
    let body = r#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"The last change to the build script."},"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":8,"total_tokens":208}}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 16384];
                while read_message(&mut stream, &mut buffer).await.is_some() {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
}

/// Loads a server and prints the time that its process took.
fn drive(address: SocketAddr, process: u32, calls: usize) {
    let request = Arc::new(request());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(address, &request, calls / 10));
    let before = threads(process);
    let start = Instant::now();
    runtime.block_on(run(address, &request, calls));
    let seconds = start.elapsed().as_secs_f64();
    let after = threads(process);
    let rate = calls as f64 / seconds;
    println!("{calls} calls of {} bytes on {CONNECTIONS} connections: {rate:.0} calls/s", request.len());
    let mut total = 0.0;
    for (name, (user, system)) in after {
        let earlier = before.get(&name).copied().unwrap_or_default();
        let micros = |now: u64, then: u64| (now - then) as f64 / TICKS_PER_SECOND * 1e6 / calls as f64;
        let (user, system) = (micros(user, earlier.0), micros(system, earlier.1));
        total += user + system;
        println!("{name:16} {user:6.1} µs user {system:6.1} µs system");
    }
    println!("together         {total:6.1} µs a call");
}

async fn run(address: SocketAddr, request: &Arc<Vec<u8>>, calls: usize) {
    let each = calls / CONNECTIONS;
    let tasks: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(connection(address, Arc::clone(request), each))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn connection(address: SocketAddr, request: Arc<Vec<u8>>, calls: usize) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 16384];
    for _ in 0..calls {
        stream.write_all(&request).await.unwrap();
        read_message(&mut stream, &mut buffer).await.unwrap();
        assert!(buffer.starts_with(b"HTTP/1.1 200"));
    }
}

/// Reads a request or an answer to its end; `None` when there is no more.
async fn read_message(stream: &mut tokio::net::TcpStream, buffer: &mut [u8]) -> Option<()> {
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..]).await.ok().filter(|count| *count > 0)?;
        filled += count;
        let text = std::str::from_utf8(&buffer[..filled]).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse::<usize>().unwrap() {
            return Some(());
        }
    }
}

/// User and system ticks of each thread of a process, by name.
fn threads(process: u32) -> BTreeMap<String, (u64, u64)> {
    let mut threads = BTreeMap::new();
    for task in std::fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let stat = std::fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
        let (head, rest) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let entry: &mut (u64, u64) = threads.entry(head.split_once('(').unwrap().1.to_owned()).or_default();
        entry.0 += fields[11].parse::<u64>().unwrap();
        entry.1 += fields[12].parse::<u64>().unwrap();
    }
    threads
}
