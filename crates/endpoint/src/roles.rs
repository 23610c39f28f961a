//! The processes beside the warden: the gateway, which opens content, and the door, which opens none.

use crate::Error;
use crate::supervise::timespec;
use evidence::DigestKey;
use policy::Policy;
use rustix::event::{PollFd, PollFlags, poll};
use sandbox::{Child, Confinement, Role as Confined, fork_role};
use schema::{Subject, Token};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Exit code of a role that could not start.
const CANNOT_START: i32 = 71;
/// Longest time from the order to stop to a role's end; the gateway gives calls under way a part of it.
const FINISH_MAX: Duration = Duration::from_secs(15);

/// All that the gateway's process is given.
#[derive(Debug)]
pub struct GatewayHandover {
    /// Where the session's agent knocks.
    pub listener: TcpListener,
    /// Whose calls come from there.
    pub subject: Subject,
    /// What may go where.
    pub policy: Policy,
    /// The client's end of a connection to the log's writer.
    pub evidence: OwnedFd,
    /// The key of the digests in evidence.
    pub digest_key: DigestKey,
    /// Where the session's model files are served, by upstream.
    pub model_sockets: BTreeMap<Token, PathBuf>,
    /// The gateway stops when the other end of this closes.
    pub stop: UnixStream,
}

/// A role that runs; dropping `stop` asks it to finish.
#[derive(Debug)]
pub(crate) struct Role {
    child: Child,
    stop: Option<UnixStream>,
}

impl Role {
    /// Readable when it has ended.
    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.child.pidfd()
    }

    /// Lets the door take connections.
    pub(crate) fn open(&mut self) -> Result<(), Error> {
        let told = self.stop.as_mut().map_or(Ok(()), |stop| stop.write_all(OPEN));
        told.map_err(Error::system("open the door"))
    }

    /// Asks it to finish.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for its end, and ends it if that takes too long; true if it did all that it had to.
    pub(crate) fn wait(&mut self) -> bool {
        let deadline = Instant::now() + FINISH_MAX;
        loop {
            let mut polled = [PollFd::from_borrowed_fd(self.child.pidfd(), PollFlags::IN)];
            match poll(&mut polled, Some(&timespec(deadline.saturating_duration_since(Instant::now())))) {
                Ok(1..) => break,
                Err(rustix::io::Errno::INTR) => {}
                Ok(0) | Err(_) => {
                    self.child.kill();
                    break;
                }
            }
        }
        self.child.wait().is_ok_and(|code| code == 0)
    }
}

/// Starts the gateway's process.
pub(crate) fn start_gateway(
    handover: GatewayHandover,
    ours: UnixStream,
    serve: impl FnOnce(GatewayHandover) -> i32,
) -> Result<Role, Error> {
    let GatewayHandover { listener, subject, policy, evidence, digest_key, model_sockets, stop } = handover;
    let keep = [listener.as_fd(), evidence.as_fd(), stop.as_fd()];
    let child = fork_role(&keep, || {
        // The child owns copies: what was captured is only borrowed.
        let copies = listener.try_clone().and_then(|listener| Ok((listener, evidence.try_clone()?, stop.try_clone()?)));
        match copies {
            Ok((listener, evidence, stop)) => {
                serve(GatewayHandover { listener, subject, policy, evidence, digest_key, model_sockets, stop })
            }
            Err(_) => CANNOT_START,
        }
    })?;
    Ok(Role { child, stop: Some(ours) })
}

/// The door's sockets, its policy and its way to the log.
pub(crate) struct DoorSeat {
    pub(crate) subject: Subject,
    pub(crate) policy: Policy,
    pub(crate) evidence: OwnedFd,
    pub(crate) digest_key: DigestKey,
    pub(crate) redirect: Vec<TcpListener>,
    pub(crate) proxy: Vec<TcpListener>,
    pub(crate) dns_udp: Vec<UdpSocket>,
    pub(crate) dns_tcp: Vec<TcpListener>,
    pub(crate) stop: UnixStream,
}

/// What tells the door that connections from now on are the agent's.
const OPEN: &[u8; 1] = b"+";

/// Starts the door's process. It takes no connection before [`Role::open`].
pub(crate) fn start_door(seat: DoorSeat, ours: UnixStream) -> Result<Role, Error> {
    let mut keep: Vec<BorrowedFd<'_>> = vec![seat.evidence.as_fd(), seat.stop.as_fd()];
    keep.extend(seat.redirect.iter().chain(&seat.proxy).chain(&seat.dns_tcp).map(AsFd::as_fd));
    keep.extend(seat.dns_udp.iter().map(AsFd::as_fd));
    let child = fork_role(&keep, || match serve_door(&seat) {
        Ok(()) => 0,
        Err(error) => {
            // Nobody may be listening.
            let _unheard = writeln!(io::stderr(), "bailiwick: the door: {error}");
            CANNOT_START
        }
    })?;
    // This process keeps none of the session's sockets.
    drop(keep);
    drop(seat);
    Ok(Role { child, stop: Some(ours) })
}

fn serve_door(seat: &DoorSeat) -> Result<(), Box<dyn std::error::Error>> {
    sandbox::confine(&Confinement { role: Confined::Door, read: Vec::new(), write: Vec::new(), connect: false })?;
    // Until then, it is the warden that looks who knocks.
    if (&seat.stop).read_exact(&mut [0; OPEN.len()]).is_err() {
        return Ok(());
    }
    let copies = |list: &[TcpListener]| list.iter().map(TcpListener::try_clone).collect::<io::Result<Vec<_>>>();
    let config = egress::DoorConfig {
        session_id: seat.subject.session_id.clone(),
        policy: seat.policy.clone(),
        evidence: evidence::Client::new(seat.evidence.try_clone()?)?,
        digest_key: seat.digest_key.clone(),
        redirect: copies(&seat.redirect)?,
        proxy: copies(&seat.proxy)?,
        dns_udp: seat.dns_udp.iter().map(UdpSocket::try_clone).collect::<io::Result<_>>()?,
        dns_tcp: copies(&seat.dns_tcp)?,
        original_destination: sandbox::original_destination,
        stop: OwnedFd::from(seat.stop.try_clone()?),
    };
    Ok(egress::serve(config)?)
}
