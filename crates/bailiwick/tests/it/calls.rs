use crate::place::{Place, stderr, stdout};
use crate::upstream::Upstream;

const PLANTED: [&str; 4] = ["petra.probe@example.org", "DE89 3704 0044 0532 0130 00", "4111 1111 1111 1111", "AKIAQYLPMN5HFIQR7XYA"];

/// Asks the gateway with perl and prints the answer's body.
pub(crate) fn ask(path: &str, body: &str) -> String {
    let body = body.replace('\'', "");
    format!(
        r#"perl -e 'use Socket; socket(S, AF_INET, 1, 0); connect(S, pack_sockaddr_in(4180, inet_aton("127.0.0.1"))); my $b = q({body}); syswrite(S, "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:4180\r\nconnection: close\r\ncontent-length: " . length($b) . "\r\n\r\n$b"); my $all = ""; while (sysread(S, my $got, 4096)) {{ $all .= $got }} $all =~ s/.*?\r\n\r\n//s; print $all'; echo; "#
    )
}

/// An answer of OpenAI's shape that says what it was sent.
fn echo(body: &str) -> String {
    let sent: serde_json::Value = serde_json::from_str(body).unwrap();
    serde_json::json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": sent["messages"][0]["content"]}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 7, "completion_tokens": 9}}).to_string()
}

pub(crate) fn chat(text: &str) -> String {
    serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]}).to_string()
}

#[test]
fn planted_values_never_leave_and_come_back_to_the_agent() {
    let (place, upstream) = (Place::new(), Upstream::start(echo));
    let text = PLANTED.join(" and ");
    let option = format!("openai={}/v1", upstream.url);
    let output = place.run(&["--upstream", &option], &ask("/v1/chat/completions", &chat(&text)));
    for value in PLANTED {
        assert!(stdout(&output).contains(value), "{value} is missing in {}", stdout(&output));
    }
    let received = upstream.received();
    assert_eq!(received.len(), 1);
    for value in PLANTED {
        assert!(!received[0].contains(value), "{value} reached the upstream");
    }
    let call = &place.acts_of("llm_call")[0];
    assert_eq!((call["decision"].as_str(), call["outcome"].as_str()), (Some("redact"), Some("answered")));
    assert_eq!(call["upstream"]["boundary_source"], "user");
    assert_eq!((call["tokens_in"].as_u64(), call["tokens_out"].as_u64()), (Some(7), Some(9)));
    assert!(place.verifies());
}

#[test]
fn the_upstreams_key_stays_with_the_gateway() {
    let (place, upstream) = (Place::new(), Upstream::start(echo));
    let option = format!("openai={}/v1", upstream.url);
    let script = format!("{} env; cat /proc/*/environ", ask("/v1/chat/completions", &chat("hello")));
    let mut command = place.session(&["--upstream", &option, "--upstream-key-env", "VENDOR_KEY"], &script);
    let output = command.env("VENDOR_KEY", "vendor-secret-1234567890").output().unwrap();
    assert!(!stdout(&output).contains("vendor-secret"));
    assert!(upstream.received()[0].contains("authorization: Bearer vendor-secret-1234567890"));
}

#[test]
fn a_call_that_nobody_may_receive_is_refused_and_on_record() {
    let (place, upstream) = (Place::new(), Upstream::start(echo));
    let option = format!("openai={}/v1", upstream.url);
    let image =
        r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#;
    let script = ask("/v1/chat/completions", image) + &ask("/v1/responses", "{}") + &ask("/v1/messages", &chat("hello"));
    let output = place.run(&["--upstream", &option], &script);
    for code in ["policy.no_route", "request.unknown_endpoint"] {
        assert!(stdout(&output).contains(code), "{code} in {}", stdout(&output));
    }
    assert!(upstream.received().is_empty());
    assert_eq!(place.acts_of("llm_call_refused").len(), 3, "{:?}", place.acts());
}

#[test]
fn without_an_upstream_every_call_is_refused() {
    let place = Place::new();
    let output = place.run(&[], &ask("/v1/chat/completions", &chat("hello")));
    assert!(stdout(&output).contains("policy.no_route"), "{} {}", stdout(&output), stderr(&output));
}

#[test]
fn an_upstream_that_is_not_there_is_told_as_not_sent() {
    let place = Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let option = format!("openai=http://127.0.0.1:{port}/v1");
    let output = place.run(&["--upstream", &option], &ask("/v1/chat/completions", &chat("hello")));
    assert!(stdout(&output).contains("upstream.failed"));
    assert_eq!(place.acts_of("llm_call")[0]["outcome"], "not_sent");
}
