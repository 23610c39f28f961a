use crate::Error;
use crate::netlink::{ACK, Attributes, Batch, CREATE, REQUEST, Socket};

/// The first interface of every network namespace.
const LOOPBACK: u32 = 1;
const NEW_LINK: u16 = 16;
const NEW_ROUTE: u16 = 24;
const INTERFACE_UP: u32 = 1;
const TABLE_MAIN: u8 = 254;
const PROTOCOL_STATIC: u8 = 4;
const SCOPE_HOST: u8 = 254;
const TYPE_LOCAL: u8 = 2;
const ATTRIBUTE_OUTPUT_INTERFACE: u16 = 4;

pub(crate) fn raise_loopback() -> Result<(), Error> {
    let socket = Socket::open(None)?;
    // struct ifinfomsg: family, padding, type, index, flags, mask of flags to change.
    let mut header = vec![0_u8; 4];
    for value in [LOOPBACK, INTERFACE_UP, INTERFACE_UP] {
        header.extend(value.to_ne_bytes());
    }
    let mut batch = Batch::default();
    batch.message(NEW_LINK, REQUEST | ACK, &header, &Attributes::new());
    socket.transact(batch.bytes(), 1).map_err(Error::system("bring loopback up"))
}

pub(crate) fn route_everything_here() -> Result<(), Error> {
    let socket = Socket::open(None)?;
    add(&socket, libc::AF_INET).map_err(Error::system("add a local default route for IPv4"))?;
    if super::listeners::has_ipv6() {
        add(&socket, libc::AF_INET6).map_err(Error::system("add a local default route for IPv6"))?;
    }
    Ok(())
}

fn add(socket: &Socket, family: i32) -> std::io::Result<()> {
    let family = u8::try_from(family).unwrap_or(0);
    // struct rtmsg: family, destination and source length, tos, table, protocol, scope, type, flags.
    let header = [family, 0, 0, 0, TABLE_MAIN, PROTOCOL_STATIC, SCOPE_HOST, TYPE_LOCAL, 0, 0, 0, 0];
    let attributes = Attributes::new().bytes(ATTRIBUTE_OUTPUT_INTERFACE, &LOOPBACK.to_ne_bytes());
    let mut batch = Batch::default();
    batch.message(NEW_ROUTE, REQUEST | ACK | CREATE, &header, &attributes);
    socket.transact(batch.bytes(), 1)
}
