//! What an upstream can do wrong: each ends in a stable code for the agent and a true record, and nothing unscreened passes.
use crate::agent::post;
use crate::gateway_under_test::{Gateway, anthropic, openai};
use crate::upstream::{Answer, Upstream};
use schema::event::Outcome;
use schema::{Event, RefusalCode};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};

const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
const STREAM: &str = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
const OPENAI: &str = "/v1/chat/completions";
const ANTHROPIC: &str = "/v1/messages";

/// An upstream that takes a request and answers with these bytes, whatever they are.
fn raw(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.ends_with(b"}") {
                let Ok(count @ 1..) = stream.read(&mut buffer) else { break };
                request.extend_from_slice(&buffer[..count]);
            }
            let _gone = stream.write_all(answer);
        }
    });
    address
}

/// The agent's reply and the record of the call's end.
fn outcome(upstream: SocketAddr, path: &str, body: &str) -> (crate::agent::Reply, Outcome, Option<u16>) {
    let gateway = Gateway::of_session(&[openai(upstream), anthropic(upstream)]);
    let reply = post(gateway.address, path, body);
    let events = gateway.stop();
    let [Event::CallAuthorised(_), Event::CallCompleted(completed)] = &events[..] else { panic!("{events:?}") };
    (reply, completed.outcome, completed.status)
}

fn answered(
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
    path: &str,
    body: &str,
) -> (crate::agent::Reply, Outcome, Option<u16>) {
    outcome(Upstream::answering(answer).address, path, body)
}

#[test]
fn garbage_instead_of_http_is_an_upstream_failure() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"\0\x01\x02\xff\xfe",
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: nine\r\n\r\n{}",
        b"HTTP/9.9 200\r\n\r\n",
    ] {
        let (reply, outcome, status) = outcome(raw(garbage), OPENAI, HELLO);
        assert_eq!((reply.status, outcome, status), (502, Outcome::Broken, None), "{garbage:?}");
        assert!(reply.body.contains("upstream.failed"), "{}", reply.body);
    }
}

#[test]
fn lengths_that_contradict_each_other_are_not_believed() {
    let two = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ncontent-length: 30\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\n{\"a\":1}";
    let (reply, outcome, _) = outcome(raw(two), OPENAI, HELLO);
    assert_eq!((reply.status, outcome), (502, Outcome::Broken));
    let short = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n{\"a\":1}";
    let (reply, outcome, _) = self::outcome(raw(short), OPENAI, HELLO);
    assert_eq!((reply.status, outcome), (502, Outcome::Broken));
    assert!(!reply.body.contains("\"a\""), "{}", reply.body);
}

#[test]
fn redirects_and_upgrades_are_not_followed() {
    let elsewhere = Upstream::answering(|_| Answer::json(r#"{"choices":[]}"#));
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let headers = format!("location: http://{}/v1/chat/completions\r\n", elsewhere.address);
        let answer = move |_: &str| Answer { status, headers: headers.clone(), ..Answer::json("{}") };
        let (reply, outcome, seen) = answered(answer, OPENAI, HELLO);
        assert_eq!((reply.status, outcome, seen), (502, Outcome::UpstreamError, Some(status)), "{}", reply.body);
        assert!(!reply.head.contains("location") && reply.body.contains("upstream.failed"), "{}", reply.head);
    }
    let (reply, outcome, _) =
        outcome(raw(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello"), OPENAI, HELLO);
    assert_eq!(reply.status, 502, "{}", reply.body);
    assert!(matches!(outcome, Outcome::UpstreamError | Outcome::Broken), "{outcome:?}");
    assert_eq!(elsewhere.received().len(), 0);
}

#[test]
fn compressed_answers_are_withheld() {
    for (path, body) in [(OPENAI, HELLO), (OPENAI, STREAM), (ANTHROPIC, HELLO), (ANTHROPIC, STREAM)] {
        for encoding in ["gzip", "br", "zstd", "deflate", "identity, gzip"] {
            let headers = format!("content-type: text/event-stream\r\ncontent-encoding: {encoding}\r\n");
            let answer = move |_: &str| Answer { headers: headers.clone(), ..Answer::json("data: [DONE]\n\n") };
            let (reply, outcome, _) = answered(answer, path, body);
            assert_eq!((reply.status, outcome), (502, Outcome::Broken), "{encoding}");
            assert!(reply.body.contains("upstream.malformed"), "{}", reply.body);
        }
    }
}

#[test]
fn streams_of_garbage_end_with_an_error_event() {
    for path in [OPENAI, ANTHROPIC] {
        for garbage in
            [&b"data: {\"cut\n\n"[..], b"data: <html>\n\n", b"data: \xff\xfe\n\n", b"<html>\n\n data", b"data: {\"a\":1,\"a\":2}\n\n"]
        {
            let answer = move |_: &str| Answer::events(vec![garbage.to_vec()]);
            let (reply, outcome, _) = answered(answer, path, STREAM);
            assert_eq!((reply.status, outcome), (200, Outcome::Broken), "{garbage:?}");
            let codes = [RefusalCode::UpstreamMalformed.name(), RefusalCode::UpstreamFailed.name()];
            assert!(codes.iter().any(|code| reply.body.contains(code)), "{}", reply.body);
            assert!(!reply.body.contains("cut") && !reply.body.contains("\"a\":2"), "{}", reply.body);
        }
    }
}

#[test]
fn an_error_in_the_midst_of_a_stream_reaches_the_agent_and_the_record() {
    let event = b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let start =
        b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n";
    let (reply, outcome, _) = answered(|_| Answer::events(vec![start.to_vec(), event.to_vec()]), ANTHROPIC, STREAM);
    assert_eq!(outcome, Outcome::Broken);
    assert!(reply.body.contains("message_start") && reply.body.contains("overloaded_error"), "{}", reply.body);
}

#[test]
fn an_answer_in_the_other_form_than_asked_for_is_screened_all_the_same() {
    // Some servers stream whatever was asked for, others never do.
    let done = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n";
    let (reply, outcome, _) = answered(move |_| Answer::events(vec![done.into()]), OPENAI, HELLO);
    assert_eq!((reply.status, outcome, reply.body.as_str()), (200, Outcome::Answered, done));
    let (reply, outcome, _) = answered(|_| Answer::json(r#"{"choices":[]}"#), OPENAI, STREAM);
    assert_eq!((reply.status, outcome, reply.body.as_str()), (200, Outcome::Answered, r#"{"choices":[]}"#));
    let (reply, outcome, _) = answered(|_| Answer { status: 204, ..Answer::json("") }, OPENAI, HELLO);
    assert_eq!((reply.status, outcome), (502, Outcome::Broken), "{}", reply.body);
}

#[test]
fn an_answer_larger_than_the_bound_is_cut_off() {
    let piece = "x".repeat(1024 * 1024);
    let count = gateway::limits::ANSWER_BYTES_MAX / piece.len() + 1;
    let answer = move |_: &str| Answer { pieces: vec![piece.clone().into_bytes(); count], ..Answer::json("") };
    let (reply, outcome, _) = answered(answer, OPENAI, HELLO);
    assert_eq!((reply.status, outcome), (502, Outcome::Broken));
    assert!(reply.body.contains("upstream.malformed"), "{}", reply.body);
}
