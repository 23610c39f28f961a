//! How the threads of a session tell the one that can end it.

use crate::Error;
use crate::supervise::Cause;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// Says that a session must end, and why. The first one counts.
#[derive(Clone)]
pub(crate) struct Alarm {
    raised: Arc<Mutex<Option<Cause>>>,
    wake: Arc<UnixStream>,
}

/// Hears it.
pub(crate) struct Bell {
    raised: Arc<Mutex<Option<Cause>>>,
    heard: UnixStream,
}

pub(crate) fn pair() -> Result<(Alarm, Bell), Error> {
    let made = UnixStream::pair().and_then(|(wake, heard)| wake.set_nonblocking(true).map(|()| (wake, heard)));
    let (wake, heard) = made.map_err(Error::system("make the way of alarms"))?;
    let raised = Arc::new(Mutex::new(None));
    Ok((Alarm { raised: Arc::clone(&raised), wake: Arc::new(wake) }, Bell { raised, heard }))
}

impl Alarm {
    pub(crate) fn raise(&self, cause: Cause) {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
        // One byte is enough; a way that is full has woken already.
        let _woken = (&*self.wake).write(b"!");
    }
}

impl Bell {
    pub(crate) fn rung(&self) -> Option<Cause> {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Bell {
    /// Readable once an alarm was raised, or when nobody is left to raise one.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.heard.as_fd()
    }
}

#[cfg(test)]
mod tests;
