//! One session's gateway on loopback, without walls: for trying real agents against it.
//!
//! `one_session [--listen 127.0.0.1:PORT] --upstream KIND=URL …` prints its address, serves until standard input ends, and then prints the
//! events of its log, one JSON text a line.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for trying things out stops at what it did not expect"
)]

use gateway::{Config, Listener, Random, SharedClock, Socket, Upstreams};
use schema::{Clock, SessionId, Subject, Timestamp, Token, Trust};
use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

struct Machine;

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp { unix_ms: u64::try_from(since.as_millis()).unwrap() }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let options = |name: &'static str| arguments.windows(2).filter_map(move |pair| (pair.first()? == name).then(|| pair.last())?);
    let folder = tempfile::tempdir().unwrap();
    let keys = evidence::Keys::load_or_create(&folder.path().join("keys")).unwrap();
    let digest_key = keys.digest_key().clone();
    let log = folder.path().join("log");
    let mut writer = evidence::Writer::new(evidence::Log::open(&log, keys, Arc::new(Machine)).unwrap());
    let evidence = evidence::Client::new(writer.add_client().unwrap()).unwrap();
    let writer = writer.run().unwrap();
    let policy = policy::Policy::parse("pilot", policy::builtin("pilot").unwrap()).unwrap();
    let policy = options("--upstream")
        .fold(policy, |policy, argument| policy.with_user_upstream(policy::Upstream::parse_argument(argument).unwrap()).unwrap());
    let upstreams = Upstreams::prepare(&policy, &BTreeMap::new(), &|_| None).unwrap();
    let listener = TcpListener::bind(options("--listen").next().map_or("127.0.0.1:0", String::as_str)).unwrap();
    println!("{}", listener.local_addr().unwrap());
    let subject = Subject {
        session_id: SessionId::parse("ses-trial").unwrap(),
        user_id: Token::lossy("user"),
        agent_id: Token::lossy("agent"),
        purpose: None,
        trust: Trust::SelfKept,
        agent_version: None,
        runtime_digest: None,
    };
    let (stop, stopped) = UnixStream::pair().unwrap();
    std::thread::spawn(move || {
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        drop(stop);
    });
    let mut random = [0; 32];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut random).unwrap();
    gateway::serve(Config {
        listener: Listener::Session { socket: Socket::Tcp(listener), subject },
        policy,
        upstreams,
        evidence,
        digest_key,
        random: Random { placeholder_key: random.into(), request_seed: [1; 8] },
        detectors: dlp::Detectors::standard(),
        clock: SharedClock(Arc::new(Machine)),
        stop: Some(stopped),
    })
    .unwrap();
    writer.shutdown().unwrap();
    for record in evidence::read(&log).unwrap() {
        println!("{}", serde_json::to_string(&record.unwrap().event).unwrap());
    }
}
