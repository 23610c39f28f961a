use crate::{
    DurableIndex, Error, Recorded, line,
    wait::block_on,
    wire::{self, Status},
};
use rustix::net::{RecvFlags, SendFlags, recv, send};
use schema::{Event, bounds::EVENT_BYTES_MAX};
use std::{
    collections::HashMap,
    future::Future,
    io,
    os::fd::OwnedFd,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A process's way to the log: sends events to the writer and waits until they are durable.
///
/// Clones share one socket and one order. At most 128 events are under way at once; further callers wait, so a slow disk slows the
/// callers down. Two threads serve it (made by [`Client::new`], with no other calls than `sendto`, `recvfrom` and `futex`); no runtime
/// is needed.
#[derive(Clone)]
pub struct Client {
    queue: SyncSender<Outgoing>,
    slots: Arc<Semaphore>,
}

struct Outgoing {
    json: String,
    waiter: Waiter,
}

struct Waiter {
    reply: oneshot::Sender<Status>,
    _slot: OwnedSemaphorePermit,
}

/// Who waits for which number; `None` once the writer is gone.
type Waiters = Arc<Mutex<Option<HashMap<u64, Waiter>>>>;

impl Client {
    /// Takes the socket that [`crate::Writer::add_client`] gave. Call it after the process has confined itself: it starts threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = Arc::new(socket);
        let waiters: Waiters = Arc::new(Mutex::new(Some(HashMap::new())));
        let (queue, outgoing) = mpsc::sync_channel(wire::IN_FLIGHT_MAX);
        let (to, theirs) = (Arc::clone(&socket), Arc::clone(&waiters));
        thread::Builder::new().name("evidence-send".into()).spawn(move || send_all(&to, &outgoing, &theirs))?;
        thread::Builder::new().name("evidence-wait".into()).spawn(move || receive_all(&socket, &waiters))?;
        Ok(Self { queue, slots: Arc::new(Semaphore::new(wire::IN_FLIGHT_MAX)) })
    }

    /// Records an event; returns when it is durable. Blocks the thread: not for async code.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the writer is gone or cannot write, [`Error::TooLarge`].
    pub fn append(&self, event: Event) -> Result<DurableIndex, Error> {
        block_on(self.append_async(event))
    }

    /// Records an event; the future ends when it is durable. Any runtime may drive it. Once polled, dropping it does not take the event
    /// back.
    ///
    /// # Errors
    /// As [`Client::append`].
    pub fn append_async(&self, event: Event) -> impl Future<Output = Result<DurableIndex, Error>> + Send + use<> {
        let (client, (reply, answer)) = (self.clone(), oneshot::channel());
        async move {
            let json = String::from(Box::<str>::from(line::encode(&event, EVENT_BYTES_MAX)?));
            drop(event);
            let slot = client.slots.acquire_owned().await.map_err(|_| Error::Unavailable)?;
            let outgoing = Outgoing { json, waiter: Waiter { reply, _slot: slot } };
            // Never blocks: the queue has a place for every slot.
            client.queue.send(outgoing).map_err(|_| Error::Unavailable)?;
            drop(client.queue);
            answer.await.map_err(|_| Error::Unavailable)?.into_result()
        }
    }

    /// Records `event` about `content`, and proves it: the only maker of [`Recorded`].
    ///
    /// # Errors
    /// As [`Client::append`]; the content is dropped then, since it must not go on.
    pub fn record<T>(&self, content: T, event: Event) -> impl Future<Output = Result<Recorded<T>, Error>> + use<T> {
        let appended = self.append_async(event);
        async move { appended.await.map(|index| Recorded::mint(content, index)) }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({} under way)", wire::IN_FLIGHT_MAX - self.slots.available_permits())
    }
}

fn send_all(socket: &OwnedFd, outgoing: &Receiver<Outgoing>, waiters: &Waiters) {
    for (id, Outgoing { json, waiter }) in (0..).zip(outgoing) {
        match lock(waiters).as_mut() {
            Some(waiting) => waiting.insert(id, waiter),
            // The writer is gone: dropping the waiter tells its caller.
            None => continue,
        };
        let datagram = wire::encode_request(id, &json);
        if retry(|| send(socket, &datagram, SendFlags::NOSIGNAL)).is_err() {
            *lock(waiters) = None;
        }
    }
    // The writer closes its end, and that ends the other thread. Nothing is lost if it is gone already.
    let _gone = retry(|| send(socket, wire::GOODBYE, SendFlags::NOSIGNAL));
}

fn receive_all(socket: &OwnedFd, waiters: &Waiters) {
    let mut buffer = [0; wire::ACKS_BYTES_MAX];
    while let Ok(length @ 1..) = retry(|| recv(socket, &mut buffer, RecvFlags::empty()).map(|(length, _)| length)) {
        for (id, status) in wire::decode_acks(buffer.get(..length).unwrap_or_default()) {
            let waiter = lock(waiters).as_mut().and_then(|waiting| waiting.remove(&id));
            // The caller may have stopped waiting; its event is recorded all the same.
            let _stopped = waiter.map(|waiter| waiter.reply.send(status));
        }
    }
    *lock(waiters) = None;
}

fn lock(waiters: &Waiters) -> std::sync::MutexGuard<'_, Option<HashMap<u64, Waiter>>> {
    waiters.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return other,
        }
    }
}
