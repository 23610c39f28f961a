//! Connecting a socket for the agent. A Unix socket has a name in a file system, and neither a read-only mount nor Landlock (before its
//! version 9) keeps a program from connecting to a name that it can reach: only names in the session's own file systems are let in.

use super::attempt::Attempt;
use super::request::{Request, low_unsigned};
use super::target::{Target, own};
use crate::kernel;
use crate::seccomp::Notification;
use rustix::fs::{OFlags, fstat};
use rustix::io::Errno;
use rustix::net::AddressFamily;
use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// `struct sockaddr_storage` of the kernel.
const ADDRESS_BYTES_MAX: usize = 128;

/// A socket and where it is to be connected.
#[derive(Debug)]
pub(super) struct Knock {
    socket: OwnedFd,
    is_unix: bool,
    address: Address,
}

#[derive(Debug)]
enum Address {
    /// As the caller gave it: it names no file.
    Bytes(Vec<u8>),
    /// A name, and the folder where it starts if it is relative.
    Name(Request, Option<OwnedFd>),
    /// What a name led to. Nobody can swap it any more.
    Found(OwnedFd),
}

/// Why a socket is not connected.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) errno: Errno,
    /// Where the name leads, if that is outside of the session's own file systems; what was asked for, if nobody may look there.
    pub(super) path: Option<PathBuf>,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, path: None }
    }
}

impl Knock {
    /// Takes the call from the caller's registers and memory.
    pub(super) fn read(call: &Notification, target: Target<'_>) -> Result<Self, Refusal> {
        let [number, address, length, ..] = call.arguments;
        let socket = target.descriptor(low_unsigned(number).cast_signed())?;
        let is_unix = rustix::net::sockopt::socket_domain(&socket)? == AddressFamily::UNIX;
        let longest = if is_unix { size_of::<libc::sockaddr_un>() } else { ADDRESS_BYTES_MAX };
        let length = usize::try_from(low_unsigned(length)).map_err(|_| Errno::INVAL)?;
        if length > longest {
            return Err(Errno::INVAL.into());
        }
        let bytes = target.bytes(address, length)?;
        // A socket of another family looks up no name, whatever the bytes say.
        let address = match name(&bytes).filter(|_| is_unix) {
            None => Address::Bytes(bytes),
            Some(name) => {
                let request = Request::name(name);
                let base = if request.is_relative() { Some(target.base(libc::AT_FDCWD)?) } else { None };
                Address::Name(request, base)
            }
        };
        Ok(Self { socket, is_unix, address })
    }

    /// Follows the name, and refuses one that leads out of the file systems with these device numbers.
    pub(super) fn admit(self, target: Target<'_>, devices: &[u64]) -> Result<Self, Refusal> {
        let Self { socket, is_unix, address } = self;
        let Address::Name(request, base) = address else { return Ok(Self { socket, is_unix, address }) };
        let found = match (Attempt { target, request: &request, base: base.as_ref() }).find(request.how) {
            Ok(found) => found,
            Err(failure) => {
                let path = is_refusal(failure.errno).then(|| super::asked(target.host_proc, base.as_ref(), &request));
                return Err(Refusal { errno: failure.errno, path });
            }
        };
        if devices.contains(&fstat(&found)?.st_dev) {
            return Ok(Self { socket, is_unix, address: Address::Found(found) });
        }
        let path = super::target::path_of(target.host_proc, found.as_fd())?;
        Err(Refusal { errno: Errno::ACCESS, path: Some(path) })
    }

    /// The name of what is connected to, as the session sees it; none of an address that is no file.
    pub(super) fn path(&self, host_proc: BorrowedFd<'_>) -> Option<PathBuf> {
        match &self.address {
            Address::Found(found) => super::target::path_of(host_proc, found.as_fd()).ok(),
            Address::Bytes(_) | Address::Name(..) => None,
        }
    }

    /// What a process that connects needs.
    pub(super) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let mut list = vec![self.socket.as_fd()];
        match &self.address {
            Address::Found(found) => list.push(found.as_fd()),
            Address::Bytes(_) | Address::Name(..) => {}
        }
        list
    }

    /// Connects a network socket if that takes no waiting, as on loopback; none if it has to be done in a process that may wait. Unix sockets
    /// are always left to such a process: it has a number inside, which the other end can ask for.
    pub(super) fn at_once(&self) -> Option<Result<(), Errno>> {
        let Address::Bytes(bytes) = &self.address else { return None };
        if self.is_unix {
            return None;
        }
        let flags = rustix::fs::fcntl_getfl(&self.socket).ok()?;
        if flags.contains(OFlags::NONBLOCK) {
            return Some(kernel::connect(self.socket.as_fd(), bytes));
        }
        // The caller's own socket, and the caller waits meanwhile. A second try, by a process that may wait, waits for this one's outcome.
        rustix::fs::fcntl_setfl(&self.socket, flags | OFlags::NONBLOCK).ok()?;
        let result = kernel::connect(self.socket.as_fd(), bytes);
        if let Err(errno) = rustix::fs::fcntl_setfl(&self.socket, flags) {
            return Some(Err(errno));
        }
        match result {
            Err(Errno::INPROGRESS | Errno::ALREADY | Errno::AGAIN) => None,
            other => Some(other),
        }
    }

    /// Connects; may wait. Changes the working directory.
    pub(super) fn connect(&self, host_proc: BorrowedFd<'_>) -> Result<(), Errno> {
        match &self.address {
            Address::Bytes(bytes) => kernel::connect(self.socket.as_fd(), bytes),
            Address::Found(found) => {
                // An address has room for a short name only, and this one cannot be swapped.
                rustix::process::fchdir(host_proc)?;
                let mut bytes = libc::sa_family_t::try_from(libc::AF_UNIX).unwrap_or_default().to_ne_bytes().to_vec();
                bytes.extend(own(found.as_fd()).into_bytes_with_nul());
                kernel::connect(self.socket.as_fd(), &bytes)
            }
            // It was not admitted.
            Address::Name(..) => Err(Errno::ACCESS),
        }
    }
}

/// Whether an error is a refusal: nothing is merely absent, or busy.
pub(super) fn is_refusal(errno: Errno) -> bool {
    matches!(errno, Errno::ACCESS | Errno::PERM | Errno::ROFS)
}

/// The file name in a Unix socket's address; none in an abstract or empty one, or one of another family.
pub(super) fn name(address: &[u8]) -> Option<CString> {
    let (family, name) = address.split_first_chunk::<2>()?;
    if i32::from(libc::sa_family_t::from_ne_bytes(*family)) != libc::AF_UNIX {
        return None;
    }
    let text = name.split(|byte| *byte == 0).next().filter(|text| !text.is_empty())?;
    CString::new(text).ok()
}
