//! Whatever cannot be sent is refused with a stable code, recorded, and forwarded nowhere.
use crate::agent::{exchange, post, post_with};
use crate::gateway_under_test::{Gateway, anthropic, openai};
use crate::upstream::{Answer, Upstream};
use schema::event::Outcome;
use schema::{Event, RefusalCode};

const CHAT: &str = "/v1/chat/completions";
const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

fn canned() -> Upstream {
    Upstream::answering(|_| Answer::json(r#"{"id":"x","object":"chat.completion","choices":[]}"#))
}

/// The request is refused with this code, in reply and in evidence, and the upstream sees nothing.
fn is_refused(request: impl Fn(&Gateway) -> crate::agent::Reply, status: u16, code: RefusalCode) {
    let upstream = canned();
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    let reply = request(&gateway);
    assert!(reply.body.contains(code.name()), "{} {}", reply.status, reply.body);
    assert_eq!(reply.status, status, "{}", reply.body);
    // The record was durable before the reply.
    let events = gateway.events();
    assert!(matches!(&events[..], [Event::CallRefused(refused)] if refused.code == code), "{events:?}");
    assert_eq!(upstream.received(), Vec::<String>::new());
}

#[test]
fn malformed_bodies() {
    for body in ["", "{", "[]", "null", r#"{"model":"m"}"#, r#"{"model":"m","model":"m","messages":[]}"#, "\u{0}"] {
        is_refused(|gateway| post(gateway.address, CHAT, body), 400, RefusalCode::Malformed);
    }
}

#[test]
fn compressed_bodies() {
    for encoding in ["gzip", "br", "identity, gzip", "zstd"] {
        let header = format!("content-encoding: {encoding}\r\n");
        is_refused(|gateway| post_with(gateway.address, CHAT, &header, HELLO), 415, RefusalCode::Encoded);
    }
}

#[test]
fn oversize_bodies() {
    let announced = format!("POST {CHAT} HTTP/1.1\r\nhost: g\r\ncontent-length: 99999999999\r\n\r\nx");
    is_refused(|gateway| exchange(gateway.address, announced.as_bytes()), 413, RefusalCode::TooLarge);
}

#[test]
fn unknown_paths_and_methods() {
    for line in
        ["POST /v1/responses", "GET /v1/chat/completions", "DELETE /v1/models", "POST /", "POST /v1/messages?q=secret", "PUT /v1/messages"]
    {
        let request = format!("{line} HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        is_refused(|gateway| exchange(gateway.address, request.as_bytes()), 404, RefusalCode::UnknownEndpoint);
    }
}

#[test]
fn calls_that_no_upstream_serves() {
    let body = r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hello"}]}"#;
    is_refused(|gateway| post(gateway.address, "/v1/messages", body), 403, RefusalCode::NoRoute);
}

#[test]
fn content_that_nobody_can_look_into() {
    let body =
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#;
    is_refused(|gateway| post(gateway.address, CHAT, body), 403, RefusalCode::NoRoute);
}

#[test]
fn an_upstream_that_is_not_there() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = Gateway::of_session(&[openai(nobody)]);
    let reply = post(gateway.address, CHAT, HELLO);
    assert!(reply.body.contains("upstream.failed"), "{}", reply.body);
    let events = gateway.stop();
    let [Event::CallAuthorised(_), Event::CallCompleted(completed)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((completed.outcome, completed.status), (Outcome::NotSent, None));
}

#[test]
fn an_answer_that_cannot_be_screened_is_withheld() {
    for answer in ["not json", "{\"cut\":"] {
        let upstream = Upstream::answering(move |_| Answer::json(answer));
        let gateway = Gateway::of_session(&[openai(upstream.address)]);
        let reply = post(gateway.address, CHAT, HELLO);
        assert!(reply.body.contains("upstream.malformed") && !reply.body.contains(answer), "{}", reply.body);
        assert!(matches!(gateway.stop().last(), Some(Event::CallCompleted(completed)) if completed.outcome == Outcome::Broken));
    }
    let upstream = Upstream::answering(|_| Answer { headers: "content-encoding: gzip\r\n".to_owned(), ..Answer::json("{}") });
    let gateway = Gateway::of_session(&[openai(upstream.address)]);
    assert!(post(gateway.address, CHAT, HELLO).body.contains("upstream.malformed"));
}

#[test]
fn nothing_of_the_agents_own_identity_travels() {
    let upstream = canned();
    let mut policy = crate::gateway_under_test::pilot(&[]);
    for kind in [openai, anthropic] {
        let named = policy::Upstream::parse_argument(&kind(upstream.address)).unwrap();
        policy = policy.with_user_upstream(named.with_key(policy::KeySource::Variable("UPSTREAM_KEY".to_owned()))).unwrap();
    }
    let gateway = Gateway::start(policy, None, None);
    let headers = "authorization: Bearer agents-own\r\nx-api-key: agents-own\r\ncookie: agents-own\r\nuser-agent: agents-own\r\n\
                   x-user-id: agents-own\r\nopenai-organization: agents-own\r\nanthropic-version: 2023-06-01\r\nanthropic-beta: b1\r\n";
    post_with(gateway.address, CHAT, headers, HELLO);
    let message = r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"hello"}]}"#;
    post_with(gateway.address, "/v1/messages?beta=true", headers, message);
    let received = upstream.received();
    assert!(received.iter().all(|request| !request.contains("agents-own")), "{received:?}");
    assert!(received[0].contains("authorization: Bearer vendor-key-of-the-organisation\r\n"));
    assert!(received[1].contains("x-api-key: vendor-key-of-the-organisation\r\n") && received[1].contains("anthropic-beta: b1\r\n"));
    assert!(received[1].contains("accept-encoding: identity\r\n"));
}
