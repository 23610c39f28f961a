//! The proxy port: reads one head, HTTP or SOCKS5, and refuses it.

use crate::door::Door;
use crate::head::{HEAD_BYTES_MAX, Head, HeadError, HeadKind};
use crate::ledger::Protocol;
use crate::socks::{self, Greeting, Reading};
use policy::Refusal;
use schema::{RefusalCode, Token};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for a whole head, however it drips in.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(10);
/// Longest wait for an answer to be taken, and for the program to close afterwards.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(2);
/// Most bytes that are read and dropped after the answer, so that it is not lost to a reset.
const DISCARD_BYTES_MAX: u64 = 256 * 1024;

pub(crate) async fn refuse(door: Arc<Door>, mut stream: TcpStream) {
    converse(&door, &mut stream).await;
}

/// One conversation: read, record, answer, close.
pub(crate) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(door: &Door, stream: &mut S) {
    let mut received = Vec::new();
    let Some(answer) = read_and_refuse(door, stream, &mut received).await else { return };
    let answered = timeout(ANSWER_WAIT_MAX, async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(DISCARD_BYTES_MAX), &mut tokio::io::sink()).await
    });
    // The refusal stands, whether the program listens or not.
    let _heard = answered.await;
}

async fn read_and_refuse<S: AsyncRead + AsyncWrite + Unpin>(door: &Door, stream: &mut S, received: &mut Vec<u8>) -> Option<Vec<u8>> {
    let Ok(read) = timeout(HEAD_WAIT_MAX, read_request(stream, received)).await else {
        return give_up(door, received).await;
    };
    match read {
        Request::Nothing => give_up(door, received).await,
        Request::Http(Ok(head)) => {
            let protocol = match head.kind {
                HeadKind::Connect => Protocol::HttpConnect,
                HeadKind::Absolute => Protocol::Http,
            };
            door.refuse_connection(protocol, &head.destination).await.ok().map(|refusal| forbidden(&refusal))
        }
        Request::Http(Err(error)) => {
            let protocol = if received.starts_with(b"CONNECT ") { Protocol::HttpConnect } else { Protocol::Http };
            door.refuse_malformed(protocol).await.ok().map(|()| bad_request(error))
        }
        Request::Socks(Ok(destination)) => {
            door.refuse_connection(Protocol::Socks5, &destination).await.ok().map(|_| socks::REPLY_NOT_ALLOWED.to_vec())
        }
        Request::Socks(Err(answer)) => door.refuse_malformed(Protocol::Socks5).await.ok().map(|()| answer.to_vec()),
    }
}

/// For what is no request: recorded if anything was said, never answered.
async fn give_up(door: &Door, received: &[u8]) -> Option<Vec<u8>> {
    let protocol = match received.first()? {
        &socks::VERSION => Protocol::Socks5,
        first if first.is_ascii_alphabetic() => Protocol::Http,
        _ => Protocol::Tcp,
    };
    door.refuse_malformed(protocol).await.ok()?;
    None
}

enum Request {
    /// The program went away, or speaks neither protocol.
    Nothing,
    Http(Result<Head, HeadError>),
    /// The destination, or what to answer.
    Socks(Result<crate::host::Destination, &'static [u8]>),
}

async fn read_request<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, received: &mut Vec<u8>) -> Request {
    loop {
        if !read_more(stream, received, HEAD_BYTES_MAX).await {
            return Request::Nothing;
        }
        match received.first() {
            Some(&socks::VERSION) => return Request::Socks(read_socks(stream, received).await),
            Some(first) if first.is_ascii_alphabetic() => {}
            _ => return Request::Nothing,
        }
        if let Some(head) = Head::length(received).and_then(|length| received.get(..length)) {
            return Request::Http(Head::parse(head));
        }
        if received.len() >= HEAD_BYTES_MAX {
            return Request::Http(Err(HeadError::Header));
        }
    }
}

async fn read_socks<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    received: &mut Vec<u8>,
) -> Result<crate::host::Destination, &'static [u8]> {
    let greeting = loop {
        match Greeting::parse(received) {
            Ok(Reading::Done(greeting)) => break greeting,
            Ok(Reading::Partial) if read_more(stream, received, socks::MESSAGE_BYTES_MAX).await => {}
            Ok(Reading::Partial) | Err(_) => return Err(&socks::METHOD_UNACCEPTABLE),
        }
    };
    if !greeting.offers_none || stream.write_all(&socks::METHOD_NONE).await.is_err() {
        return Err(&socks::METHOD_UNACCEPTABLE);
    }
    received.clear();
    received.reserve(socks::MESSAGE_BYTES_MAX);
    loop {
        match socks::parse_request(received) {
            Ok(Reading::Done(destination)) => return Ok(destination),
            Ok(Reading::Partial) if read_more(stream, received, socks::MESSAGE_BYTES_MAX).await => {}
            Ok(Reading::Partial) | Err(socks::SocksError::Malformed) => return Err(&socks::REPLY_FAILURE),
            Err(socks::SocksError::Host(_)) => return Err(&socks::REPLY_NOT_ALLOWED),
        }
    }
}

/// Reads what is there, up to `bytes_max` in all; false when there is nothing more.
async fn read_more<S: AsyncRead + Unpin>(stream: &mut S, received: &mut Vec<u8>, bytes_max: usize) -> bool {
    let room = bytes_max.saturating_sub(received.len());
    let read = stream.take(room as u64).read_buf(received).await;
    matches!(read, Ok(count) if count > 0)
}

fn forbidden(refusal: &Refusal) -> Vec<u8> {
    let rule = refusal.rules.first().map_or("null".to_owned(), |rule| quoted(Token::as_str(rule)));
    answer("403 Forbidden", refusal.code, &rule, refusal.code.advice())
}

fn bad_request(error: HeadError) -> Vec<u8> {
    answer("400 Bad Request", RefusalCode::Malformed, "null", &error.to_string())
}

fn answer(status: &str, code: RefusalCode, rule_json: &str, advice: &str) -> Vec<u8> {
    let body = format!("{{\"code\":{},\"rule\":{rule_json},\"advice\":{}}}\n", quoted(code.name()), quoted(advice));
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// A JSON string of text that has no control characters: our own words and tokens.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
