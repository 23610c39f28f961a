use crate::Error;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

/// Most descriptors in one message.
pub const DESCRIPTORS_MAX: usize = 24;

const RECEIVE: &str = "receive a message";
const CONTROL_BYTES: usize = rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX));

/// What [`recv_fds`] took.
#[derive(Debug)]
pub struct Received {
    /// Bytes of the message; 0 with no descriptors means that the other side is gone.
    pub bytes: usize,
    /// Its descriptors, close-on-exec.
    pub descriptors: Vec<OwnedFd>,
}

/// A connected pair of message sockets, close-on-exec.
///
/// # Errors
/// [`Error::System`] if the kernel has no descriptor left.
pub fn socketpair_seqpacket() -> Result<(OwnedFd, OwnedFd), Error> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(Error::errno("make a pair of sockets"))
}

/// Sends one message with descriptors (at most [`DESCRIPTORS_MAX`]) over a message socket.
///
/// # Errors
/// [`Error::System`] if the other side is gone or the message is too large; [`Error::Message`] for too many descriptors.
pub fn send_fds(socket: BorrowedFd<'_>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Error> {
    let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if descriptors.len() > DESCRIPTORS_MAX || (!descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors))) {
        return Err(Error::Message { problem: "too many descriptors at once" });
    }
    let sent = rustix::io::retry_on_intr(|| sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL))
        .map_err(Error::errno("send a message"))?;
    if sent == bytes.len() { Ok(()) } else { Err(Error::Message { problem: "it was sent in part only" }) }
}

/// Receives one message with its descriptors from a message socket. A message that does not fit is an error, never a part.
///
/// # Errors
/// [`Error::System`] if nothing can be received; [`Error::Message`] if the message was larger than `buffer` or had too many descriptors.
pub fn recv_fds(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Received, Error> {
    receive(socket, buffer, RecvFlags::empty())?.map_err(Error::errno(RECEIVE))
}

/// As [`recv_fds`], but none if no message waits.
///
/// # Errors
/// As [`recv_fds`].
pub fn recv_fds_at_once(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<Option<Received>, Error> {
    match receive(socket, buffer, RecvFlags::DONTWAIT)? {
        Ok(received) => Ok(Some(received)),
        Err(Errno::AGAIN) => Ok(None),
        Err(errno) => Err(Error::errno(RECEIVE)(errno)),
    }
}

fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: RecvFlags) -> Result<rustix::io::Result<Received>, Error> {
    let mut space = [MaybeUninit::uninit(); CONTROL_BYTES];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received =
        rustix::io::retry_on_intr(|| recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut control, RecvFlags::CMSG_CLOEXEC | flags));
    let result = match received {
        Ok(result) => result,
        Err(errno) => return Ok(Err(errno)),
    };
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if result.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(Error::Message { problem: "it is larger than its bound" });
    }
    Ok(Ok(Received { bytes: result.bytes, descriptors }))
}

/// A copy of a descriptor that this process was started with (3 or above): the number that a plan's `pass` gave it.
///
/// # Errors
/// If it is not open, or a standard stream.
pub fn inherited(number: RawFd) -> std::io::Result<OwnedFd> {
    if number < 3 {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    }
    crate::kernel::duplicate(number)
}
