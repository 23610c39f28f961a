//! What the server does not answer, and that it goes on.

use crate::caller::{Reply, Server, ask, finish, limits};
use model::Limits;
use serde_json::json;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::time::Instant;

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (status, &json!(code)), "{}", reply.body);
}

#[test]
fn other_paths_and_methods_are_unknown() {
    let server = Server::small(limits());
    let lines =
        ["GET /", "GET /v1/chat/completions", "POST /v1/models", "POST /v1/completions", "POST /v1/chat/completions/", "PUT /v1/models"];
    for line in lines {
        refused(&server.call(line, "{}"), 404, "unknown_endpoint");
    }
}

#[test]
fn a_malformed_body_is_refused_and_not_quoted() {
    let server = Server::small(limits());
    let reply = server.call("POST /v1/chat/completions", "{\"messages\": SECRET}");
    refused(&reply, 400, "malformed_request");
    assert!(!reply.body.contains("SECRET"));
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let server = Server::small(Limits { body_bytes: 1000, ..limits() });
    refused(&server.complete(&ask(&"x".repeat(2000), 1)), 413, "request_too_large");
    // Also when its length is not announced.
    let mut stream = server.connect();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: model\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(format!("{head}7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2000)).as_bytes()).unwrap();
    refused(&finish(stream), 413, "request_too_large");
}

#[test]
fn a_prompt_beyond_the_context_is_refused_before_a_stream_begins() {
    let server = Server::small(limits());
    for words in [2048, 100_000] {
        let mut call = ask(&"x".repeat(words), 1);
        call["stream"] = json!(true);
        refused(&server.complete(&call), 400, "context_length_exceeded");
    }
}

#[test]
fn more_calls_than_the_queue_takes_are_refused() {
    let server = Server::small(Limits { queue: 1, ..limits() });
    // Enough to compute for a while.
    let call = ask(&"x".repeat(900), 100);
    let waiting: Vec<_> = (0..6).map(|_| server.begin(&call)).collect();
    let replies: Vec<Reply> = waiting.into_iter().map(finish).collect();
    let answered = replies.iter().filter(|reply| reply.status == 200).count();
    // One is computed and one waits; a third may have come in between.
    assert!((1..=3).contains(&answered), "{answered} were answered");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        refused(reply, 429, "overloaded");
        assert!(reply.head.contains("retry-after: 1"));
    }
}

#[test]
fn an_answer_stops_when_its_client_goes() {
    let server = Server::small(limits());
    let started = Instant::now();
    let mut call = ask("x", 300);
    assert_eq!(server.complete(&call).json()["usage"]["completion_tokens"], json!(300));
    let alone = started.elapsed();
    for stream in [true, false] {
        call["stream"] = json!(stream);
        let started = Instant::now();
        for _ in 0..12 {
            let mut client = server.begin(&call);
            if stream {
                // Leave while the answer is being computed, not before.
                client.read_exact(&mut [0; 400]).unwrap();
            }
            client.shutdown(Shutdown::Both).unwrap();
        }
        // Until all are done with.
        while server.complete(&ask("x", 1)).status != 200 {}
        let after = started.elapsed();
        assert!(after < alone * 6, "twelve abandoned answers took {after:?}, one whole answer {alone:?}");
    }
}

#[test]
fn hostile_texts_end_no_server() {
    let server = Server::small(limits());
    let texts = [
        "\u{0}".repeat(500),
        " ".repeat(1500),
        "\n \t".repeat(400),
        "<|im_start|>".repeat(100),
        "é\u{301}😀".repeat(150),
        "9".repeat(1500),
    ];
    for text in texts {
        assert_eq!(server.complete(&ask(&text, 2)).status, 200);
    }
    // Nor do bytes that are no HTTP.
    let mut stream = server.connect();
    stream.write_all(b"\x16\x03\x01\x00\xff\r\n\r\n").unwrap();
    drop(stream);
    assert!(server.is_running());
    assert_eq!(server.call("GET /v1/models", "").status, 200);
}
