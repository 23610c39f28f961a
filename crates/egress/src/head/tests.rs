use super::{Head, HeadError, HeadKind};
use crate::host::HostError;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Head, HeadError> {
    Head::parse(text.as_bytes())
}

#[test]
fn refuses_first_lines_that_ask_no_proxy() {
    for line in [
        "",
        "GET / HTTP/1.1",
        "GET * HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "GET example.com/ HTTP/1.1",
        "GET //example.com/ HTTP/1.1",
        "GET ftp://example.com/ HTTP/1.1",
        "GET file:///etc/passwd HTTP/1.1",
        "GET http:/example.com HTTP/1.1",
        "GET http://example.com/",
        "GET http://example.com/ HTTP/1.1 ",
        " GET http://example.com/ HTTP/1.1",
        "GET  http://example.com/ HTTP/1.1",
        "GET\thttp://example.com/\tHTTP/1.1",
        "GET http://example.com/ HTTP/2.0",
        "GET http://example.com/ HTTP/0.9",
        "GET http://example.com/ http/1.1",
        "PRI * HTTP/2.0",
        "G(T http://example.com/ HTTP/1.1",
        "GET http://example.com/\0 HTTP/1.1",
        "GET http://example.com/\n HTTP/1.1",
        "GET http://example.com/ HTTP/1.1\rX: y",
        "GET http://example.com/ HTTP/1.1\nX: y",
    ] {
        assert_eq!(parse(&format!("{line}\r\n\r\n")), Err(HeadError::RequestLine), "{line:?}");
    }
    assert_eq!(parse("GET http://example.com/ HTTP/1.1\r\n"), Err(HeadError::RequestLine));
}

#[test]
fn refuses_targets_with_no_reading_or_more_than_one() {
    for (line, error) in [
        ("CONNECT example.com HTTP/1.1", HostError::Port),
        ("CONNECT example.com:0 HTTP/1.1", HostError::Port),
        ("CONNECT example.com:443:444 HTTP/1.1", HostError::Port),
        ("CONNECT http://example.com:443 HTTP/1.1", HostError::Port),
        ("CONNECT user@example.com:443 HTTP/1.1", HostError::Alphabet),
        ("CONNECT example.com%00.net:443 HTTP/1.1", HostError::Alphabet),
        ("CONNECT :443 HTTP/1.1", HostError::Empty),
        ("GET http://example.com@evil.net/ HTTP/1.1", HostError::Alphabet),
        ("GET http://evil.net\\@example.com/ HTTP/1.1", HostError::Alphabet),
        ("GET http:///path HTTP/1.1", HostError::Empty),
        ("GET http://a%2f/ HTTP/1.1", HostError::Alphabet),
        ("GET http://1.2.3.4.5/ HTTP/1.1", HostError::Address),
    ] {
        assert_eq!(parse(&format!("{line}\r\n\r\n")), Err(HeadError::Host(error)), "{line}");
    }
}

#[test]
fn refuses_headers_that_two_readers_could_read_differently() {
    for (headers, error) in [
        ("Content-Length: 4\r\nContent-Length: 5", HeadError::Framing),
        ("Content-Length: 4\r\ncontent-length: 4", HeadError::Framing),
        ("Content-Length: 4, 4", HeadError::Framing),
        ("Content-Length: +4", HeadError::Framing),
        ("Content-Length: 0x4", HeadError::Framing),
        ("Content-Length:", HeadError::Framing),
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", HeadError::Framing),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", HeadError::Framing),
        ("Transfer-Encoding: xchunked", HeadError::Framing),
        ("Transfer-Encoding: chunked, identity", HeadError::Framing),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", HeadError::Framing),
        ("Transfer-Encoding: \x0bchunked", HeadError::Header),
        ("Upgrade: h2c", HeadError::Framing),
        ("HTTP2-Settings: AAMAAABk", HeadError::Framing),
        ("Transfer-Encoding : chunked", HeadError::Header),
        (" Host: example.com", HeadError::Header),
        ("X: y\r\n folded", HeadError::Header),
        ("X: y\r\n\tfolded: z", HeadError::Header),
        ("no colon", HeadError::Header),
        (": empty", HeadError::Header),
        ("X: a\0b", HeadError::Header),
        ("X: a\nY: b", HeadError::Header),
        ("X: a\rY: b", HeadError::Header),
        ("Héader: x", HeadError::Header),
        ("Host: evil.net", HeadError::HostMismatch),
        ("Host: example.com:81", HeadError::HostMismatch),
        ("Host: example.com\r\nHost: example.com", HeadError::HostMismatch),
        ("Host: example.com, evil.net", HeadError::Host(HostError::Alphabet)),
        ("Host:", HeadError::Host(HostError::Empty)),
    ] {
        assert_eq!(parse(&format!("GET http://example.com/ HTTP/1.1\r\n{headers}\r\n\r\n")), Err(error), "{headers:?}");
    }
    let many = "X: y\r\n".repeat(101);
    assert_eq!(parse(&format!("GET http://example.com/ HTTP/1.1\r\n{many}\r\n")), Err(HeadError::Header));
}

#[test]
fn reads_tunnels_and_absolute_requests() {
    for (text, kind, host, port) in [
        ("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443", HeadKind::Connect, "example.com", 443),
        ("CONNECT EXAMPLE.com.:443 HTTP/1.1\r\nHost: example.com", HeadKind::Connect, "example.com", 443),
        ("CONNECT 0x7f.1:22 HTTP/1.0", HeadKind::Connect, "127.0.0.1", 22),
        ("CONNECT [::ffff:7f00:1]:22 HTTP/1.1", HeadKind::Connect, "127.0.0.1", 22),
        ("GET http://example.com HTTP/1.1", HeadKind::Absolute, "example.com", 80),
        ("GET HTTP://Example.com?x=1 HTTP/1.1\r\nHOST:\texample.com ", HeadKind::Absolute, "example.com", 80),
        ("POST https://example.com/a@b:c HTTP/1.1\r\nContent-Length: 4", HeadKind::Absolute, "example.com", 443),
        ("POST http://[2001:db8::1]:8080/ HTTP/1.1\r\nTransfer-Encoding: Chunked", HeadKind::Absolute, "2001:db8::1", 8080),
    ] {
        let head = parse(&format!("{text}\r\n\r\n"));
        let found = head.map(|head| (head.kind, head.destination.host.told().to_string(), head.destination.port));
        assert_eq!(found, Ok((kind, host.to_owned(), port)), "{text:?}");
    }
}

#[test]
fn finds_where_a_head_ends() {
    assert_eq!(Head::length(b"GET / HTTP/1.1\r\n\r"), None);
    assert_eq!(Head::length(b"GET / HTTP/1.1\n\n"), None);
    assert_eq!(Head::length(b"A\r\n\r\nB\r\n\r\n"), Some(5));
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Head::parse(&bytes);
        let _ = Head::parse(&[b"GET http://example.com/ HTTP/1.1\r\n", bytes.as_slice(), b"\r\n\r\n"].concat());
        let _ = Head::parse(&[b"CONNECT ", bytes.as_slice(), b" HTTP/1.1\r\n\r\n"].concat());
    }
}
