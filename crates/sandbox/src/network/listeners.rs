use super::{NAME_PORT, REDIRECT_PORT};
use crate::Error;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// How many listeners a door has.
pub(crate) const COUNT: usize = 8;

/// The door's sockets, made inside the session's network, in the order of the fields of [`crate::DoorSockets`]. IPv6 ones are absent on a host without IPv6.
pub(crate) type Listeners = [Option<OwnedFd>; COUNT];

/// Whether this kernel has IPv6 at all (`ipv6.disable=1` takes it away).
pub(crate) fn has_ipv6() -> bool {
    open(AddressFamily::INET6, SocketType::STREAM).is_ok()
}

/// Makes all listeners of a door.
pub(crate) fn listen(gateway_port: u16, proxy_port: u16) -> Result<Listeners, Error> {
    let v4 = |ip, port| SocketAddr::new(IpAddr::V4(ip), port);
    let v6 = |ip, port| SocketAddr::new(IpAddr::V6(ip), port);
    let ipv6 = has_ipv6();
    let six = |address, kind| if ipv6 { bound(address, kind).map(Some) } else { Ok(None) };
    Ok([
        Some(bound(v4(Ipv4Addr::LOCALHOST, gateway_port), SocketType::STREAM)?),
        Some(bound(v4(Ipv4Addr::LOCALHOST, proxy_port), SocketType::STREAM)?),
        Some(bound(v4(Ipv4Addr::LOCALHOST, REDIRECT_PORT), SocketType::STREAM)?),
        six(v6(Ipv6Addr::LOCALHOST, REDIRECT_PORT), SocketType::STREAM)?,
        Some(bound(v4(Ipv4Addr::UNSPECIFIED, NAME_PORT), SocketType::DGRAM)?),
        six(v6(Ipv6Addr::UNSPECIFIED, NAME_PORT), SocketType::DGRAM)?,
        Some(bound(v4(Ipv4Addr::UNSPECIFIED, NAME_PORT), SocketType::STREAM)?),
        six(v6(Ipv6Addr::UNSPECIFIED, NAME_PORT), SocketType::STREAM)?,
    ])
}

fn open(family: AddressFamily, kind: SocketType) -> rustix::io::Result<OwnedFd> {
    rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)
}

fn bound(address: SocketAddr, kind: SocketType) -> Result<OwnedFd, Error> {
    make(address, kind).map_err(Error::errno("listen inside the session's network"))
}

fn make(address: SocketAddr, kind: SocketType) -> rustix::io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = open(family, kind)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    sockopt::set_socket_reuseaddr(&socket, kind == SocketType::STREAM)?;
    rustix::net::bind(&socket, &address)?;
    if kind == SocketType::STREAM {
        rustix::net::listen(&socket, BACKLOG)?;
    }
    Ok(socket)
}
