use crate::{
    Client, DurableIndex, Error, Log,
    client::retry,
    log::BATCH_EVENTS_MAX,
    wire::{self, Status},
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair, sockopt},
};
use schema::Event;
use std::{
    future::Future,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    thread::{self, JoinHandle},
};

/// Room asked for answers to one client; the system doubles it and caps it.
const ACK_BUFFER_BYTES: usize = 256 * 1024;
/// Turns that the writer still takes after it was asked to stop while events keep coming.
const LAST_TURNS_MAX: usize = 64;

/// Something in the writer's own process that events come from, such as the warden's reports of opened files.
pub trait Source: Send {
    /// Readable when events wait.
    fn fd(&self) -> BorrowedFd<'_>;

    /// Takes what waits, without blocking: all that was there when it was called, and at most 4096 events. Nothing waiting is `Ok` and
    /// empty.
    ///
    /// # Errors
    /// Whatever would leave a gap in the record; the log is closed then and every client refused.
    fn drain(&mut self) -> Result<Vec<Event>, Error>;
}

/// The one thread that writes a log. It serves clients in other processes, sources in its own, and a [`Handle`].
///
/// In each turn it takes the waiting messages of all clients, *then* drains all sources, and writes the sources' events first: a file that
/// was opened before a call was announced is on the disk before the call is confirmed. One turn is one batch: one write, one `fdatasync`.
#[derive(Debug)]
pub struct Writer {
    log: Log,
    clients: Vec<Option<OwnedFd>>,
    sources: Vec<SourceSlot>,
}

struct SourceSlot {
    source: Box<dyn Source>,
    /// Nobody holds the other end any more.
    hung_up: bool,
    /// Hung up and empty.
    ended: bool,
}

impl std::fmt::Debug for SourceSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceSlot(ended: {})", self.ended)
    }
}

impl Writer {
    /// A writer of `log` without clients or sources.
    pub fn new(log: Log) -> Self {
        Self { log, clients: Vec::new(), sources: Vec::new() }
    }

    /// Makes a client's socket, to hand to a process that makes a [`Client`] of it.
    ///
    /// # Errors
    /// If the system makes no socket pair.
    pub fn add_client(&mut self) -> io::Result<OwnedFd> {
        let (ours, theirs) = client_pair()?;
        self.adopt_client(ours);
        Ok(theirs)
    }

    /// Serves a client whose connection was made before (see [`client_pair`]).
    pub fn adopt_client(&mut self, ours: OwnedFd) {
        self.clients.push(Some(ours));
    }

    /// Adds a source of events.
    pub fn add_source(&mut self, source: Box<dyn Source>) {
        self.sources.push(SourceSlot { source, hung_up: false, ended: false });
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives no thread or socket.
    pub fn run(mut self) -> io::Result<Handle> {
        let client = Client::new(self.add_client()?)?;
        let (control, theirs) = pair()?;
        let thread = thread::Builder::new().name("evidence-write".into()).spawn(move || self.serve(&theirs))?;
        Ok(Handle { client, control, thread })
    }

    fn serve(mut self, control: &OwnedFd) -> Result<(), Error> {
        let mut last_turns = 0;
        while last_turns < LAST_TURNS_MAX {
            let last = self.wait(control)?;
            let arrivals = self.take_clients();
            let (observed, drained) = self.drain_sources();
            let idle = arrivals.is_empty() && observed.is_empty();
            self.commit(observed, drained, arrivals)?;
            self.log.tidy()?;
            if last && idle {
                break;
            }
            last_turns += usize::from(last);
        }
        Ok(())
    }

    /// Waits until something happens; true once the handle has asked for the end.
    fn wait(&mut self, control: &OwnedFd) -> Result<bool, Error> {
        let mut polled: Vec<PollFd<'_>> = vec![PollFd::new(control, PollFlags::IN)];
        polled.extend(self.clients.iter().flatten().map(|client| PollFd::new(client, PollFlags::IN)));
        let sources: Vec<_> = self.sources.iter().map(|slot| slot.source.fd()).collect();
        let first_source = polled.len();
        polled.extend(sources.iter().zip(&self.sources).filter(|(_, slot)| !slot.ended).map(|(fd, _)| PollFd::new(fd, PollFlags::IN)));
        retry(|| poll(&mut polled, None)).map_err(|_| Error::Unavailable)?;
        let last = polled.first().is_some_and(|control| !control.revents().is_empty());
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        let hung_up: Vec<bool> = polled.iter().skip(first_source).map(|source| source.revents().intersects(gone)).collect();
        drop(polled);
        drop(sources);
        for (slot, hung_up) in self.sources.iter_mut().filter(|slot| !slot.ended).zip(hung_up) {
            // What it still holds is drained first.
            slot.hung_up = hung_up;
        }
        Ok(last)
    }

    /// Takes what waits in every client's socket; closes those that have ended.
    fn take_clients(&mut self) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        let mut buffer = vec![0; wire::REQUEST_BYTES_MAX];
        for (client, slot) in self.clients.iter_mut().enumerate() {
            for _ in 0..wire::IN_FLIGHT_MAX {
                let Some(socket) = slot.as_ref() else { break };
                let length = match retry(|| recv(socket, &mut buffer[..], RecvFlags::DONTWAIT | RecvFlags::TRUNC)) {
                    Err(rustix::io::Errno::AGAIN) => break,
                    // The datagram's own length: of one that is too long, the beginning is no event.
                    Ok((_, length)) => length,
                    Err(_) => 0,
                };
                let Some((id, event)) = buffer.get(..length).and_then(wire::decode_request) else {
                    // Goodbye, gone, or not one of ours.
                    *slot = None;
                    break;
                };
                arrivals.push(Arrival { client, id, event });
            }
        }
        arrivals
    }

