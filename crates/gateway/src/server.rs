//! Takes connections and hands each request to a task of its own.
use crate::addressee::Own;
use crate::config::{Config, Listener, Socket};
use crate::crossing::{self, Crossing};
use crate::dialect::{self, Dialect, Endpoint};
use crate::gate::{Gate, Ids};
use crate::limits::{BLOCKING_THREADS_MAX, CALLS_MAX, CONNECTIONS_MAX, HEAD_BYTES_MAX, HEAD_SECONDS_MAX, HEADERS_MAX, STOP_SECONDS_MAX};
use crate::reply::{self, ReplyBody};
use crate::session::Door;
use crate::{Error, addressee, quiet, register};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use schema::{Token, UpstreamKind};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Serves until `config.stop` says so. Runs on this thread, with a few more for large bodies.
///
/// # Errors
/// [`Error`] if it cannot start. What happens to single calls is in evidence, and in their replies.
pub fn serve(config: Config) -> Result<(), Error> {
    quiet::this_thread();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("gateway-inspect")
        .on_thread_start(quiet::this_thread)
        .build()
        .map_err(Error::Runtime)?;
    let served = runtime.block_on(run(config));
    runtime.shutdown_background();
    served
}

async fn run(config: Config) -> Result<(), Error> {
    let Config { listener, policy, upstreams, evidence, digest_key, random, detectors, clock, stop } = config;
    let (socket, door, registers) = match listener {
        Listener::Session { socket, subject } => (socket, Door::of_session(subject, &random.placeholder_key), false),
        Listener::Standalone { socket, clients } => (socket, Door::of_clients(clients, &random.placeholder_key)?, true),
    };
    let acceptor = Acceptor::new(socket)?;
    let own = acceptor.own()?;
    let stop = stop.map(watched).transpose().map_err(Error::Runtime)?;
    let (calls, bodies_kib, ids) = (Gate::calls(), Gate::bodies(), Ids::new(random.request_seed));
    let spares_thoughts = one_anthropic_upstream(&policy);
    let gate = Arc::new(Gate {
        own,
        spares_thoughts,
        door,
        policy,
        upstreams,
        evidence,
        digest_key,
        detectors,
        clock: clock.0,
        ids,
        calls,
        bodies_kib,
    });
    if registers {
        register::started(&gate).await?;
    }
    tokio::select! {
        () = accept_all(&gate, &acceptor) => {}
        () = stopped(stop.as_ref()) => {}
    }
    drop(acceptor);
    // Calls under way get to their outcome; what does not within the bound is reported as unknown.
    let all = Arc::clone(&gate.calls).acquire_many_owned(CALLS_MAX);
    let _permits = tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), all).await;
    if registers {
        register::ended(&gate).await?;
    }
    Ok(())
}

fn watched(stop: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
    stop.set_nonblocking(true)?;
    UnixStream::from_std(stop)
}

async fn stopped(stop: Option<&UnixStream>) {
    match stop {
        // An error on the descriptor means that its owner is gone.
        Some(stop) => drop(stop.readable().await),
        None => std::future::pending().await,
    }
}

enum Acceptor {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Acceptor {
    fn new(socket: Socket) -> Result<Self, Error> {
        socket.check()?;
        let listener = match socket {
            Socket::Tcp(listener) => {
                listener.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(listener).map(Self::Tcp))
            }
            Socket::Unix(listener) => {
                listener.set_nonblocking(true).and_then(|()| tokio::net::UnixListener::from_std(listener).map(Self::Unix))
            }
        };
        listener.map_err(Error::Listener)
    }

    /// What requests may call this listener.
    fn own(&self) -> Result<Own, Error> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(|address| Own::Port(address.port())).map_err(Error::Listener),
            Self::Unix(_) => Ok(Own::Unix),
        }
    }

    async fn accept(&self, gate: &Arc<Gate>, permit: OwnedSemaphorePermit) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(connection(Arc::clone(gate), stream, permit));
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                tokio::spawn(connection(Arc::clone(gate), stream, permit));
            }
        }
        Ok(())
    }
}

async fn accept_all(gate: &Arc<Gate>, acceptor: &Acceptor) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // The semaphore is never closed, so this loop goes on.
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        if acceptor.accept(gate, permit).await.is_err() {
            // Out of descriptors, most likely: let connections end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn connection(gate: Arc<Gate>, stream: impl AsyncRead + AsyncWrite + Unpin, _permit: OwnedSemaphorePermit) {
    let service = service_fn(|request| {
        let gate = Arc::clone(&gate);
        async move { Ok::<_, Infallible>(handle(gate, request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks ends; the calls on it have recorded their outcome.
    let _broken = served.await;
}

async fn handle(gate: Arc<Gate>, request: Request<Incoming>) -> Response<ReplyBody> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("", |target| target.as_str());
    let endpoint = addressee::check(&head, gate.own).and_then(|()| Endpoint::of(head.method.as_str(), target));
    let dialect = endpoint.ok().filter(|endpoint| endpoint.takes_body()).map_or_else(|| dialect_of(&head.headers), Endpoint::dialect);
    match endpoint {
        Ok(Endpoint::Probe) => return reply::json(StatusCode::OK, Vec::new()),
        Ok(Endpoint::Models) if gate.door.identify(&head.headers).is_ok() => {
            return reply::json(StatusCode::OK, dialect::models_answer(dialect, &models(&gate)));
        }
        _ => {}
    }
    let request_id = gate.ids.next();
    let announced = Arc::new(AtomicBool::new(false));
    let (shared, id) = (Arc::clone(&gate), request_id.clone());
    let crossing = Crossing { gate, request_id, endpoint, dialect, announced: Arc::clone(&announced) };
    let (reply_to, reply) = oneshot::channel();
    tokio::spawn(crossing.run(head, body, reply_to));
    match reply.await {
        Ok(reply) => reply,
        // Only a task that crashed leaves no reply.
        Err(_) => reply::refused(dialect, crossing::crashed(&shared, id.clone(), &announced).await, &[], Some(&id)),
    }
}

fn one_anthropic_upstream(policy: &policy::Policy) -> bool {
    policy.upstreams().iter().filter(|upstream| matches!(upstream.kind(), UpstreamKind::Anthropic | UpstreamKind::Echo)).count() == 1
}

/// Which dialect a caller expects where the path does not say.
fn dialect_of(headers: &HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") { Dialect::Anthropic } else { Dialect::OpenAi }
}

/// What can be named as a model: upstreams that serve one model, whatever it is called. Vendors' models are not listed; they are no secret.
fn models(gate: &Gate) -> Vec<Token> {
    let own = |upstream: &&policy::Upstream| matches!(upstream.kind(), UpstreamKind::Local | UpstreamKind::Echo);
    gate.policy.upstreams().iter().filter(own).map(|upstream| upstream.name().clone()).collect()
}

#[cfg(test)]
mod tests;
