//! A gateway for registered clients.
use crate::agent::{exchange, post, post_with};
use crate::gateway_under_test::{Gateway, TOKEN, subject};
use schema::Event;

const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

#[test]
fn without_a_token_nothing_goes() {
    let gateway = Gateway::standalone(&["echo".to_owned()]);
    for headers in ["", "authorization: Bearer wrong\r\n", "x-api-key: wrong\r\n", "authorization: Basic abc\r\n"] {
        let reply = post_with(gateway.address, "/v1/chat/completions", headers, HELLO);
        assert_eq!(reply.status, 401, "{headers}");
        assert!(reply.body.contains("caller.unauthenticated"), "{}", reply.body);
    }
    let models = exchange(gateway.address, b"GET /v1/models HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n");
    assert_eq!(models.status, 401);
    let events = gateway.stop();
    let refused = events.iter().filter(|event| matches!(event, Event::CallRefused(refused) if refused.subject.is_none()));
    assert_eq!(refused.count(), 5, "{events:?}");
}

#[test]
fn other_machines_cannot_reach_it() {
    let listener = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    assert!(!listener.local_addr().unwrap().ip().is_loopback());
    let policy = crate::gateway_under_test::pilot(&["echo".to_owned()]);
    let open = Gateway::try_on(listener, policy);
    assert!(matches!(open, Err(gateway::Error::NotLoopback(_))), "{open:?}");
}

#[test]
fn a_client_calls_and_its_session_is_recorded() {
    let gateway = Gateway::standalone(&["echo".to_owned()]);
    let header = format!("authorization: Bearer {TOKEN}\r\n");
    let reply = post_with(gateway.address, "/v1/chat/completions", &header, HELLO);
    assert_eq!(reply.json()["choices"][0]["message"]["content"], "hello");
    let events = gateway.stop();
    let [Event::SessionStarted(started), Event::CallAuthorised(authorised), Event::CallCompleted(_), Event::SessionEnded(_)] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(started.subject, subject("client"));
    assert_eq!(authorised.subject, subject("client"));
}

#[test]
fn a_session_is_asked_for_no_token_and_probes_cost_no_record() {
    let gateway = Gateway::of_session(&["echo".to_owned()]);
    assert_eq!(exchange(gateway.address, b"HEAD / HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n").status, 200);
    let models = exchange(gateway.address, b"GET /v1/models HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n");
    assert_eq!(models.json()["data"][0]["id"], "user");
    assert_eq!(post(gateway.address, "/v1/chat/completions", HELLO).status, 200);
    assert_eq!(gateway.stop().len(), 2);
}
