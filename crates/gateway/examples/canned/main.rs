//! A scripted upstream for real agents, in both dialects. It keeps every byte that it receives and says whether planted values are among them.
//!
//! ```text
//! canned --listen 127.0.0.1:PORT --record FILE [--plant FILE]
//! ```
//!
//! `--listen` with port 0 takes a free one; the first line of standard output is the address. `--record` is where received bytes are
//! appended, as they came. `--plant` holds the planted values, one a line; for each request a line on standard output says how many
//! of them it held, plain, or behind any escape that JSON allows (`planted=0` is what a gateway must achieve). `GET /canned/report`
//! gives the same as JSON: `{"requests","bytes","planted"}`.
//!
//! The script, decided from each request alone so that any number of agents may talk at once: it takes the first e-mail placeholder of
//! the conversation (or, without a gateway, the first planted value). An agent with tools is told to look into `notes.txt` until it
//! has shown such a value, then to write it into `contact.txt`, then gets a final text. An agent without tools that puts files into
//! its prompt (aider) gets `contact.txt` as a whole file. Streams split words every three characters. Where an agent asks Claude for
//! thinking, the answer begins with a signed thinking block that mentions the value, and a later request that brings it back changed is
//! refused with 400, as the vendor does.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a stand-in for a vendor stops at what it did not expect"
)]

mod anthropic;
mod openai;
mod planted;
mod script;

use planted::Planted;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Largest request that is read, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What came so far.
struct State {
    record: File,
    planted: Planted,
    requests: usize,
    bytes: usize,
    found: usize,
}

/// An answer.
struct Answer {
    status: u16,
    stream: bool,
    body: String,
}

impl Answer {
    fn json(body: &Value) -> Self {
        Self { status: 200, stream: false, body: body.to_string() }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| arguments.iter().position(|argument| argument == name).and_then(|place| arguments.get(place + 1));
    let listener = TcpListener::bind(option("--listen").map_or("127.0.0.1:0", String::as_str)).unwrap();
    let record = File::options().append(true).create(true).open(option("--record").unwrap()).unwrap();
    let planted = Planted::read(option("--plant").map(String::as_str));
    println!("{}", listener.local_addr().unwrap());
    let state = Arc::new(Mutex::new(State { record, planted, requests: 0, bytes: 0, found: 0 }));
    for stream in listener.incoming().flatten() {
        let state = Arc::clone(&state);
        std::thread::spawn(move || while serve(&stream, &state).is_some() {});
    }
}

/// Answers one request; `None` when the connection is over.
fn serve(stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let length = length.map_or(0, |length| length.parse::<usize>().unwrap()).min(BODY_BYTES_MAX);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = head.lines().next()?.to_owned();
    let answer = take(&head, &body, &line, &mut state.lock().unwrap());
    write(stream, &answer, line.starts_with("HEAD ")).ok()
}

/// Keeps a request and finds its answer.
fn take(head: &str, body: &[u8], line: &str, state: &mut State) -> Answer {
    if line.starts_with("GET /canned/report ") {
        return Answer::json(&serde_json::json!({"requests": state.requests, "bytes": state.bytes, "planted": state.found}));
    }
    state.record.write_all(head.as_bytes()).unwrap();
    state.record.write_all(body).unwrap();
    state.record.write_all(b"\r\n\r\n").unwrap();
    let found = state.planted.count(head.as_bytes()) + state.planted.count(body);
    (state.requests, state.bytes, state.found) = (state.requests + 1, state.bytes + head.len() + body.len(), state.found + found);
    println!("{line} bytes={} planted={found}", body.len());
    let path = line.split([' ', '?']).nth(1).unwrap_or_default();
    let Ok(body) = serde_json::from_slice::<Value>(body) else {
        let known = line.starts_with("HEAD ") || path == "/";
        return Answer { status: if known { 200 } else { 400 }, ..Answer::json(&serde_json::json!({"error": {"message": "no JSON"}})) };
    };
    match path {
        "/v1/chat/completions" => openai::answer(&body, &state.planted),
        "/v1/messages" => anthropic::answer(&body, &state.planted),
        "/v1/messages/count_tokens" => Answer::json(&serde_json::json!({"input_tokens": body.to_string().len() / 4})),
        _ => Answer { status: 404, ..Answer::json(&serde_json::json!({"error": {"message": "no such path"}})) },
    }
}

fn write(mut stream: &TcpStream, answer: &Answer, head_only: bool) -> std::io::Result<()> {
    let kind = if answer.stream { "text/event-stream" } else { "application/json" };
    write!(stream, "HTTP/1.1 {} Canned\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n", answer.status, answer.body.len())?;
    if !head_only {
        // In odd parts, as networks do.
        for part in answer.body.as_bytes().chunks(97) {
            stream.write_all(part)?;
        }
    }
    stream.flush()
}
