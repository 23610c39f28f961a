//! Ways to services of the host that need nobody far away. What arrives is seen by the services.

use super::{gain, show, told};
use crate::attempt::{Attempt, Scene, a};
use crate::sys::{at, call, gained, into, say};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(400);
const STREAM: usize = 1;
const DATAGRAM: usize = 2;
const RAW: usize = 3;

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("loopback-tcp", |s| tcp(&format!("127.0.0.1:{}", s.tcp))),
    a("loopback-tcp-another-spelling", |s| tcp(&format!("127.1.2.3:{}", s.tcp))),
    a("loopback-tcp-any-address", |s| tcp(&format!("0.0.0.0:{}", s.tcp))),
    a("loopback-tcp6", |s| tcp(&format!("[::1]:{}", s.tcp6))),
    a("loopback-tcp-mapped", |s| tcp(&format!("[::ffff:127.0.0.1]:{}", s.tcp))),
    a("host-tcp", |s| tcp(&format!("{}:{}", host(s), s.tcp))),
    a("loopback-udp", |s| udp("127.0.0.1:0", &format!("127.0.0.1:{}", s.udp))),
    a("host-udp", |s| udp("0.0.0.0:0", &format!("{}:{}", host(s), s.udp))),
    a("broadcast-udp", |s| {
        if let Some(socket) = told("socket", "broadcast", UdpSocket::bind("0.0.0.0:0")) {
            let _allowed = socket.set_broadcast(true);
            told("sendto", "broadcast", socket.send_to(b"leak", format!("255.255.255.255:{}", s.udp)));
        }
    }),
    a("multipath-tcp", |s| by_protocol(262, 2, Ipv4Addr::LOCALHOST, s.tcp)),
    a("multipath-tcp-to-host", |s| by_protocol(262, 2, host(s), s.tcp)),
    a("sctp", |s| by_protocol(132, 2, Ipv4Addr::LOCALHOST, s.tcp)),
    a("fast-open", |s| {
        if let Ok(fd) = call("socket", libc::SYS_socket, &[2, STREAM, 0]) {
            let (address, bytes) = (internet(Ipv4Addr::LOCALHOST, s.tcp), *b"leak");
            let _told = call("sendto", libc::SYS_sendto, &[fd, at(&bytes), 4, 0x2000_0000, at(&address), 16]);
            tried("connect", &s.tcp.to_string());
        }
    }),
    a("raw-socket", |_| socket(2, RAW, 1, "a raw socket")),
    a("raw-socket6", |_| socket(10, RAW, 58, "a raw socket")),
    a("ping-socket", |_| socket(2, DATAGRAM, 1, "a socket for pings")),
    a("packet-socket", |_| socket(17, RAW, 0x0300, "a packet socket")),
    a("virtual-machine-socket", |_| socket(40, STREAM, 0, "a vsock")),
    a("kernel-cryptography", |_| socket(38, 5, 0, "a socket of the kernel's cryptography")),
    a("bluetooth", |_| socket(31, RAW, 1, "a Bluetooth socket")),
    a("express-data-path", |_| socket(44, RAW, 0, "an XDP socket")),
    a("tipc", |_| socket(30, 5, 0, "a TIPC socket")),
    a("rds", |_| socket(21, 5, 0, "an RDS socket")),
    a("key-management", |_| socket(15, RAW, 2, "a socket of IPsec's keys")),
    a("netlink-routes", |_| socket(16, RAW, 0, "netlink")),
    a("netlink-packet-filter", |_| socket(16, RAW, 12, "netlink of the packet filter")),
    a("netlink-audit", |_| socket(16, RAW, 9, "netlink of the audit")),
    a("netlink-connector", |_| socket(16, DATAGRAM, 11, "netlink of the connector")),
    a("interfaces-of-the-host", |_| {
        let devices = std::fs::read_to_string("/proc/net/dev").unwrap_or_default();
        if devices.lines().skip(2).any(|line| !line.trim_start().starts_with("lo:")) {
            gained("an interface besides loopback");
        }
    }),
    a("listen-for-the-host", |s| {
        let Some(listener) = told("bind", "listener", TcpListener::bind(("0.0.0.0", s.tcp.wrapping_add(1)))) else { return };
        // The driver knocks when it reads this.
        say(b"@listening");
        let _waiting = listener.set_nonblocking(true);
        let deadline = std::time::Instant::now() + PATIENCE;
        while std::time::Instant::now() < deadline {
            if listener.accept().is_ok() {
                gained("a visitor from the host");
                return;
            }
            std::thread::yield_now();
        }
    }),
    a("unix-socket-by-path", |s| unix(&s.home("engine.sock"))),
    a("unix-socket-in-shared-folder", |s| unix(Path::new(&format!("/tmp/{}-agent.sock", s.mark)))),
    a("unix-socket-in-workspace", |s| unix(&s.inside("engine.sock"))),
    a("unix-socket-in-workspace-by-relative-name", |_| unix(Path::new("engine.sock"))),
    a("unix-socket-by-link", |s| {
        told("symlinkat", s.inside("sock-link"), std::os::unix::fs::symlink(s.home("engine.sock"), s.inside("sock-link")));
        unix(&s.inside("sock-link"));
    }),
    a("unix-socket-by-root-of-outsider", |s| unix(&s.of_outsider("cwd").join("engine.sock"))),
    a("unix-socket-of-the-environment", |_| {
        if let Some(path) = std::env::var_os("SSH_AUTH_SOCK") {
            unix(Path::new(&path));
        }
    }),
    a("abstract-unix-socket", |s| {
        let address = SocketAddr::from_abstract_name(&s.abstract_name).unwrap();
        if let Some(mut stream) = told("connect", "abstract", UnixStream::connect_addr(&address)) {
            let _bounded = stream.set_read_timeout(Some(PATIENCE));
            exchange(&mut stream);
        }
    }),
    a("unix-datagram", |s| {
        if let Some(socket) = told("socket", "datagram", UnixDatagram::unbound()) {
            told("sendto", "datagram", socket.send_to(b"leak", s.home("log.sock")));
        }
    }),
    a("unix-datagram-in-workspace", |s| {
        if let Some(socket) = told("socket", "datagram", UnixDatagram::unbound()) {
            told("sendto", "datagram", socket.send_to(b"leak", s.inside("log.sock")));
        }
    }),
    a("container-engines", |_| {
        for path in ["/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/dbus/system_bus_socket"] {
            if told("connect", path, UnixStream::connect(path)).is_some() {
                gained(path);
            }
        }
    }),
    a("name-service-cache", |_| {
        for path in ["/run/nscd/socket", "/run/systemd/journal/stdout", "/run/systemd/private", "/tmp/.X11-unix/X0"] {
            if told("connect", path, UnixStream::connect(path)).is_some() {
                gained(path);
            }
        }
    }),
];

