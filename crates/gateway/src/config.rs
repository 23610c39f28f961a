//! What a gateway is made of. Everything that needs files or names is prepared before it is put together.
use crate::Error;
use crate::session::Client;
use crate::upstream::Upstreams;
use dlp::Detectors;
use evidence::DigestKey;
use policy::Policy;
use schema::{Clock, Subject};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use zeroize::Zeroizing;

/// All that [`crate::serve`] needs.
#[derive(Debug)]
pub struct Config {
    /// Where agents knock, and how they prove who they are.
    pub listener: Listener,
    /// What may go where.
    pub policy: Policy,
    /// Where it goes.
    pub upstreams: Upstreams,
    /// The way to the evidence log.
    pub evidence: evidence::Client,
    /// The key of the digests in evidence.
    pub digest_key: DigestKey,
    /// Secrets of this process, from the system's random generator.
    pub random: Random,
    /// What finds sensitive values.
    pub detectors: Detectors,
    /// The time.
    pub clock: SharedClock,
    /// The gateway stops when this becomes readable or its other end is closed.
    pub stop: Option<UnixStream>,
}

/// Random bytes that a gateway uses for as long as it lives.
pub struct Random {
    /// Makes placeholders unpredictable outside of a session.
    pub placeholder_key: Zeroizing<[u8; 32]>,
    /// Makes the numbers of calls unique among gateways.
    pub request_seed: [u8; 8],
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

/// A clock that threads share.
#[derive(Clone)]
pub struct SharedClock(pub Arc<dyn Clock>);

impl std::fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedClock")
    }
}

/// Where agents knock, and how they prove who they are.
#[derive(Debug)]
pub enum Listener {
    /// Inside one session's walls: whoever reaches it is that session.
    Session {
        /// The socket.
        socket: Socket,
        /// The session.
        subject: Subject,
    },
    /// For registered clients, each with its token and a session of its own.
    Standalone {
        /// The socket.
        socket: Socket,
        /// The clients.
        clients: Vec<Client>,
    },
}

/// A listening socket.
#[derive(Debug)]
pub enum Socket {
    /// TCP, on a loopback address.
    Tcp(TcpListener),
    /// A Unix socket.
    Unix(UnixListener),
}

impl Socket {
    /// Refuses what other machines could reach.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Unix(_) => Ok(()),
            Self::Tcp(listener) => {
                let address = listener.local_addr().map_err(Error::Listener)?;
                if address.ip().is_loopback() { Ok(()) } else { Err(Error::NotLoopback(address)) }
            }
        }
    }
}
