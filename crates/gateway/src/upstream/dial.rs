//! Opens connections to one upstream: known addresses first, then a fresh look-up.
use super::target::Way;
use crate::limits::{CONNECT_SECONDS_MAX, UPSTREAM_ADDRESSES_MAX};
use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A connector for exactly one upstream; where the request's URI points plays no part.
#[derive(Clone, Debug)]
pub(crate) struct Dial(Arc<Route>);

#[derive(Debug)]
enum Route {
    Tcp { host: String, port: u16, loopback: bool, known: Mutex<Vec<SocketAddr>> },
    Unix(PathBuf),
}

impl Dial {
    /// A connector; none where there is nothing to connect to. Looks a host's name up now, because a confined process cannot do so
    /// later; a name that is not found yet is looked up again when it is dialled.
    pub(crate) fn prepare(way: &Way) -> Option<Self> {
        match way {
            Way::Tcp { host, port, loopback } => {
                let known = Mutex::new(look_up(host, *port, *loopback).unwrap_or_default());
                Some(Self(Arc::new(Route::Tcp { host: host.clone(), port: *port, loopback: *loopback, known })))
            }
            Way::Unix(path) => Some(Self(Arc::new(Route::Unix(path.clone())))),
            Way::Within => None,
        }
    }

    async fn connect(self) -> io::Result<Socket> {
        match &*self.0 {
            Route::Unix(path) => UnixStream::connect(path).await.map(Socket::Unix),
            Route::Tcp { host, port, loopback, known } => {
                let addresses = known.lock().map(|known| known.clone()).unwrap_or_default();
                if let Some(socket) = first_open(&addresses).await {
                    return Ok(socket);
                }
                let (name, number, local) = (host.clone(), *port, *loopback);
                let fresh = tokio::task::spawn_blocking(move || look_up(&name, number, local)).await.map_err(io::Error::other)??;
                let socket = first_open(&fresh).await.ok_or(io::ErrorKind::ConnectionRefused)?;
                if let Ok(mut known) = known.lock() {
                    *known = fresh;
                }
                Ok(socket)
            }
        }
    }
}

/// Addresses of a host; a name that means this machine must resolve to this machine.
fn look_up(host: &str, port: u16, loopback: bool) -> io::Result<Vec<SocketAddr>> {
    let found = (host, port).to_socket_addrs()?;
    Ok(found.filter(|address| !loopback || address.ip().is_loopback()).take(UPSTREAM_ADDRESSES_MAX).collect())
}

async fn first_open(addresses: &[SocketAddr]) -> Option<Socket> {
    for address in addresses {
        if let Ok(stream) = TcpStream::connect(address).await {
            stream.set_nodelay(true).ok();
            return Some(Socket::Tcp(stream));
        }
    }
    None
}

impl tower_service::Service<Uri> for Dial {
    type Response = TokioIo<Socket>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Socket>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let dial = self.clone();
        Box::pin(async move {
            let limit = Duration::from_secs(CONNECT_SECONDS_MAX);
            let socket = tokio::time::timeout(limit, dial.connect()).await.map_err(|_| io::ErrorKind::TimedOut)??;
            Ok(TokioIo::new(socket))
        })
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

macro_rules! either {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Socket::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Socket::Unix(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(cx))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}
