//! Reads a request's body, within its bounds.
use crate::gate::Gate;
use crate::limits::{BODY_PAUSE_SECONDS_MAX, BODY_SECONDS_MAX};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use schema::RefusalCode;
use schema::bounds::REQUEST_BODY_BYTES_MAX;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// A body together with the memory that was set aside for it.
pub(crate) struct Intake {
    pub(crate) bytes: Vec<u8>,
    pub(crate) reserved: OwnedSemaphorePermit,
}

/// Reads a body.
///
/// # Errors
/// Why it cannot be taken: encoded, too large, too slow, broken off, or no memory left for it.
pub(crate) async fn read(gate: &Gate, headers: &HeaderMap, mut body: Incoming) -> Result<Intake, RefusalCode> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if !encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(RefusalCode::Encoded);
    }
    let announced = usize::try_from(body.size_hint().lower()).map_err(|_| RefusalCode::TooLarge)?;
    if announced > REQUEST_BODY_BYTES_MAX {
        return Err(RefusalCode::TooLarge);
    }
    let mut reserved = reserve(&gate.bodies_kib, announced)?;
    let mut bytes = Vec::with_capacity(announced);
    let deadline = Instant::now() + Duration::from_secs(BODY_SECONDS_MAX);
    while !body.is_end_stream() {
        let pause = Duration::from_secs(BODY_PAUSE_SECONDS_MAX).min(deadline.saturating_duration_since(Instant::now()));
        let Some(frame) = timeout(pause, body.frame()).await.map_err(|_| RefusalCode::Malformed)? else { break };
        let Ok(data) = frame.map_err(|_| RefusalCode::Malformed)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > REQUEST_BODY_BYTES_MAX {
            return Err(RefusalCode::TooLarge);
        }
        let held = reserved.num_permits() * 1024;
        if length > held {
            reserved.merge(reserve(&gate.bodies_kib, length.max(held * 2).min(REQUEST_BODY_BYTES_MAX) - held)?);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Intake { bytes, reserved })
}

fn reserve(bodies_kib: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, RefusalCode> {
    let kib = u32::try_from(bytes.div_ceil(1024)).map_err(|_| RefusalCode::TooLarge)?;
    Arc::clone(bodies_kib).try_acquire_many_owned(kib).map_err(|_| RefusalCode::Overloaded)
}
