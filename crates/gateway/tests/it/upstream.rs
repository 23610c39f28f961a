//! An upstream with canned answers. It keeps every byte that it receives, and can split, break off or never answer.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What an upstream does with a request, given its body.
type Script = dyn Fn(&str) -> Answer + Send + Sync;

/// An answer, in the pieces in which it is written.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) pieces: Vec<Vec<u8>>,
    /// Whether the connection breaks in the middle of the body after the pieces.
    pub(crate) breaks: bool,
}

impl Answer {
    pub(crate) fn json(body: &str) -> Self {
        Self { status: 200, headers: "content-type: application/json\r\n".to_owned(), pieces: vec![body.into()], breaks: false }
    }

    pub(crate) fn events(pieces: Vec<Vec<u8>>) -> Self {
        Self { status: 200, headers: "content-type: text/event-stream\r\n".to_owned(), pieces, breaks: false }
    }

    pub(crate) fn breaking(self) -> Self {
        Self { breaks: true, ..self }
    }
}

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub(crate) fn answering(script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::watched(|| (), script)
    }

    /// `on_connect` runs when a connection is there and before one byte of it is read.
    pub(crate) fn watched(on_connect: impl Fn() + Send + Sync + 'static, script: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (script, kept): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&received));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                on_connect();
                let (script, kept) = (Arc::clone(&script), Arc::clone(&kept));
                thread::spawn(move || serve(stream, &*script, &kept));
            }
        });
        Self { address, received }
    }

    /// Everything that came, heads included.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, script: &Script, received: &Mutex<Vec<String>>) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 16384];
    let (head, length) = loop {
        let Ok(count @ 1..) = stream.read(&mut buffer) else { return };
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
            break (head.len() + 4, length.parse::<usize>().unwrap());
        }
    };
    while bytes.len() < head + length {
        let Ok(count @ 1..) = stream.read(&mut buffer) else { break };
        bytes.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8(bytes).unwrap();
    let body = text[head..].to_owned();
    received.lock().unwrap().push(text);
    // A gateway that has given up closes the connection; nothing to do about it here.
    let _gone = write(&mut stream, &script(&body));
}

fn write(stream: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {} Canned\r\n{}transfer-encoding: chunked\r\nconnection: close\r\n\r\n", answer.status, answer.headers)?;
    for piece in &answer.pieces {
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk)?;
        stream.flush()?;
    }
    if !answer.breaks {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(())
}
