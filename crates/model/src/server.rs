//! Takes connections, and hands calls to the thread that computes.

use crate::generation::Piece;
use crate::limits::{BODY_SECONDS_MAX, HEAD_BYTES_MAX, HEAD_SECONDS_MAX, HEADERS_MAX, Limits};
use crate::model_file::Model;
use crate::quiet::THREAD_PREFIX;
use crate::refusal::Refusal;
use crate::reply::{self, Events, Label};
use crate::request::{Delivery, Request};
use crate::worker::Queue;
use crate::{Error, quiet, threads};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use schema::Token;
use std::convert::Infallible;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

type ReplyBody = Either<Full<Bytes>, Events>;

/// Loads the model and serves it on `listener` until the process ends. Callers that connect earlier wait.
///
/// Threads: two of its own, and [`Limits::threads`] in each pool that computes; start the process with [`crate::environment`].
///
/// # Errors
/// [`Error`] if it cannot start. What happens to single calls is told to their callers alone.
pub fn serve(listener: UnixListener, model: &Path, limits: Limits) -> Result<(), Error> {
    limits.check()?;
    threads::check(limits.threads)?;
    quiet::install();
    let name = Token::lossy(&model.file_stem().unwrap_or_default().to_string_lossy());
    let model = Model::load(model)?;
    let queue = Queue::start(model, limits)?;
    let server = Arc::new(Server { queue, limits, name, calls: AtomicU64::new(0) });
    // On a thread of a known name, whose panics keep quiet about content.
    let serving = thread::Builder::new().name(format!("{THREAD_PREFIX}http")).spawn(move || run(listener, &server));
    serving.map_err(Error::Runtime)?.join().unwrap_or(Err(Error::Stopped))
}

struct Server {
    queue: Queue,
    limits: Limits,
    name: Token,
    calls: AtomicU64,
}

fn run(listener: UnixListener, server: &Arc<Server>) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(Error::Runtime)?;
    runtime.block_on(async {
        listener.set_nonblocking(true).map_err(Error::Listener)?;
        let listener = tokio::net::UnixListener::from_std(listener).map_err(Error::Listener)?;
        accept_all(server, &listener).await
    })
}

async fn accept_all(server: &Arc<Server>, listener: &tokio::net::UnixListener) -> Result<(), Error> {
    let connections = Arc::new(Semaphore::new(server.limits.connections.min(Semaphore::MAX_PERMITS)));
    // The semaphore is never closed, so this loop goes on.
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(connection(Arc::clone(server), stream, permit))),
            // Out of descriptors, most likely: let connections end first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    Err(Error::Stopped)
}

async fn connection(server: Arc<Server>, stream: UnixStream, _permit: OwnedSemaphorePermit) {
    let service = service_fn(|request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(server.handle(request).await.unwrap_or_else(|refusal| refused(&refusal))) }
    });
    let ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks ends, and with it the answer that nobody waits for.
    let _broken = ended.await;
}

impl Server {
    async fn handle(&self, request: http::Request<Incoming>) -> Result<Response<ReplyBody>, Refusal> {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/v1/chat/completions") => self.complete(request.into_body()).await,
            (&Method::GET, "/v1/models") => Ok(json(StatusCode::OK, reply::models(&self.label()))),
            _ => Err(Refusal::unknown_endpoint()),
        }
    }

    async fn complete(&self, body: Incoming) -> Result<Response<ReplyBody>, Refusal> {
        let body = read(body, self.limits.body_bytes).await?;
        let request = Request::parse(&body)?;
        drop(body);
        let delivery = request.delivery;
        let mut pieces = self.queue.submit(request)?;
        let prompt_tokens = match pieces.recv().await {
            Some(Piece::Started { prompt_tokens }) => prompt_tokens,
            Some(Piece::Refused(refusal)) => return Err(refusal),
            Some(Piece::Text(_) | Piece::Ended { .. }) | None => return Err(Refusal::internal()),
        };
        let label = self.label();
        match delivery {
            Delivery::Whole => Ok(json(StatusCode::OK, reply::whole(&label, prompt_tokens, &mut pieces).await?)),
            Delivery::Streamed { include_usage } => {
                let events = Events::new(label, prompt_tokens, include_usage, pieces);
                Ok(typed(StatusCode::OK, "text/event-stream", Either::Right(events)))
            }
        }
    }

    fn label(&self) -> Label {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        Label { id: format!("chatcmpl-{number}"), created: now(), model: self.name.to_string() }
    }
}

/// Seconds since 1970. Nothing is decided by it.
#[expect(clippy::disallowed_methods, reason = "the edge of a process of its own; the time is only told to callers")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

async fn read(body: Incoming, limit: usize) -> Result<Bytes, Refusal> {
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(Duration::from_secs(BODY_SECONDS_MAX), collected).await {
        Err(_) => Err(Refusal::slow_body()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::too_large(limit)),
        Ok(Err(_)) => Err(Refusal::malformed("the body broke off")),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

fn refused(refusal: &Refusal) -> Response<ReplyBody> {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = json(status, refusal.to_json());
    if status == StatusCode::TOO_MANY_REQUESTS {
        reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    reply
}

fn json(status: StatusCode, body: String) -> Response<ReplyBody> {
    typed(status, "application/json", Either::Left(Full::new(Bytes::from(body))))
}

fn typed(status: StatusCode, content_type: &'static str, body: ReplyBody) -> Response<ReplyBody> {
    let mut reply = Response::new(body);
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}
