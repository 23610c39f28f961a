//! A model's endpoint by hand: keeps every byte that it receives and answers with what it was told to.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

/// A running endpoint. Its threads end with the test's process.
pub(crate) struct Upstream {
    pub(crate) url: String,
    received: Receiver<String>,
}

impl Upstream {
    /// Answers each request with what `answer` makes of its body, as JSON.
    pub(crate) fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read(&mut stream);
                let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                let answer = answer(body);
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    answer.len()
                );
                sender.send(request).unwrap();
                stream.write_all((head + &answer).as_bytes()).unwrap();
            }
        });
        Self { url, received }
    }

    /// All that has arrived.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.try_iter().collect()
    }
}

fn read(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).unwrap();
        bytes.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let wanted =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(|n| n.parse::<usize>().unwrap()));
        if length == 0 || body.len() >= wanted.unwrap_or(0) {
            return text;
        }
    }
}
