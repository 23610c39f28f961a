//! Accepting connections, bounded.

use crate::door::Door;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;

/// Most connections of one listener at once; further ones wait in the kernel's queue.
pub(crate) const CONNECTIONS_MAX: usize = 64;
/// Rest after a failed accept (no descriptors left, for example).
const REST: Duration = Duration::from_millis(50);

pub(crate) fn tcp(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

pub(crate) fn udp(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// Hands each connection to `refuse`, until the task is dropped.
pub(crate) async fn serve<F, R>(listener: TcpListener, door: Arc<Door>, refuse: F)
where
    F: Fn(Arc<Door>, TcpStream) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut conversations = tokio::task::JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        while conversations.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let conversation = refuse(Arc::clone(&door), stream);
        conversations.spawn(async move {
            conversation.await;
            drop(place);
        });
    }
}
