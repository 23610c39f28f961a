//! Connections that the kernel redirected: recorded with the destination they wanted, then reset.

use crate::door::Door;
use crate::host::Destination;
use crate::ledger::Protocol;
use std::os::fd::AsFd;
use std::sync::Arc;
use tokio::net::TcpStream;

pub(crate) async fn refuse(door: Arc<Door>, stream: TcpStream) {
    let recorded = match (door.original_destination)(stream.as_fd()) {
        Ok(address) => door.refuse_connection(Protocol::Tcp, &Destination::from(address)).await.map(|_| ()),
        Err(_) => door.refuse_malformed(Protocol::Tcp).await,
    };
    // Recorded or not, the program gets a reset. If even that cannot be asked for, it gets an end.
    let _reset = stream.set_zero_linger();
    drop((recorded, stream));
}
