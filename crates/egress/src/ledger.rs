//! Refusals on their way into evidence: the first of a kind at once, repetitions counted.

use evidence::Client;
use schema::event::{ConnectionRefused, NameRefused};
use schema::{Event, KeyedDigest, RefusalCode, SessionId, Token};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// At most one record for each kind of refusal in this time.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
/// Most kinds that are told apart in one window; further ones share a record without a destination.
pub(crate) const KINDS_MAX: usize = 256;

/// How a program tried to connect, as events name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Protocol {
    Tcp,
    HttpConnect,
    Http,
    Socks5,
}

impl Protocol {
    pub(crate) fn token(self) -> Token {
        Token::lossy(match self {
            Self::Tcp => "tcp",
            Self::HttpConnect => "http_connect",
            Self::Http => "http",
            Self::Socks5 => "socks5",
        })
    }
}

/// One kind of refusal; equal ones are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refused {
    Connection { protocol: Protocol, host: Token, port: u16, code: RefusalCode },
    Name { name: Token, digest: KeyedDigest, query_type: u16, code: RefusalCode },
}

impl Refused {
    fn into_event(self, session_id: SessionId, attempts: u64) -> Event {
        match self {
            Self::Connection { protocol, host, port, code } => {
                Event::ConnectionRefused(ConnectionRefused { session_id, protocol: protocol.token(), host, port, code, attempts })
            }
            Self::Name { name, digest, query_type, code } => {
                Event::NameRefused(NameRefused { session_id, name, name_digest: digest, query_type, code, attempts })
            }
        }
    }
}

struct Entry {
    written: Instant,
    pending: u64,
}

/// The bounded memory of what was refused.
pub(crate) struct Ledger {
    session_id: SessionId,
    evidence: Client,
    nothing: KeyedDigest,
    entries: Mutex<BTreeMap<Refused, Entry>>,
    is_lost: AtomicBool,
}

impl Ledger {
    /// An empty ledger. `nothing` is the digest of no bytes, for names that are not told apart.
    pub(crate) fn new(session_id: SessionId, evidence: Client, nothing: KeyedDigest) -> Self {
        Self { session_id, evidence, nothing, entries: Mutex::default(), is_lost: AtomicBool::new(false) }
    }

    /// Records a refusal. When it returns, the refusal is durable, or it repeats a durable one and is counted.
    ///
    /// # Errors
    /// [`evidence::Error`] if it could not be made durable, and ever after.
    pub(crate) async fn record(&self, refused: Refused) -> Result<(), evidence::Error> {
        let mut entries = self.entries.lock().await;
        if self.is_lost.load(Ordering::Relaxed) {
            return Err(evidence::Error::Unavailable);
        }
        let refused = if entries.len() < KINDS_MAX || entries.contains_key(&refused) { refused } else { self.folded(&refused) };
        if let Some(entry) = entries.get_mut(&refused) {
            entry.pending = entry.pending.saturating_add(1);
            return Ok(());
        }
        self.append(refused.clone(), 1).await?;
        entries.insert(refused, Entry { written: Instant::now(), pending: 0 });
        Ok(())
    }

    /// Writes what was counted in windows that are over, and forgets kinds that were not repeated.
    pub(crate) async fn sweep(&self) -> Result<(), evidence::Error> {
        self.write_counts(WINDOW).await
    }

    /// Writes all that was counted.
    pub(crate) async fn flush(&self) -> Result<(), evidence::Error> {
        self.write_counts(Duration::ZERO).await
    }

    async fn write_counts(&self, age_min: Duration) -> Result<(), evidence::Error> {
        let mut entries = self.entries.lock().await;
        let now = Instant::now();
        entries.retain(|_, entry| entry.pending > 0 || now.duration_since(entry.written) < age_min);
        for (refused, entry) in entries.iter_mut().filter(|(_, entry)| entry.pending > 0) {
            if now.duration_since(entry.written) >= age_min {
                self.append(refused.clone(), entry.pending).await?;
                *entry = Entry { written: now, pending: 0 };
            }
        }
        Ok(())
    }

    async fn append(&self, refused: Refused, attempts: u64) -> Result<(), evidence::Error> {
        let appended = self.evidence.append_async(refused.into_event(self.session_id.clone(), attempts)).await;
        if appended.is_err() {
            self.is_lost.store(true, Ordering::Relaxed);
        }
        appended.map(|_| ())
    }

    fn folded(&self, refused: &Refused) -> Refused {
        let untold = crate::host::Host::untold();
        match refused {
            Refused::Connection { protocol, code, .. } => Refused::Connection { protocol: *protocol, host: untold, port: 0, code: *code },
            Refused::Name { code, .. } => self.untold_name(*code),
        }
    }

    /// How a name that was not understood, or came too fast, is counted.
    pub(crate) fn untold_name(&self, code: RefusalCode) -> Refused {
        Refused::Name { name: crate::host::Host::untold(), digest: self.nothing.clone(), query_type: 0, code }
    }
}
