//! What all calls share.
use crate::addressee::Own;
use crate::limits::{BODIES_BYTES_MAX, CALLS_MAX};
use crate::session::Door;
use crate::upstream::Upstreams;
use dlp::Detectors;
use evidence::DigestKey;
use policy::Policy;
use schema::{Clock, RequestId};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// The state of a running gateway.
pub(crate) struct Gate {
    pub(crate) door: Door,
    pub(crate) policy: Policy,
    pub(crate) upstreams: Upstreams,
    pub(crate) evidence: evidence::Client,
    pub(crate) digest_key: DigestKey,
    pub(crate) detectors: Detectors,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Ids,
    /// The listener's own name.
    pub(crate) own: Own,
    /// Whether signed thoughts may go back as they came: only one upstream can be meant, so each goes back to whom it came from.
    pub(crate) spares_thoughts: bool,
    /// One permit for each call.
    pub(crate) calls: Arc<Semaphore>,
    /// One permit for each KiB of a request body that is held.
    pub(crate) bodies_kib: Arc<Semaphore>,
}

impl Gate {
    pub(crate) fn calls() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(CALLS_MAX as usize))
    }

    pub(crate) fn bodies() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(BODIES_BYTES_MAX / 1024))
    }
}

/// Numbers for calls: random per gateway, then counted, so that none comes twice.
pub(crate) struct Ids {
    seed: [u8; 8],
    next: AtomicU64,
}

impl Ids {
    pub(crate) fn new(seed: [u8; 8]) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId::from_random((u128::from(u64::from_be_bytes(self.seed)) << 64 | u128::from(count)).to_be_bytes())
    }
}
