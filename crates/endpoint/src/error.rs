use std::io;
use std::path::PathBuf;

/// Why a session could not start, or ended before its agent did.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No command was given.
    #[error("no program was given: write it after --, for example bailiwick run -- claude")]
    NoProgram,
    /// The agent's program is not there.
    #[error("cannot find the program {}: give its path, or a name that is on PATH", name.display())]
    ProgramNotFound {
        /// As it was given.
        name: PathBuf,
    },
    /// The program that started may not be the one whose digest is on record.
    #[error("the program {} was changed while the session started, so the session was ended: start it again", path.display())]
    ProgramChanged {
        /// Where it is.
        path: PathBuf,
    },
    /// A program is not what the policy lets run.
    #[error("the policy refuses this session: the program {} ({reason}): {why}", path.display())]
    ProgramRefused {
        /// Where it is.
        path: PathBuf,
        /// Its SHA-256, if it was measured.
        sha256: Option<schema::Token>,
        /// Why, in a word, as it stands on record.
        reason: &'static str,
        /// Why, in words.
        why: &'static str,
    },
    /// A path that the session is to be given cannot be used.
    #[error("cannot give the session {what} {}: {reason}", path.display())]
    Path {
        /// `the workspace`, `the documents`, …
        what: &'static str,
        /// Which path.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The policy refuses the session.
    #[error("the policy refuses this session: {0}")]
    Refused(policy::Refusal),
    /// The walls could not be built, or did not hold.
    #[error(transparent)]
    Walls(#[from] sandbox::Error),
    /// The workspace's state cannot be kept, so that it could not be brought back.
    #[error(transparent)]
    Snapshot(#[from] crate::snapshot::Error),
    /// Evidence cannot be kept.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// The agent would be given the variable with an upstream's key.
    #[error("the variable {variable} holds an upstream's key, which only the gateway may have: do not give it to the agent with --env")]
    KeyShown {
        /// Its name.
        variable: String,
    },
    /// The workspace cannot be claimed: another session uses it.
    #[error(transparent)]
    Claim(#[from] crate::ClaimError),
    /// Evidence could no longer be kept, so the session was ended; its record has no end.
    #[error("the session {session_id} was ended, since its evidence could not be kept: {source}")]
    Unrecorded {
        /// Which session.
        session_id: schema::SessionId,
        /// What stopped the log.
        source: evidence::Error,
    },
    /// The system refused.
    #[error("cannot {attempt}: {source}")]
    System {
        /// What was attempted.
        attempt: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A wall of the policy's list is not one that this build knows.
    #[error("the policy names the wall {0}, which this build does not know; use a build of the policy's version")]
    UnknownWall(schema::Token),
}

impl Error {
    pub(crate) fn system(attempt: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { attempt, source }
    }
}
