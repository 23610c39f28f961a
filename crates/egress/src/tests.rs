use crate::{DoorConfig, serve};
use evidence::{Client, DigestKey, Handle, Keys, Log, Writer};
use schema::{Clock, Event, SessionId, Timestamp};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::JoinHandle;

struct Noon;
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp { unix_ms: 1_768_651_200_000 }
    }
}

struct Trial {
    redirect: SocketAddr,
    proxy: SocketAddr,
    dns_udp: SocketAddr,
    dns_tcp: SocketAddr,
    stop: UnixStream,
    door: JoinHandle<Result<(), crate::Error>>,
    writer: Handle,
    folder: tempfile::TempDir,
}

impl Trial {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::load_or_create(&folder.path().join("keys")).unwrap();
        let mut writer = Writer::new(Log::open(&folder.path().join("log"), keys, Arc::new(Noon)).unwrap());
        let client = Client::new(writer.add_client().unwrap()).unwrap();
        let writer = writer.run().unwrap();
        let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (redirect, proxy, dns_tcp) = (listener(), listener(), listener());
        let dns_udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (stop, theirs) = UnixStream::pair().unwrap();
        let at =
            (redirect.local_addr().unwrap(), proxy.local_addr().unwrap(), dns_udp.local_addr().unwrap(), dns_tcp.local_addr().unwrap());
        let config = DoorConfig {
            session_id: SessionId::from_random([7; 16]),
            policy: policy::Policy::parse("pilot.toml", policy::builtin("pilot").unwrap()).unwrap(),
            evidence: client,
            digest_key: DigestKey::from_bytes([1; 32]),
            redirect: vec![redirect],
            proxy: vec![proxy],
            dns_udp: vec![dns_udp],
            dns_tcp: vec![dns_tcp],
            original_destination: |_| Ok("[::ffff:203.0.113.5]:443".parse().unwrap()),
            stop: theirs.into(),
        };
        let door = std::thread::spawn(move || serve(config));
        Self { redirect: at.0, proxy: at.1, dns_udp: at.2, dns_tcp: at.3, stop, door, writer, folder }
    }

    fn ask_proxy(&self, request: &[u8]) -> Vec<u8> {
        ask(self.proxy, request)
    }

    /// Stops the door and reads what was recorded.
    fn finish(self) -> Vec<String> {
        drop(self.stop);
        self.door.join().unwrap().unwrap();
        self.writer.shutdown().unwrap();
        let records = evidence::read(&self.folder.path().join("log")).unwrap();
        records.map(|record| brief(&record.unwrap().event)).collect()
    }
}

fn brief(event: &Event) -> String {
    #[expect(clippy::wildcard_enum_match_arm, reason = "any other event fails the comparison")]
    match event {
        Event::ConnectionRefused(e) => format!("{} {} {} {} x{}", e.protocol, e.host, e.port, e.code, e.attempts),
        Event::NameRefused(e) => format!("name {} {} {} x{}", e.name, e.query_type, e.code, e.attempts),
        other => format!("{other:?}"),
    }
}

fn ask(at: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

const QUERY: &[u8] = b"\xab\xcd\x01\x00\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";

#[test]
fn resets_redirected_connections_after_recording_them() {
    let trial = Trial::start();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(trial.redirect).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    let one_and_four = ["tcp 203.0.113.5 443 egress.destination_denied x1", "tcp 203.0.113.5 443 egress.destination_denied x4"];
    assert_eq!(trial.finish(), one_and_four);
}

#[test]
fn refuses_what_the_proxy_port_is_asked() {
    let trial = Trial::start();
    let hostile = trial.ask_proxy(b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n");
    assert!(hostile.starts_with(b"HTTP/1.1 400 "));
    let oversize = trial.ask_proxy(&[b"GET http://a/ HTTP/1.1\r\nX: ".as_slice(), &vec![b'a'; 20_000]].concat());
    assert!(oversize.starts_with(b"HTTP/1.1 400 "));
    assert_eq!(trial.ask_proxy(b"\x16\x03\x01"), b"");
    assert_eq!(trial.ask_proxy(b"CONNECT half.example:1"), b"");
    assert_eq!(trial.ask_proxy(b""), b"", "nothing was asked, so nothing is recorded");
    let answer = String::from_utf8(trial.ask_proxy(b"CONNECT Example.com.:443 HTTP/1.1\r\n\r\n")).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"));
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["code"], "egress.destination_denied");
    assert!(body["rule"].as_str().unwrap().contains("connections.default"));
    assert_eq!(trial.ask_proxy(b"\x05\x01\x00\x05\x01\x00\x03\x04a\0.b\x01\xbb"), b"\x05\xff", "two messages at once");
    assert_eq!(
        trial.finish(),
        [
            "http ~ 0 request.malformed x1",
            "tcp ~ 0 request.malformed x1",
            "http_connect example.com 443 egress.destination_denied x1",
            "socks5 ~ 0 request.malformed x1",
            "http ~ 0 request.malformed x2",
        ]
    );
}

#[test]
fn refuses_socks_requests_by_rule() {
    let trial = Trial::start();
    let mut stream = TcpStream::connect(trial.proxy).unwrap();
    stream.write_all(b"\x05\x01\x00").unwrap();
    let mut method = [0; 2];
    stream.read_exact(&mut method).unwrap();
    assert_eq!(method, [5, 0]);
    stream.write_all(b"\x05\x01\x00\x03\x06127.1.\x00\x16").unwrap();
    let mut reply = [0; 10];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply, crate::socks::REPLY_NOT_ALLOWED);
    drop(stream);
    assert_eq!(trial.finish(), ["socks5 127.0.0.1 22 egress.destination_denied x1"]);
}

#[test]
fn refuses_names_over_both_transports() {
    let trial = Trial::start();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"nonsense", trial.dns_udp).unwrap();
    socket.send_to(QUERY, trial.dns_udp).unwrap();
    let mut answer = [0; 512];
    let (length, _) = socket.recv_from(&mut answer).unwrap();
    assert_eq!(&answer[..4], b"\xab\xcd\x81\x05");
    assert_eq!(&answer[12..length], &QUERY[12..]);
    let framed = [&[0, 29][..], QUERY].concat();
    assert_eq!(ask(trial.dns_tcp, &framed)[2..6], *b"\xab\xcd\x81\x05");
    assert_eq!(
        trial.finish(),
        ["name ~ 0 request.malformed x1", "name example.com 1 egress.name_denied x1", "name example.com 1 egress.name_denied x1"]
    );
}
