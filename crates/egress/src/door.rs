use crate::host::{Destination, Host};
use crate::ledger::{Ledger, Protocol, Refused};
use crate::{listen, proxy, redirect, resolver};
use policy::{ConnectionDecision, ConnectionFacts, Policy, Refusal};
use schema::{RefusalCode, SessionId, Token};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// All that the door is given: it opens nothing itself.
#[derive(Debug)]
pub struct DoorConfig {
    /// Whose door.
    pub session_id: SessionId,
    /// What decides.
    pub policy: Policy,
    /// Where refusals are recorded.
    pub evidence: evidence::Client,
    /// For the digests of names.
    pub digest_key: evidence::DigestKey,
    /// Where the kernel redirects connections to.
    pub redirect: Vec<TcpListener>,
    /// The explicit proxy port (HTTP and SOCKS5).
    pub proxy: Vec<TcpListener>,
    /// DNS over UDP.
    pub dns_udp: Vec<UdpSocket>,
    /// DNS over TCP.
    pub dns_tcp: Vec<TcpListener>,
    /// Where a redirected connection wanted to go.
    pub original_destination: fn(BorrowedFd<'_>) -> io::Result<SocketAddr>,
    /// The door closes when this becomes readable or ends.
    pub stop: OwnedFd,
}

/// Why the door could not open. Refusals are no errors.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The runtime or a socket could not be set up.
    #[error("could not {attempt} for the door: {source}; check the process's confinement, then start a new session")]
    Setup {
        /// What was attempted.
        attempt: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The last counts could not be recorded.
    #[error("could not record the door's last refusals: {0}")]
    Evidence(#[from] evidence::Error),
}

impl Error {
    fn setup(attempt: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Setup { attempt, source }
    }
}

/// Serves the door until `stop`: refuses and records.
///
/// The first refusal of a kind (same way, destination and code) is durable before it is answered. Repetitions are answered at once and
/// counted, and each kind gets at most one record in ten seconds, so a flood cannot fill the log; beyond 256 kinds at once further ones
/// share a record that names no destination. No attempt that the door took goes uncounted, unless the door itself is killed within the
/// ten seconds. When evidence is unavailable, everything is still refused, without an answer.
///
/// # Errors
/// [`Error::Setup`] before anything is served; [`Error::Evidence`] if the last counts could not be recorded.
pub fn serve(config: DoorConfig) -> Result<(), Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(Error::setup("start the runtime"))?;
    runtime.block_on(run(config))
}

async fn run(config: DoorConfig) -> Result<(), Error> {
    let nothing = config.digest_key.digest(resolver::DIGEST_DOMAIN, b"");
    let door = Arc::new(Door {
        ledger: Ledger::new(config.session_id.clone(), config.evidence, nothing),
        session_id: config.session_id,
        policy: config.policy,
        digest_key: config.digest_key,
        original_destination: config.original_destination,
    });
    #[expect(deprecated, reason = "an OwnedFd keeps one descriptor for life, all that the unsafe replacement asks; no unsafe code here")]
    let stop = AsyncFd::new(config.stop).map_err(Error::setup("watch the stop descriptor"))?;
    let mut tasks = tokio::task::JoinSet::new();
    for listener in config.redirect {
        let listener = listen::tcp(listener).map_err(Error::setup("take the redirect listener"))?;
        tasks.spawn(listen::serve(listener, Arc::clone(&door), redirect::refuse));
    }
    for listener in config.proxy {
        let listener = listen::tcp(listener).map_err(Error::setup("take the proxy listener"))?;
        tasks.spawn(listen::serve(listener, Arc::clone(&door), proxy::refuse));
    }
    for listener in config.dns_tcp {
        let listener = listen::tcp(listener).map_err(Error::setup("take the dns listener"))?;
        tasks.spawn(listen::serve(listener, Arc::clone(&door), resolver::refuse_stream));
    }
    for socket in config.dns_udp {
        let socket = listen::udp(socket).map_err(Error::setup("take the dns socket"))?;
        tasks.spawn(resolver::refuse_datagrams(socket, Arc::clone(&door)));
    }
    let mut sweeps = tokio::time::interval(SWEEP_EVERY);
    loop {
        tokio::select! {
            _ = stop.readable() => break,
            // A ledger that cannot be written refuses without an answer until the session's owner stops the door.
            _ = sweeps.tick() => drop(door.ledger.sweep().await),
        }
    }
    tasks.shutdown().await;
    Ok(door.ledger.flush().await?)
}

/// What every conversation shares.
pub(crate) struct Door {
    pub(crate) session_id: SessionId,
    pub(crate) policy: Policy,
    pub(crate) digest_key: evidence::DigestKey,
    pub(crate) ledger: Ledger,
    pub(crate) original_destination: fn(BorrowedFd<'_>) -> io::Result<SocketAddr>,
}

impl Door {
    /// Decides on a connection and records the refusal; the answer may go out afterwards.
    pub(crate) async fn refuse_connection(&self, protocol: Protocol, to: &Destination) -> Result<Refusal, evidence::Error> {
        let (name, told) = (protocol.token(), to.host.told());
        // A name too long for a token is decided on as it is told; no rule can name it.
        let host = match &to.host {
            Host::Name(name) => Token::parse(name.as_str()).unwrap_or_else(|_| told.clone()),
            Host::Address(_) => told.clone(),
        };
        let facts = ConnectionFacts { session_id: &self.session_id, protocol: &name, host: &host, port: to.port };
        let ConnectionDecision::Deny(refusal) = policy::decide_connection(&self.policy, &facts);
        self.ledger.record(Refused::Connection { protocol, host: told, port: to.port, code: refusal.code }).await?;
        Ok(refusal)
    }

    /// Records an attempt whose destination could not be understood.
    pub(crate) async fn refuse_malformed(&self, protocol: Protocol) -> Result<(), evidence::Error> {
        self.ledger.record(Refused::Connection { protocol, host: Host::untold(), port: 0, code: RefusalCode::Malformed }).await
    }
}
