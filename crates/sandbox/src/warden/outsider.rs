use crate::{Error, kernel};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use std::os::fd::OwnedFd;

/// An abstract socket in the session's network that was made outside of its Landlock domain: nobody inside may connect to it.
#[derive(Debug)]
pub(super) struct Outsider {
    _socket: OwnedFd,
    /// As it stands in an address, its leading zero included.
    pub(super) name: String,
}

impl Outsider {
    pub(super) fn listen() -> Result<Self, Error> {
        let name = format!("bailiwick-{}", kernel::random_name().map_err(Error::system("take a random name"))?);
        let socket = make(&name).map_err(Error::errno("make a socket that nobody inside may reach"))?;
        Ok(Self { _socket: socket, name: format!("\0{name}") })
    }
}

fn make(name: &str) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
    listen(&socket, 1)?;
    Ok(socket)
}
