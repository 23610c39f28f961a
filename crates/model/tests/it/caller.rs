//! A server in a thread, and a client that speaks plain HTTP/1.1 to it.

use model::{Error, Limits, serve};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Every pool may have as many threads as this machine gives it.
pub(crate) fn limits() -> Limits {
    Limits { threads: usize::MAX, ..Limits::default() }
}

pub(crate) struct Server {
    socket: PathBuf,
    thread: JoinHandle<Result<(), Error>>,
    _folder: tempfile::TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The data of each event of a stream.
    pub(crate) fn events(&self) -> Vec<&str> {
        self.body.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap()).collect()
    }
}

impl Server {
    /// With the small model.
    pub(crate) fn small(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = super::small_model::in_folder(folder.path());
        Self::start(&model, limits, folder)
    }

    pub(crate) fn of(model: &Path) -> Self {
        Self::start(model, limits(), tempfile::tempdir().unwrap())
    }

    fn start(model: &Path, limits: Limits, folder: tempfile::TempDir) -> Self {
        let socket = folder.path().join("socket");
        let (listener, model) = (UnixListener::bind(&socket).unwrap(), model.to_owned());
        let thread = thread::spawn(move || serve(listener, &model, limits));
        Self { socket, thread, _folder: folder }
    }

    pub(crate) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        stream
    }

    /// Sends a completion and leaves the answer to be read.
    pub(crate) fn begin(&self, body: &Value) -> UnixStream {
        let mut stream = self.connect();
        stream.write_all(request("POST /v1/chat/completions", &body.to_string()).as_bytes()).unwrap();
        stream
    }

    pub(crate) fn complete(&self, body: &Value) -> Reply {
        finish(self.begin(body))
    }

    pub(crate) fn call(&self, line: &str, body: &str) -> Reply {
        let mut stream = self.connect();
        stream.write_all(request(line, body).as_bytes()).unwrap();
        finish(stream)
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }
}

/// A call with one user message.
pub(crate) fn ask(text: &str, answer_tokens: usize) -> Value {
    json!({"messages": [{"role": "user", "content": text}], "max_tokens": answer_tokens})
}

fn request(line: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\nhost: model\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Reads a reply to its end. A server that closes early may reset the rest of what was sent.
pub(crate) fn finish(mut stream: UnixStream) -> Reply {
    let mut bytes = Vec::new();
    let _reset = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("a character was cut");
    let (head, body) = text.split_once("\r\n\r\n").expect("no reply");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = if head.contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_owned() };
    Reply { status, head: head.to_owned(), body }
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((length, more)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        // Each chunk is whole text, or this panics: a character was cut.
        body.push_str(more.get(..length).unwrap());
        rest = more.get(length + 2..).unwrap();
        if length == 0 {
            return body;
        }
    }
    panic!("the stream broke off");
}
