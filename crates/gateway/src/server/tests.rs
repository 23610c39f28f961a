//! Patience and crowds, on a clock that runs ahead whenever nothing else happens.
use super::*;
use crate::limits::{ANSWER_HEAD_SECONDS_MAX, ANSWER_PAUSE_SECONDS_MAX, BODIES_BYTES_MAX, BODY_PAUSE_SECONDS_MAX, BODY_SECONDS_MAX};
use crate::upstream::Upstreams;
use schema::event::Outcome;
use schema::{Clock, Event, RefusalCode, SessionId, Subject, Timestamp, Trust};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const HELLO: &str = r#"{"model":"m","stream":true,"messages":[]}"#;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}

/// A gate with its log, and what keeps them.
struct Place {
    gate: Arc<Gate>,
    writer: evidence::Handle,
    log: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new(upstream: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = evidence::Keys::load_or_create(&folder.path().join("keys")).unwrap();
        let digest_key = keys.digest_key().clone();
        let log = folder.path().join("log");
        let mut writer = evidence::Writer::new(evidence::Log::open(&log, keys, Arc::new(Fixed)).unwrap());
        let evidence = evidence::Client::new(writer.add_client().unwrap()).unwrap();
        let user = policy::Upstream::parse_argument(&format!("openai=http://{upstream}")).unwrap();
        let policy = policy::Policy::parse("pilot", policy::builtin("pilot").unwrap()).unwrap().with_user_upstream(user).unwrap();
        let subject = Subject {
            session_id: SessionId::parse("ses-1").unwrap(),
            user_id: Token::lossy("user"),
            agent_id: Token::lossy("agent"),
            purpose: None,
            trust: Trust::SelfKept,
            agent_version: None,
            runtime_digest: None,
        };
        let gate = Gate {
            door: Door::of_session(subject, &[1; 32]),
            upstreams: Upstreams::prepare(&policy, &BTreeMap::new(), &|_| None).unwrap(),
            policy,
            evidence,
            digest_key,
            detectors: dlp::Detectors::standard(),
            clock: Arc::new(Fixed),
            ids: Ids::new([1; 8]),
            own: Own::Unix,
            spares_thoughts: true,
            calls: Gate::calls(),
            bodies_kib: Gate::bodies(),
        };
        Self { gate: Arc::new(gate), writer: writer.run().unwrap(), log, _folder: folder }
    }

    /// An agent's end of a connection.
    fn connect(&self) -> DuplexStream {
        let (agent, served) = tokio::io::duplex(65_536);
        let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        tokio::spawn(connection(Arc::clone(&self.gate), served, permit));
        agent
    }

    /// Sends `bytes` and reads until the gateway closes; also says how many seconds that took.
    async fn exchange(&self, bytes: &str) -> (String, u64) {
        let start = Instant::now();
        let mut agent = self.connect();
        agent.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = String::new();
        agent.read_to_string(&mut answer).await.unwrap();
        (answer, start.elapsed().as_secs())
    }

    fn events(self) -> Vec<Event> {
        self.writer.shutdown().unwrap();
        evidence::read(&self.log).unwrap().map(|record| record.unwrap().event).collect()
    }
}

fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// An upstream that reads a request, says `answer`, and then holds the connection. It lives in the test's own runtime, so that the clock
/// does not run ahead of it.
async fn hanging(answer: &'static str) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(HELLO.as_bytes()) {
            assert!(stream.read_buf(&mut request).await.unwrap() > 0);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    address
}

fn call() -> String {
    format!("POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{HELLO}", HELLO.len())
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_cut_off() {
    let place = Place::new(nobody());
    let (answer, seconds) = place.exchange("POST /v1/messages HTTP/1.1\r\nhost: g\r\n").await;
    assert_eq!((answer.as_str(), seconds), ("", HEAD_SECONDS_MAX));
    assert_eq!(place.events(), []);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_pauses_is_refused() {
    let place = Place::new(nobody());
    let (answer, seconds) = place.exchange(call().strip_suffix('}').unwrap()).await;
    assert!(answer.contains("request.malformed"), "{answer}");
    assert_eq!(seconds, BODY_PAUSE_SECONDS_MAX);
    assert!(matches!(&place.events()[..], [Event::CallRefused(refused)] if refused.code == RefusalCode::Malformed));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_refused() {
    let place = Place::new(nobody());
    let start = Instant::now();
    let mut agent = place.connect();
    agent.write_all(b"POST /v1/messages HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n").await.unwrap();
    // Never a pause that is too long, until there is only one left before the end.
    for _ in 0..BODY_SECONDS_MAX / (BODY_PAUSE_SECONDS_MAX - 1) {
        tokio::time::sleep(Duration::from_secs(BODY_PAUSE_SECONDS_MAX - 1)).await;
        agent.write_all(b" ").await.unwrap();
    }
    let mut answer = String::new();
    agent.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("request.malformed"), "{answer}");
    assert_eq!(start.elapsed().as_secs(), BODY_SECONDS_MAX);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_never_answers_is_given_up() {
    let place = Place::new(hanging("").await);
    let (answer, seconds) = place.exchange(&call()).await;
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("upstream.failed"), "{answer}");
    assert_eq!(seconds, ANSWER_HEAD_SECONDS_MAX);
    let events = place.events();
    assert!(matches!(&events[..], [Event::CallAuthorised(_), Event::CallCompleted(done)] if done.outcome == Outcome::Broken), "{events:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_stops_in_a_stream_is_given_up() {
    let place =
        Place::new(hanging("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {\"choices\":[]}\n\ndata: {\"cho").await);
    let (answer, seconds) = place.exchange(&call()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("upstream.failed") && !answer.contains("\"cho\""), "{answer}");
    assert_eq!(seconds, ANSWER_PAUSE_SECONDS_MAX);
    let events = place.events();
    assert!(matches!(&events[..], [Event::CallAuthorised(_), Event::CallCompleted(done)] if done.outcome == Outcome::Broken), "{events:?}");
}

#[tokio::test]
async fn more_than_the_bounds_at_once_is_refused_as_overload() {
    let place = Place::new(nobody());
    let calls = Arc::clone(&place.gate.calls).acquire_many_owned(CALLS_MAX).await.unwrap();
    let (answer, _) = place.exchange(&call()).await;
    assert!(
        answer.starts_with("HTTP/1.1 503") && answer.contains("gateway.overloaded") && answer.contains("x-should-retry: true"),
        "{answer}"
    );
    drop(calls);
    let kib = u32::try_from(BODIES_BYTES_MAX / 1024).unwrap();
    let bodies = Arc::clone(&place.gate.bodies_kib).acquire_many_owned(kib).await.unwrap();
    let (answer, _) = place.exchange(&call()).await;
    assert!(answer.contains("gateway.overloaded"), "{answer}");
    drop(bodies);
    let events = place.events();
    assert_eq!(events.len(), 2);
    assert!(
        events.iter().all(|event| matches!(event, Event::CallRefused(refused) if refused.code == RefusalCode::Overloaded)),
        "{events:?}"
    );
}
