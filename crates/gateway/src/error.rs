use std::io;
use std::net::SocketAddr;

/// Why the gateway cannot start or go on. Calls are never answered with one of these; they end in a [`schema::RefusalCode`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listener is open to other machines.
    #[error("listening on {0} would be open to other machines without mutual TLS; listen on a loopback address or a unix socket")]
    NotLoopback(SocketAddr),
    /// The listener cannot be used.
    #[error("taking over the gateway's listener: {0}; start again")]
    Listener(io::Error),
    /// The runtime cannot be built.
    #[error("starting the gateway's runtime: {0}; free memory or descriptors")]
    Runtime(io::Error),
    /// An upstream's host cannot stand in a request.
    #[error("preparing upstream {upstream}: its host cannot stand in a request; write it in its xn-- form")]
    UpstreamHost {
        /// The upstream's name.
        upstream: String,
    },
    /// An upstream is a model file that nobody serves.
    #[error("preparing upstream {upstream}: its model is not running; start it through `bailiwick run`, or give unix:/path of a server")]
    NoModel {
        /// The upstream's name.
        upstream: String,
    },
    /// A key or token cannot be used.
    #[error("reading {what} from {from}: {reason}")]
    Secret {
        /// What for.
        what: String,
        /// The file or environment variable.
        from: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The machine's trust store is unusable.
    #[error("loading the machine's trusted certificates: {0}; install ca-certificates or set SSL_CERT_FILE")]
    TrustStore(String),
    /// A standalone gateway has nobody to serve.
    #[error("a gateway needs at least one client; add a [[clients]] table")]
    NoClients,
    /// More clients than the bound, or two with the same token.
    #[error("registering client {agent}: {reason}")]
    Client {
        /// The client's registered name.
        agent: String,
        /// What is wrong and what to do.
        reason: &'static str,
    },
    /// Evidence cannot be written, so the gateway does not start.
    #[error("recording the start of the gateway's sessions: the evidence log cannot be written; free space or repair the log")]
    Evidence,
}
