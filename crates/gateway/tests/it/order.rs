//! Intent is durable before the upstream sees a byte, the outcome before the agent sees the end.
use crate::agent::{connect, post};
use crate::gateway_under_test::{Gateway, anthropic, events, openai};
use crate::upstream::{Answer, Upstream};
use schema::Event;
use schema::event::Outcome;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};

const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;

fn delta(text: &str) -> Vec<u8> {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
    )
    .into_bytes()
}

const DONE: &[u8] = b"data: [DONE]\n\n";

#[test]
fn intent_is_on_the_disk_before_the_upstream_is_reached() {
    let log: Arc<OnceLock<PathBuf>> = Arc::default();
    let seen: Arc<Mutex<Vec<Vec<Event>>>> = Arc::default();
    let (log_there, seen_there) = (Arc::clone(&log), Arc::clone(&seen));
    let watch = move || seen_there.lock().unwrap().push(events(log_there.get().unwrap()));
    let upstream = Upstream::watched(watch, |_| Answer::json(r#"{"choices":[]}"#));
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    log.set(gateway.log.clone()).unwrap();
    assert_eq!(post(gateway.address, "/v1/chat/completions", HELLO).status, 200);
    // And the outcome, before the reply.
    assert!(matches!(gateway.events()[..], [Event::CallAuthorised(_), Event::CallCompleted(_)]));
    let seen = seen.lock().unwrap();
    assert!(matches!(&seen[..], [before] if matches!(before[..], [Event::CallAuthorised(_)])), "{seen:?}");
}

/// Reads until `text` has come.
fn read_until(stream: &mut impl Read, text: &str) -> String {
    let mut read = String::new();
    let mut buffer = [0; 4096];
    while !read.contains(text) {
        let count = stream.read(&mut buffer).unwrap();
        assert!(count > 0, "ended before {text}: {read}");
        read.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    read
}

fn open_stream(gateway: &Gateway) -> std::net::TcpStream {
    let mut stream = connect(gateway.address);
    let length = STREAM.len();
    write!(stream, "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: {length}\r\n\r\n{STREAM}").unwrap();
    stream
}

#[test]
fn a_streams_end_waits_for_its_outcome() {
    let upstream = Upstream::answering(|_| Answer::events(vec![delta("one"), delta("two"), DONE.to_vec()]));
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let mut stream = open_stream(&gateway);
    read_until(&mut stream, "[DONE]");
    let events = gateway.events();
    let Some(Event::CallCompleted(completed)) = events.last() else { panic!("{events:?}") };
    assert_eq!((completed.outcome, completed.status), (Outcome::Answered, Some(200)));
    assert_eq!(completed.answer_bytes, (delta("one").len() + delta("two").len() + DONE.len()) as u64);
}

#[test]
fn a_stream_that_breaks_says_so_and_is_recorded_as_broken() {
    let upstream = Upstream::answering(|_| Answer::events(vec![delta("one")]).breaking());
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let reply = post(gateway.address, "/v1/chat/completions", STREAM);
    assert!(reply.body.contains("one") && reply.body.contains("upstream.failed") && !reply.body.contains("[DONE]"), "{}", reply.body);
    assert!(matches!(gateway.events().last(), Some(Event::CallCompleted(completed)) if completed.outcome == Outcome::Broken));
}

#[test]
fn a_stream_without_the_dialects_end_is_broken() {
    let upstream = Upstream::answering(|_| Answer::events(vec![delta("one")]));
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    assert!(post(gateway.address, "/v1/chat/completions", STREAM).body.contains("upstream.failed"));
    assert!(matches!(gateway.events().last(), Some(Event::CallCompleted(completed)) if completed.outcome == Outcome::Broken));
}

#[test]
fn an_answer_that_breaks_is_withheld() {
    let upstream = Upstream::answering(|_| Answer::json(r#"{"choices":"#).breaking());
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let reply = post(gateway.address, "/v1/chat/completions", HELLO);
    assert!(reply.body.contains("upstream.failed") && !reply.body.contains("choices"), "{}", reply.body);
    assert!(matches!(gateway.events().last(), Some(Event::CallCompleted(completed)) if completed.outcome == Outcome::Broken));
}

#[test]
fn an_agent_that_goes_away_is_recorded() {
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let told = Mutex::new(told);
    // The upstream never ends its answer before the test does.
    let upstream = Upstream::answering(move |_| {
        let _over = told.lock().unwrap().recv();
        Answer::events(vec![delta("late"), DONE.to_vec()])
    });
    let gateway = Gateway::of_session(&[anthropic(upstream.address), openai(upstream.address)]);
    let stream = open_stream(&gateway);
    while upstream.received().is_empty() {
        std::thread::yield_now();
    }
    drop(stream);
    let events = gateway.stop();
    drop(tell);
    let Some(Event::CallCompleted(completed)) = events.last() else { panic!("{events:?}") };
    assert_eq!((completed.outcome, completed.answer_bytes), (Outcome::ClientGone, 0));
}

#[test]
fn an_upstreams_error_keeps_its_status_and_body() {
    for (status, body, shown) in
        [(429, r#"{"error":{"message":"slow down"}}"#, "slow down"), (502, "<html>proxy</html>", "upstream.failed")]
    {
        let upstream = Upstream::answering(move |_| Answer { status, headers: "retry-after: 7\r\n".to_owned(), ..Answer::json(body) });
        let gateway = Gateway::of_session(&[openai(upstream.address)]);
        let reply = post(gateway.address, "/v1/chat/completions", HELLO);
        assert_eq!(reply.status, status);
        assert!(reply.body.contains(shown) && reply.head.contains("retry-after: 7"), "{} {}", reply.head, reply.body);
        let events = gateway.events();
        let Some(Event::CallCompleted(completed)) = events.last() else { panic!("{events:?}") };
        assert_eq!((completed.outcome, completed.status), (Outcome::UpstreamError, Some(status)));
    }
}
