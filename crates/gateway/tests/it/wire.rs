//! HTTP as an attacker writes it: requests for others, smuggling, upgrades, huge heads, pipelining, connections that hold on.
use crate::agent::{connect, exchange, parse};
use crate::gateway_under_test::{Gateway, openai};
use crate::upstream::{Answer, Upstream};
use schema::{Event, RefusalCode};
use std::io::{Read, Write};

const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

fn upstream() -> Upstream {
    Upstream::answering(|_| Answer::json(r#"{"choices":[]}"#))
}

/// A request with this target and these header lines.
fn request(target: &str, headers: &str, body: &str) -> String {
    format!("POST {target} HTTP/1.1\r\n{headers}connection: close\r\n\r\n{body}")
}

fn sized(target: &str) -> String {
    request(target, &format!("host: g\r\ncontent-length: {}\r\n", HELLO.len()), HELLO)
}

/// Sends bytes; gives the reply's status, what the upstream received, and what was recorded.
fn after(bytes: &str) -> (u16, Vec<String>, Vec<Event>) {
    let upstream = upstream();
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let reply = exchange(gateway.address, bytes.replace("OWN", &gateway.address.to_string()).as_bytes());
    (reply.status, upstream.received(), gateway.stop())
}

#[test]
fn requests_for_other_hosts_are_refused_and_recorded() {
    for target in
        ["http://api.example.com/v1/chat/completions", "http://127.0.0.1:1/v1/chat/completions", "https://OWN/v1/chat/completions"]
    {
        let (status, received, events) = after(&sized(target));
        assert_eq!((status, received.len()), (403, 0), "{target}");
        assert!(matches!(&events[..], [Event::CallRefused(refused)] if refused.code == RefusalCode::DestinationDenied), "{events:?}");
    }
    let (status, received, events) = after("CONNECT api.example.com:443 HTTP/1.1\r\nhost: api.example.com\r\nconnection: close\r\n\r\n");
    assert_eq!((status, received.len()), (403, 0));
    assert!(matches!(&events[..], [Event::CallRefused(refused)] if refused.code == RefusalCode::DestinationDenied), "{events:?}");
}

#[test]
fn the_absolute_form_of_the_gateways_own_address_is_served() {
    let (status, received, _) = after(&sized("http://OWN/v1/chat/completions"));
    assert_eq!((status, received.len()), (200, 1));
    // What travels is the gateway's own request line and host.
    assert!(received[0].starts_with("POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:"), "{}", received[0]);
}

#[test]
fn a_request_that_two_readers_would_cut_differently_is_refused() {
    let length = HELLO.len();
    let smuggled = "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: 0\r\n\r\n";
    for headers in [
        format!("host: g\r\ncontent-length: {length}\r\ncontent-length: {}\r\n", length - 1),
        format!("host: g\r\ncontent-length: {length}, {}\r\n", length - 1),
        format!("host: g\r\ncontent-length: +{length}\r\n"),
        "host: g\r\ncontent-length: -1\r\n".to_owned(),
        "host: g\r\ntransfer-encoding: chunked, identity\r\n".to_owned(),
        "host: g\r\ntransfer-encoding: xchunked\r\n".to_owned(),
        "host: g\r\ntransfer-encoding : chunked\r\n".to_owned(),
        format!("host: g\r\nx: a\r\n folded\r\ncontent-length: {length}\r\n"),
        format!("host: a\r\nhost: b\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\n"),
    ] {
        let (status, received, _) = after(&request("/v1/chat/completions", &headers, &format!("{HELLO}{smuggled}")));
        assert_eq!((status, received.len()), (400, 0), "{headers}");
    }
    let old =
        format!("POST /v1/chat/completions HTTP/1.0\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\n{length:x}\r\n{HELLO}\r\n0\r\n\r\n");
    assert_eq!(after(&old).1.len(), 0);
}

#[test]
fn of_length_and_chunks_only_the_chunks_count_and_travel_reframed() {
    let chunks = format!("{:x}\r\n{HELLO}\r\n0\r\n\r\n", HELLO.len());
    let headers = "host: g\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n";
    let (status, received, _) = after(&request("/v1/chat/completions", headers, &chunks));
    assert_eq!((status, received.len()), (200, 1));
    let (head, body) = received[0].split_once("\r\n\r\n").unwrap();
    assert!(body == HELLO && head.contains(&format!("content-length: {}", HELLO.len())) && !head.contains("transfer-encoding"), "{head}");
}

#[test]
fn no_upgrade_leads_to_another_protocol() {
    for upgrade in ["h2c", "websocket"] {
        let headers = format!("host: g\r\nupgrade: {upgrade}\r\nhttp2-settings: AAMAAABkAAQAAP__\r\ncontent-length: {}\r\n", HELLO.len());
        let request =
            request("/v1/chat/completions", &headers, HELLO).replace("connection: close", "connection: close, upgrade, http2-settings");
        let (status, received, _) = after(&request);
        assert_eq!((status, received.len()), (200, 1), "served as it is, without the upgrade");
        assert!(!received[0].to_ascii_lowercase().contains("upgrade") && !received[0].contains("http2-settings"), "{}", received[0]);
    }
    let upstream = upstream();
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let mut stream = connect(gateway.address);
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{answer:?}");
    assert_eq!(upstream.received().len(), 0);
}

#[test]
fn heads_beyond_the_bounds_are_refused() {
    let long = format!("host: g\r\nx: {}\r\ncontent-length: {}\r\n", "a".repeat(2 * gateway::limits::HEAD_BYTES_MAX), HELLO.len());
    let many = format!("host: g\r\n{}content-length: {}\r\n", "x: a\r\n".repeat(gateway::limits::HEADERS_MAX), HELLO.len());
    for headers in [long, many] {
        let (status, received, _) = after(&request("/v1/chat/completions", &headers, HELLO));
        assert_eq!((status, received.len()), (431, 0));
    }
    let (status, received, _) = after(&sized(&format!("/v1/chat/completions?{}", "a".repeat(2 * gateway::limits::HEAD_BYTES_MAX))));
    assert!(matches!(status, 414 | 431) && received.is_empty(), "{status}");
}

#[test]
fn pipelined_requests_are_answered_in_order_one_after_the_other() {
    let upstream = Upstream::answering(Answer::json);
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let mut both = String::new();
    for (number, last) in [(1, "keep-alive"), (2, "close")] {
        let body = format!(r#"{{"model":"m","number":{number},"messages":[]}}"#);
        let length = body.len();
        both.push_str(&request("/v1/chat/completions", &format!("host: g\r\ncontent-length: {length}\r\n"), &body).replace("close", last));
    }
    let mut stream = connect(gateway.address);
    stream.write_all(both.as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let second = answers.rfind("HTTP/1.1 ").unwrap();
    let (one, two) = answers.split_at(second);
    assert!(one.contains("\"number\":1") && parse(two.as_bytes()).body.contains("\"number\":2"), "{answers}");
    assert_eq!(upstream.received().len(), 2);
}

#[test]
fn a_client_that_waits_to_be_told_to_go_on_is_told() {
    let upstream = upstream();
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let mut stream = connect(gateway.address);
    let length = HELLO.len();
    let head = format!("host: g\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n");
    stream.write_all(request("/v1/chat/completions", &head, "").as_bytes()).unwrap();
    let mut buffer = [0; 64];
    let count = stream.read(&mut buffer).unwrap();
    assert!(buffer[..count].starts_with(b"HTTP/1.1 100 "));
    assert_eq!(upstream.received().len(), 0);
    stream.write_all(HELLO.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(parse(&answer).status, 200);
}

#[test]
fn a_body_shorter_than_announced_is_not_forwarded() {
    let upstream = upstream();
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let mut stream = connect(gateway.address);
    write!(stream, "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-length: {}\r\n\r\n{HELLO}", HELLO.len() + 1).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _answer = stream.read_to_end(&mut Vec::new());
    let events = gateway.stop();
    assert!(matches!(&events[..], [Event::CallRefused(refused)] if refused.code == RefusalCode::Malformed), "{events:?}");
    assert_eq!(upstream.received().len(), 0);
}

#[test]
fn more_connections_than_the_bound_wait_until_one_ends() {
    let upstream = upstream();
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let mut held: Vec<_> = (0..gateway::limits::CONNECTIONS_MAX).map(|_| connect(gateway.address)).collect();
    // Each has proved that it is served.
    for stream in &mut held {
        stream.write_all(b"HEAD / HTTP/1.1\r\nhost: g\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 512]).unwrap() > 0);
    }
    let mut waiting = connect(gateway.address);
    waiting.write_all(sized("/v1/chat/completions").as_bytes()).unwrap();
    waiting.set_read_timeout(Some(std::time::Duration::from_millis(200))).unwrap();
    assert!(waiting.read(&mut [0; 512]).is_err());
    held.pop();
    waiting.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let mut answer = Vec::new();
    waiting.read_to_end(&mut answer).unwrap();
    assert_eq!(parse(&answer).status, 200);
}