fn host(s: &Scene) -> Ipv4Addr {
    s.address.unwrap_or(Ipv4Addr::new(203, 0, 113, 7))
}

fn tcp(address: &str) {
    if let Some(mut stream) = told("connect", address, TcpStream::connect_timeout(&address.parse().unwrap(), PATIENCE)) {
        let _bounded = stream.set_read_timeout(Some(PATIENCE));
        exchange(&mut stream);
        tried("connect", address);
    }
}

fn udp(from: &str, to: &str) {
    let socket = told("socket", to, UdpSocket::bind(from));
    let is_sent = socket.is_some_and(|socket| told("sendto", to, socket.send_to(b"leak", to)).is_some());
    // Behind a wall, loopback is the session's own: an object that is absent there needs no record.
    if is_sent && !to.starts_with("127.") {
        tried("datagram", to);
    }
}

/// Sent without an error: whoever swallowed it has to have put it on record.
fn tried(what: &str, address: &str) {
    say(format!("@tried {what} {}", address.rsplit(':').next().unwrap_or_default()).as_bytes());
}

fn unix(path: &Path) {
    if let Some(mut stream) = told("connect", path, UnixStream::connect(path)) {
        let _bounded = stream.set_read_timeout(Some(PATIENCE));
        exchange(&mut stream);
    }
}

fn exchange(stream: &mut (impl Read + Write)) {
    told("write", "leak", stream.write_all(b"leak"));
    let mut answer = [0_u8; 64];
    if let Ok(length) = stream.read(&mut answer) {
        say(answer.get(..length).unwrap());
    }
}

fn socket(family: usize, kind: usize, protocol: usize, what: &str) {
    gain(what, call("socket", libc::SYS_socket, &[family, kind, protocol]));
}

/// A stream of a protocol that rules for TCP do not know.
fn by_protocol(protocol: usize, family: usize, to: Ipv4Addr, port: u16) {
    let Ok(fd) = call("socket", libc::SYS_socket, &[family, STREAM, protocol]) else { return };
    let (address, bytes) = (internet(to, port), *b"leak");
    if call("connect", libc::SYS_connect, &[fd, at(&address), 16]).is_ok() {
        let _told = call("sendto", libc::SYS_sendto, &[fd, at(&bytes), 4, 0x4000, 0, 0]);
    }
}

/// An address as the kernel takes it.
fn internet(address: Ipv4Addr, port: u16) -> [u8; 16] {
    let ([high, low], [a, b, c, d]) = (port.to_be_bytes(), address.octets());
    [2, 0, high, low, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]
}

/// A service of the host in the workspace hands over an open file: of the key, which no path of the session leads to.
pub(super) fn take_passed_descriptor(s: &Scene) {
    let Some(stream) = told("connect", "pass.sock", UnixStream::connect(s.inside("pass.sock"))) else { return };
    let _bounded = stream.set_read_timeout(Some(PATIENCE));
    let (mut byte, mut control) = ([0_u8; 1], [0_u64; 4]);
    let parts = [into(&mut byte), 1];
    let message = [0, 0, at(&parts), 1, into(&mut control), 32, 0];
    let fd = usize::try_from(std::os::fd::AsRawFd::as_raw_fd(&stream)).unwrap();
    if call("recvmsg", libc::SYS_recvmsg, &[fd, at(&message), 0]).is_ok() {
        // A header of 16 bytes, then the descriptor.
        let [_, _, passed, _] = control;
        show(format!("/proc/self/fd/{}", passed & 0xffff_ffff));
    }
}

/// The host's side of that: hands the file to whoever has come.
pub(crate) fn passes(listener: &UnixListener, file: &std::fs::File) {
    let Ok((stream, _)) = listener.accept() else { return };
    let fd = u64::try_from(std::os::fd::AsRawFd::as_raw_fd(file)).unwrap();
    // SCM_RIGHTS (1) of SOL_SOCKET (1), with one descriptor.
    let (byte, control) = ([0_u8; 1], [20_u64, 1 | (1 << 32), fd]);
    let parts = [at(&byte), 1];
    let message = [0, 0, at(&parts), 1, at(&control), 24, 0];
    let to = usize::try_from(std::os::fd::AsRawFd::as_raw_fd(&stream)).unwrap();
    let _sent = crate::sys::quiet(libc::SYS_sendmsg, &[to, at(&message), 0]);
}
