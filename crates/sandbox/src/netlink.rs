//! Netlink messages (RFC 3549) written by hand: a socket, a message and its attributes.

use crate::Error;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;

/// The kernel answers well below this.
const ANSWER_BYTES_MAX: usize = 32 << 10;
const HEADER_BYTES: usize = 16;
const ERROR: u16 = 2;
pub(crate) const REQUEST: u16 = 0x1;
pub(crate) const ACK: u16 = 0x4;
pub(crate) const CREATE: u16 = 0x400;
pub(crate) const APPEND: u16 = 0x800;
const NESTED: u16 = 0x8000;

/// A netlink socket in the network namespace of its maker.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl Socket {
    pub(crate) fn open(protocol: Option<Protocol>) -> Result<Self, Error> {
        rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)
            .map(Self)
            .map_err(Error::errno("open a netlink socket"))
    }

    /// Sends a batch and waits for `acknowledgements` answers; the first refusal is the error.
    pub(crate) fn transact(&self, batch: &[u8], acknowledgements: usize) -> io::Result<()> {
        let kernel = SocketAddrNetlink::new(0, 0);
        rustix::net::sendto(&self.0, batch, SendFlags::empty(), &kernel)?;
        let mut buffer = vec![0_u8; ANSWER_BYTES_MAX];
        let mut seen = 0;
        while seen < acknowledgements {
            let (_, length) = rustix::net::recv(&self.0, buffer.as_mut_slice(), RecvFlags::empty())?;
            seen += read_answers(buffer.get(..length).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Counts acknowledgements in one datagram; a refusal is an error.
pub(crate) fn read_answers(mut datagram: &[u8]) -> io::Result<usize> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut seen = 0;
    while !datagram.is_empty() {
        let length = field(datagram, 0).map(u32::from_ne_bytes).and_then(|n| usize::try_from(n).ok()).ok_or_else(malformed)?;
        let kind = field(datagram, 4).map(u16::from_ne_bytes).ok_or_else(malformed)?;
        if length < HEADER_BYTES || length > datagram.len() {
            return Err(malformed());
        }
        if kind == ERROR {
            let code = field(datagram, HEADER_BYTES).map(i32::from_ne_bytes).ok_or_else(malformed)?;
            if code != 0 {
                return Err(io::Error::from_raw_os_error(code.saturating_neg()));
            }
            seen += 1;
        }
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(seen)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Messages one after the other.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    sequence: u32,
}

impl Batch {
    /// Adds a message: its type, flags, fixed header, and attributes.
    pub(crate) fn message(&mut self, kind: u16, flags: u16, header: &[u8], attributes: &Attributes) -> &mut Self {
        let length = HEADER_BYTES + header.len() + attributes.0.len();
        self.sequence += 1;
        self.bytes.extend(u32::try_from(length).unwrap_or(0).to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.sequence.to_ne_bytes());
        self.bytes.extend(0_u32.to_ne_bytes());
        self.bytes.extend(header);
        self.bytes.extend(&attributes.0);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Attributes of a message: type, length, value, padded to four bytes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Attributes(Vec<u8>);

impl Attributes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend(u16::try_from(value.len() + 4).unwrap_or(0).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    pub(crate) fn text(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes)
    }

    pub(crate) fn be32(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    pub(crate) fn append(mut self, other: &Self) -> Self {
        self.0.extend(&other.0);
        self
    }

    pub(crate) fn nest(self, kind: u16, inner: &Self) -> Self {
        self.bytes(kind | NESTED, &inner.0)
    }
}

#[cfg(test)]
mod tests;
