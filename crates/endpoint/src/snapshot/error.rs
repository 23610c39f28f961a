use std::io;
use std::path::{Path, PathBuf};

/// Why a workspace's state could not be kept, shown or brought back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state before the session cannot be kept, so that the session is refused.
    #[error("cannot keep the workspace's state from before the session: {reason}")]
    NotKept {
        /// What is in the way and what to do.
        reason: String,
    },
    /// The system refused.
    #[error("cannot {attempt} {}: {source}", shown(path))]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing is known by this name.
    #[error("there is no kept state of {}: `bailiwick session list` names those that there are", shown(Path::new(id)))]
    Unknown {
        /// As it was given.
        id: String,
    },
    /// The session, or a rollback or commit of it, is still under way.
    #[error("{id} is still in use, by its session or by another rollback or commit: wait for its end, then try again")]
    InUse {
        /// Which.
        id: String,
    },
    /// What was kept is not what was recorded.
    #[error("what was kept of {id} is damaged: {what}; nothing is brought back from it")]
    Damaged {
        /// Which.
        id: String,
        /// What does not fit.
        what: String,
    },
    /// Paths were changed by someone else, and would be overwritten.
    #[error("{} changed {since}, and would be overwritten: {}; look at them, then give --force", paths(*count), listed.join(", "))]
    Conflict {
        /// How many.
        count: usize,
        /// The first of them, fit to print.
        listed: Vec<String>,
        /// Since when.
        since: &'static str,
    },
    /// The session has nothing of the kind.
    #[error("{id}: {problem}")]
    Nothing {
        /// Which.
        id: String,
        /// What is missing, and what to do.
        problem: &'static str,
    },
    /// The session's log cannot be read or written.
    #[error(transparent)]
    Evidence(#[from] evidence::Error),
    /// A guarded file has a second name, by which the agent would reach it.
    #[error(
        "{}: {} is kept from the agent, and {} is another name of the same file (a hard link), by which the agent would reach it: remove one \
         of them, or make a copy of it, then try again",
        schema::RefusalCode::FileDenied,
        shown(guarded),
        shown(other)
    )]
    SecondName {
        /// The guarded name, in the workspace.
        guarded: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// A session works in the workspace.
    #[error(transparent)]
    Claim(#[from] crate::ClaimError),
    /// The tree has more or deeper entries than the bound.
    #[error("the folder {} holds {what} than can be looked through: take some away, then try again", shown(path))]
    TooMuch {
        /// Which folder.
        path: PathBuf,
        /// `more entries`, `deeper folders`.
        what: &'static str,
    },
}

impl Error {
    pub(super) fn io(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { attempt, path, source }
    }

    pub(super) fn errno(attempt: &'static str, path: &Path) -> impl FnOnce(rustix::io::Errno) -> Self + use<> {
        let path = path.to_owned();
        move |errno| Self::Io { attempt, path, source: errno.into() }
    }
}

fn paths(count: usize) -> String {
    if count == 1 { "1 path".to_owned() } else { format!("{count} paths") }
}

/// A path fit to print: no character of it controls a terminal or turns the direction of writing.
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // Letters that show nothing (Hangul fillers) make two names look alike.
        let is_filler = matches!(character, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
        if character.is_alphanumeric() && !is_filler || matches!(character, ' '..='~') {
            out.push(character);
        } else {
            out.extend(character.escape_unicode());
        }
    }
    out
}
