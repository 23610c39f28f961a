use crate::Wall;
use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

/// Why a session could not be built or went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller has more than one thread: a fork would copy locks that nobody opens again.
    #[error("cannot start a session from a process with several threads; fork before starting a runtime")]
    Threaded,
    /// A required wall could not be built or did not hold.
    #[error("the wall {wall} is missing ({found}); {}", wall.advice())]
    WallMissing {
        /// Which wall.
        wall: Wall,
        /// What was found instead.
        found: String,
    },
    /// The plan contradicts itself.
    #[error("the plan cannot be built: {problem}: {}", path.display())]
    Plan {
        /// What is wrong.
        problem: &'static str,
        /// With which path (empty if with none).
        path: PathBuf,
    },
    /// A system call failed.
    #[error("cannot {attempt}: {source}")]
    System {
        /// What was attempted.
        attempt: Cow<'static, str>,
        /// What the kernel said.
        source: io::Error,
    },
    /// A system call on a path failed.
    #[error("cannot {attempt} {}: {source}", path.display())]
    Path {
        /// What was attempted.
        attempt: Cow<'static, str>,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A message between the session's processes was not understood.
    #[error("cannot understand a message of the warden: {problem}")]
    Message {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The warden ended before it said so.
    #[error("the warden of the session ended unexpectedly; the session is over")]
    WardenLost,
    /// Something was called in the wrong order.
    #[error("{0}")]
    Order(&'static str),
}

impl Error {
    /// A failed system call.
    pub(crate) fn system(attempt: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { attempt: Cow::Borrowed(attempt), source }
    }

    /// A failed system call, from rustix.
    pub(crate) fn errno(attempt: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::System { attempt: Cow::Borrowed(attempt), source: errno.into() }
    }

    /// A failed system call on a path, from rustix.
    pub(crate) fn path(attempt: &'static str, path: &std::path::Path) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::Path { attempt: Cow::Borrowed(attempt), path: path.to_owned(), source: errno.into() }
    }
}