    /// Every source's waiting events, and the first failure.
    fn drain_sources(&mut self) -> (Vec<Event>, Result<(), Error>) {
        let mut events = Vec::new();
        let mut outcome = Ok(());
        for slot in self.sources.iter_mut().filter(|slot| !slot.ended) {
            match slot.source.drain() {
                Ok(drained) if drained.is_empty() => slot.ended = slot.hung_up,
                Ok(mut drained) => events.append(&mut drained),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        (events, outcome)
    }

    /// Writes the sources' events, then the clients', makes them durable and confirms the clients'.
    fn commit(&mut self, observed: Vec<Event>, drained: Result<(), Error>, arrivals: Vec<Arrival>) -> Result<(), Error> {
        let mut acks: Vec<Vec<u8>> = vec![Vec::new(); self.clients.len()];
        let mut next = self.log.next_index() + observed.len() as u64;
        let mut events = observed;
        let mut verdicts = Vec::with_capacity(arrivals.len());
        for Arrival { client, id, event } in arrivals {
            let status = match (&drained, event) {
                (Err(_), _) => Status::Unavailable,
                (Ok(()), None) => Status::Malformed,
                (Ok(()), Some(event)) => {
                    events.push(event);
                    next += 1;
                    Status::Durable(DurableIndex(next - 1))
                }
            };
            verdicts.push((client, id, status));
        }
        let written = self.write(&events);
        for (client, id, status) in verdicts {
            let status = if written.is_ok() { status } else { Status::Unavailable };
            if let Some(acks) = acks.get_mut(client) {
                wire::encode_ack(id, status, acks);
            }
        }
        for (slot, acks) in self.clients.iter_mut().zip(&acks) {
            let sent = slot.as_ref().map(|socket| if acks.is_empty() { Ok(0) } else { confirm(socket, acks) });
            // A client that does not take its answers is cut off; it must not hold up the others.
            if matches!(sent, Some(Err(_))) {
                *slot = None;
            }
        }
        written.and(drained)
    }

    fn write(&mut self, events: &[Event]) -> Result<(), Error> {
        events.chunks(BATCH_EVENTS_MAX).try_for_each(|batch| self.log.append(batch).map(|_| ()))
    }
}

/// An event of a client, not yet written.
struct Arrival {
    client: usize,
    id: u64,
    event: Option<Event>,
}

/// The running writer, for the process it runs in.
///
/// Dropping it asks the writer to finish what waits and to stop; [`Handle::shutdown`] also waits for that.
#[derive(Debug)]
pub struct Handle {
    client: Client,
    control: OwnedFd,
    thread: JoinHandle<Result<(), Error>>,
}

impl Handle {
    /// See [`Client::append`].
    ///
    /// # Errors
    /// As there.
    pub fn append(&self, event: Event) -> Result<DurableIndex, Error> {
        self.client.append(event)
    }

    /// See [`Client::append_async`].
    ///
    /// # Errors
    /// As there.
    pub fn append_async(&self, event: Event) -> impl Future<Output = Result<DurableIndex, Error>> + Send + use<> {
        self.client.append_async(event)
    }

    /// A client for other threads of this process.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Hangs up (`POLLHUP`) when the writer has stopped: nothing may cross any more. To put into a poll loop.
    pub fn lifeline(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }

    /// Whether the writer still runs.
    pub fn is_running(&self) -> bool {
        !self.thread.is_finished()
    }

    /// Lets the writer take what waits, write it and stop.
    ///
    /// # Errors
    /// What stopped the writer, if it had stopped before.
    pub fn shutdown(self) -> Result<(), Error> {
        drop(self.control);
        drop(self.client);
        self.thread.join().unwrap_or(Err(Error::Unavailable))
    }
}

/// Two ends of a connection between a client and a writer: the writer's for [`Writer::adopt_client`], the client's for [`Client::new`].
/// Make it before a fork; each process must close the other's end, or it will not notice that the other died.
///
/// # Errors
/// If the system makes no socket pair.
pub fn client_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = pair()?;
    // Room for the acknowledgements of everything that a client may have under way.
    sockopt::set_socket_send_buffer_size(&ours, ACK_BUFFER_BYTES)?;
    Ok((ours, theirs))
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

fn confirm(socket: &OwnedFd, acks: &[u8]) -> rustix::io::Result<usize> {
    retry(|| send(socket, acks, SendFlags::NOSIGNAL | SendFlags::DONTWAIT))
}
