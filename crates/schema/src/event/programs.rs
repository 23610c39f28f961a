//! Events about programs, and about calls that change who a process is or whom it looks into.

use super::PathClass;
use crate::{KeyedDigest, RefusalCode, SessionId, Subject, Token};
use serde::{Deserialize, Serialize};

/// See [`super::Event::ProgramExecuted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramExecuted {
    /// Whose session.
    pub session_id: SessionId,
    /// Keyed digest of the canonical path of the file that the kernel runs (of a script: its interpreter).
    pub program_id: KeyedDigest,
    /// Where it lies.
    pub path_class: PathClass,
    /// SHA-256 of that file; none if it was written or could not be read before it was measured.
    pub sha256: Option<Token>,
    /// Keyed digest of the path that was asked for, if that is another file: a script.
    pub script_id: Option<KeyedDigest>,
    /// Where the script lies.
    pub script_class: Option<PathClass>,
    /// Keyed digest of the arguments, each ended by a NUL byte; none if they could not be taken.
    pub arguments_digest: Option<KeyedDigest>,
    /// Whether it was seen between the kernel's exec and the program's first instruction. Under a debugger of the agent's own it is not:
    /// then this is what was asked for, and a further event tells what was found if that is another program.
    pub confirmed: bool,
}

/// See [`super::Event::ProgramRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramRefused {
    /// Which session.
    pub session_id: SessionId,
    /// Who wanted to start the session, if that is what was refused: such a session has no start and no end.
    pub subject: Option<Subject>,
    /// Keyed digest of the program's path.
    pub program_id: KeyedDigest,
    /// Where it lies.
    pub path_class: PathClass,
    /// SHA-256 of the file, if it was measured.
    pub sha256: Option<Token>,
    /// Why: `not_listed`, `loader` (the dynamic loader as a program), `nameless` (a file without a name: memory, a pipe), `changed` (not
    /// the file that was measured before the start), `not_executable` (by its mode or its mount), `unreadable` (it could not be
    /// measured), `too_large`, `too_many` (the session's bound), `untraced` (nothing could confirm what is run); of a session that did
    /// not start: `agent_not_pinned`, `agent_not_listed`, `listed_digest`.
    pub reason: Token,
    /// Always [`RefusalCode::ProgramDenied`].
    pub code: RefusalCode,
}

/// See [`super::Event::SystemCallObserved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemCallObserved {
    /// Whose session.
    pub session_id: SessionId,
    /// The call's name.
    pub system_call: Token,
    /// What it asked for: `trace_me`, `attach`, `seize` of `ptrace`; `own_id` or `other_id` where an id is set (nobody but the one user
    /// of the session exists inside); `asked` where the arguments stand in memory.
    pub request: Token,
}
