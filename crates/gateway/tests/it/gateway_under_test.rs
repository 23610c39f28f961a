//! A gateway with its log, ready to be called.
use evidence::{Handle, Keys, Log, Writer};
use gateway::{Client, Config, Listener, Random, SharedClock, Socket, Upstreams};
use policy::Policy;
use schema::{Clock, Event, SessionId, Subject, Timestamp, Token, Trust};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: 1_768_651_200_000 }
    }
}

pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    pub(crate) log: PathBuf,
    /// Closing it stops the gateway.
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<Result<(), gateway::Error>>>,
    writer: Option<Handle>,
    _folder: tempfile::TempDir,
}

pub(crate) fn subject(name: &str) -> Subject {
    Subject {
        session_id: SessionId::parse(&format!("ses-{name}")).unwrap(),
        user_id: Token::lossy("probe"),
        agent_id: Token::lossy(name),
        purpose: None,
        trust: Trust::SelfKept,
        agent_version: None,
        runtime_digest: None,
    }
}

/// The pilot profile with these upstreams of the user (`KIND=URL`).
pub(crate) fn pilot(upstreams: &[String]) -> Policy {
    let policy = Policy::parse("pilot", policy::builtin("pilot").unwrap()).unwrap();
    upstreams
        .iter()
        .fold(policy, |policy, argument| policy.with_user_upstream(policy::Upstream::parse_argument(argument).unwrap()).unwrap())
}

pub(crate) fn openai(address: SocketAddr) -> String {
    format!("openai=http://{address}")
}

pub(crate) fn anthropic(address: SocketAddr) -> String {
    format!("anthropic=http://{address}")
}

impl Gateway {
    /// For one session, with these upstreams.
    pub(crate) fn of_session(upstreams: &[String]) -> Self {
        Self::start(pilot(upstreams), None, None)
    }

    /// For one registered client.
    pub(crate) fn standalone(upstreams: &[String]) -> Self {
        let clients = vec![Client::new(TOKEN, subject("client")).unwrap()];
        Self::start(pilot(upstreams), Some(clients), None)
    }

    /// With its log in this folder.
    pub(crate) fn logging_to(upstreams: &[String], folder: &Path) -> Self {
        Self::start(pilot(upstreams), None, Some(folder))
    }

    pub(crate) fn start(policy: Policy, clients: Option<Vec<Client>>, log: Option<&Path>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut gateway, config) = Self::configure(listener, policy, clients, log);
        let thread = Some(thread::spawn(move || gateway::serve(config)));
        gateway.thread = thread;
        gateway
    }

    /// Serves on this listener until it refuses to.
    pub(crate) fn try_on(listener: TcpListener, policy: Policy) -> Result<(), gateway::Error> {
        let (_gateway, config) = Self::configure(listener, policy, None, None);
        gateway::serve(config)
    }

    fn configure(listener: TcpListener, policy: Policy, clients: Option<Vec<Client>>, log: Option<&Path>) -> (Self, Config) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(&folder.path().join("keys")).unwrap();
        let digest_key = keys.digest_key().clone();
        let log = log.map_or_else(|| folder.path().join("log"), Path::to_path_buf);
        let mut writer = Writer::new(Log::open(&log, keys, Arc::new(Fixed)).unwrap());
        let evidence = evidence::Client::new(writer.add_client().unwrap()).unwrap();
        let writer = writer.run().unwrap();
        let address = listener.local_addr().unwrap();
        let socket = Socket::Tcp(listener);
        let listener = match clients {
            Some(clients) => Listener::Standalone { socket, clients },
            None => Listener::Session { socket, subject: subject("agent") },
        };
        let keys = |name: &str| (name == "UPSTREAM_KEY").then(|| "vendor-key-of-the-organisation".into());
        let upstreams = Upstreams::prepare(&policy, &std::collections::BTreeMap::new(), &keys).unwrap();
        let random = Random { placeholder_key: [9; 32].into(), request_seed: [1; 8] };
        let (stop, stopped) = UnixStream::pair().unwrap();
        let config = Config {
            listener,
            policy,
            upstreams,
            evidence,
            digest_key,
            random,
            detectors: dlp::Detectors::standard(),
            clock: SharedClock(Arc::new(Fixed)),
            stop: Some(stopped),
        };
        (Self { address, log, stop: Some(stop), thread: None, writer: Some(writer), _folder: folder }, config)
    }

    /// The log's writer goes away while the gateway runs.
    pub(crate) fn lose_evidence(&mut self) {
        drop(self.writer.take().unwrap().shutdown());
    }

    /// What is in the log at this moment.
    pub(crate) fn events(&self) -> Vec<Event> {
        events(&self.log)
    }

    /// Stops the gateway, which waits for the outcome of every call, and reads the log.
    pub(crate) fn stop(mut self) -> Vec<Event> {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap().unwrap();
        if let Some(writer) = self.writer.take() {
            writer.shutdown().unwrap();
        }
        events(&self.log)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

pub(crate) fn events(log: &Path) -> Vec<Event> {
    evidence::read(log).unwrap().map(|record| record.unwrap().event).collect()
}
