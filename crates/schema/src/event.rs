//! What is written into evidence: one type per thing that can happen. No free text, prompt, clear path, credential or query string
//! fits into any of them.

use crate::{
    Boundary, BoundarySource, DataClasses, KeyedDigest, RefusalCode, Region, RequestId, SessionId, Subject, Token, Trust, UpstreamKind,
    Verdict,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod files;
mod limits;
mod programs;
mod walls;
mod workspace;

pub use files::{FileChange, FileChanged};
pub use limits::{LimitAction, LimitReached, PolicyChanged};
pub use programs::{ProgramExecuted, ProgramRefused, SystemCallObserved};
pub use walls::{ProbeOccasion, WallsProbed};
pub use workspace::{ActPhase, WorkspaceAct, WorkspaceSnapshotted};

/// Something that happened. Written once, by the stage that knows, also on failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Event {
    /// A session's walls stand and its agent is about to start.
    #[serde(rename = "session.started")]
    SessionStarted(SessionStarted),
    /// A session is over.
    #[serde(rename = "session.ended")]
    SessionEnded(SessionEnded),
    /// A call may go to an upstream; durable before it goes.
    #[serde(rename = "call.authorised")]
    CallAuthorised(CallAuthorised),
    /// A call's outcome; durable before the answer's last byte.
    #[serde(rename = "call.completed")]
    CallCompleted(CallCompleted),
    /// A call was refused, and nothing was forwarded.
    #[serde(rename = "call.refused")]
    CallRefused(CallRefused),
    /// An agent opened a file; one event for each file and mode in a session.
    #[serde(rename = "file.opened")]
    FileOpened(FileOpened),
    /// An agent tried to open a file and was refused.
    #[serde(rename = "file.refused")]
    FileRefused(FileRefused),
    /// An agent tried to reach an address and was refused.
    #[serde(rename = "connection.refused")]
    ConnectionRefused(ConnectionRefused),
    /// An agent asked for a name and was refused.
    #[serde(rename = "name.refused")]
    NameRefused(NameRefused),
    /// An agent made a system call that its profile does not list.
    #[serde(rename = "system_call.refused")]
    SystemCallRefused(SystemCallRefused),
    /// The log was opened again after records without their seal were cut off (a crash while writing).
    #[serde(rename = "log.recovered")]
    LogRecovered(LogRecovered),
    /// A program of the session is about to run; one event for each program, script and arguments in a session.
    #[serde(rename = "program.executed")]
    ProgramExecuted(ProgramExecuted),
    /// A program was not run, or a session was not started because of its agent's program.
    #[serde(rename = "program.refused")]
    ProgramRefused(ProgramRefused),
    /// A system call that changes who a process is or whom it traces was let through; one event for each call and request in a session.
    #[serde(rename = "system_call.observed")]
    SystemCallObserved(SystemCallObserved),
    /// A session came to one of its bounds; one event for each bound in a session, and one more if the session was ended for it later.
    #[serde(rename = "limit.reached")]
    LimitReached(LimitReached),
    /// The file of a running session's policy is not what it was when the session started.
    #[serde(rename = "policy.changed")]
    PolicyChanged(PolicyChanged),
    /// A name was removed, renamed or linked, or a file's attributes changed; one event for each file and kind of change in a session.
    #[serde(rename = "file.changed")]
    FileChanged(FileChanged),
    /// The state of a session's workspace is kept, or its changes are kept apart; with the session's first record.
    #[serde(rename = "workspace.snapshotted")]
    WorkspaceSnapshotted(WorkspaceSnapshotted),
    /// A workspace is brought back to a kept state.
    #[serde(rename = "workspace.restored")]
    WorkspaceRestored(WorkspaceAct),
    /// What a staged session wrote is brought into its workspace.
    #[serde(rename = "workspace.committed")]
    WorkspaceCommitted(WorkspaceAct),
    /// The walls were probed from inside.
    #[serde(rename = "walls.probed")]
    WallsProbed(WallsProbed),
    /// What a staged session wrote is dropped.
    #[serde(rename = "workspace.discarded")]
    WorkspaceDiscarded(WorkspaceAct),
}

/// See [`Event::SessionStarted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionStarted {
    /// Whose session.
    pub subject: Subject,
    /// Version of Bailiwick.
    pub bailiwick_version: Token,
    /// The profile's name.
    pub profile: Token,
    /// SHA-256 of the policy's text.
    pub policy_digest: Token,
    /// SHA-256 of the agent's program file, if it could be read.
    pub runtime_digest: Option<Token>,
    /// Walls as they were observed from inside, by name: `held`, or what was found instead.
    pub walls: BTreeMap<Token, Token>,
    /// How file opens are observed (`seccomp-addfd`, `none`).
    pub file_observation: Token,
    /// What bounds the session's processes together: `cgroup-v2`, `cgroup-v1`, `watcher` (the supervisor counts what they use), `none`
    /// (there are no processes of the session here).
    pub limits_by: Token,
    /// Upstreams that the session may be routed to.
    pub upstreams: Vec<UpstreamFacts>,
}

/// What is known of an upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamFacts {
    /// The upstream's name in the policy (`user` for one from the command line).
    pub name: Token,
    /// What it speaks.
    pub kind: UpstreamKind,
    /// Who controls it.
    pub boundary: Boundary,
    /// Who says so.
    pub boundary_source: BoundarySource,
    /// Where it is, if known.
    pub region: Option<Region>,
}

/// See [`Event::SessionEnded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionEnded {
    /// Which session.
    pub session_id: SessionId,
    /// The agent's exit code (128 + signal number if a signal ended it).
    pub exit_code: i32,
    /// Why it ended: `agent_exited`, `not_started` (its program could not be executed), `program_changed`
    /// (while it was being measured and started), `gateway_lost`, `door_lost`, `walls_lost`,
    /// `evidence_unavailable`, `supervision_failed`, `wall_breached` (a probe got through), `interrupted`, and those of bounds: `limit_memory`,
    /// `limit_processes`, `limit_cpu`, `limit_disk`, `limit_output`, `wall_clock`.
    pub cause: Token,
}

/// See [`Event::CallAuthorised`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallAuthorised {
    /// Who calls.
    pub subject: Subject,
    /// Which call.
    pub request_id: RequestId,
    /// `openai.chat`, `anthropic.messages`, …
    pub dialect: Token,
    /// The model that was asked for, as it stands in the masked request.
    pub model: Token,
    /// Where it goes.
    pub upstream: UpstreamFacts,
    /// Classes found in the request.
    pub classes_before: DataClasses,
    /// Classes that it still carries after masking.
    pub classes_after: DataClasses,
    /// Masked values by kind (`iban`, `email`, …).
    pub redactions: BTreeMap<Token, u64>,
    /// Allow or Redact.
    pub verdict: Verdict,
    /// Rules that decided.
    pub rules: Vec<Token>,
    /// Of the request's body as the agent sent it.
    pub prompt_digest: KeyedDigest,
    /// Of the request's body as it is forwarded.
    pub sent_digest: KeyedDigest,
    /// Bytes forwarded.
    pub sent_bytes: u64,
}

/// How a forwarded call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The upstream answered.
    Answered,
    /// The upstream answered with an error status.
    UpstreamError,
    /// The upstream was never reached: nothing was sent.
    NotSent,
    /// Something was sent, and the answer broke off or was withheld.
    Broken,
    /// The agent went away before the answer's end.
    ClientGone,
}

/// See [`Event::CallCompleted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallCompleted {
    /// Whose session.
    pub session_id: SessionId,
    /// Which call.
    pub request_id: RequestId,
    /// How it ended.
    pub outcome: Outcome,
    /// HTTP status of the upstream, if it answered.
    pub status: Option<u16>,
    /// Prompt tokens as the upstream counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens as the upstream counted them.
    pub tokens_out: Option<u64>,
    /// Of the answer's bytes as they came from the upstream.
    pub answer_digest: KeyedDigest,
    /// Bytes of the answer as they came.
    pub answer_bytes: u64,
    /// Placeholders restored for the agent.
    pub values_restored: u64,
}

/// See [`Event::CallRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallRefused {
    /// Who called, if that was known.
    pub subject: Option<Subject>,
    /// Which call.
    pub request_id: RequestId,
    /// Why.
    pub code: RefusalCode,
    /// Rules that decided.
    pub rules: Vec<Token>,
    /// Classes found, if it came to that.
    pub classes_before: DataClasses,
    /// Classes left after masking, if it came to that.
    pub classes_after: DataClasses,
    /// Findings by kind, if it came to that.
    pub redactions: BTreeMap<Token, u64>,
}

/// Where in the session's view a file lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathClass {
    /// The session's workspace.
    Workspace,
    /// A read-only document repository.
    Documents,
    /// The agent's own program files.
    Program,
    /// The operating system.
    System,
    /// Private areas that end with the session (home, /tmp, /dev/shm).
    Private,
    /// Anything else: a path that does not exist inside.
    Outside,
}

/// How a file was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileMode {
    /// For reading.
    Read,
    /// For writing.
    Write,
    /// For both.
    ReadWrite,
}

/// See [`Event::FileOpened`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOpened {
    /// Whose session.
    pub session_id: SessionId,
    /// Keyed digest of the canonical path: the same file has the same id in every session under the same key.
    pub file_id: KeyedDigest,
    /// Where it lies.
    pub path_class: PathClass,
    /// How it was opened.
    pub mode: FileMode,
}

/// See [`Event::FileRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRefused {
    /// Whose session.
    pub session_id: SessionId,
    /// Keyed digest of the path as it was asked for.
    pub file_id: KeyedDigest,
    /// Where it would lie.
    pub path_class: PathClass,
    /// How it would have been opened.
    pub mode: FileMode,
    /// Always [`RefusalCode::FileDenied`].
    pub code: RefusalCode,
    /// The error the agent got (`ENOENT`, `EACCES`, `EROFS`, …).
    pub errno: Token,
    /// How many attempts this record stands for, 1 if it does not say; each attempt is counted in one record only.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub attempts: u64,
}

/// See [`Event::ConnectionRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionRefused {
    /// Whose session.
    pub session_id: SessionId,
    /// `tcp`, `udp`, `http_connect`, `http`, `socks5`.
    pub protocol: Token,
    /// The address, or a shortened host name (see [`NameRefused::name`]).
    pub host: Token,
    /// The port.
    pub port: u16,
    /// Why.
    pub code: RefusalCode,
    /// How many attempts this record stands for; each attempt is counted in one record only.
    pub attempts: u64,
}

/// See [`Event::NameRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameRefused {
    /// Whose session.
    pub session_id: SessionId,
    /// At most the last three labels, each at most 24 bytes: longer ones could carry data and become `~`.
    pub name: Token,
    /// Of the whole name.
    pub name_digest: KeyedDigest,
    /// DNS query type number (RFC 1035).
    pub query_type: u16,
    /// Why.
    pub code: RefusalCode,
    /// How many attempts this record stands for; each attempt is counted in one record only.
    pub attempts: u64,
}

/// See [`Event::SystemCallRefused`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemCallRefused {
    /// Whose session.
    pub session_id: SessionId,
    /// The call's name or, if it has none, `call_NUMBER`; with the numbering before it (`i386:20`, `x32:39`) if it is not the machine's own.
    pub system_call: Token,
    /// Always [`RefusalCode::SystemCallDenied`].
    pub code: RefusalCode,
    /// How many attempts this record stands for, 1 if it does not say; each attempt is counted in one record only.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub attempts: u64,
}

/// What a record without a count stands for.
fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_once(attempts: &u64) -> bool {
    *attempts == once()
}

/// See [`Event::LogRecovered`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRecovered {
    /// Bytes that were cut off.
    pub bytes_dropped: u64,
    /// Who keeps the record.
    pub trust: Trust,
}

impl Event {
    /// The session that the event belongs to, if it belongs to one.
    pub fn session_id(&self) -> Option<&SessionId> {
        match self {
            Self::SessionStarted(event) => Some(&event.subject.session_id),
            Self::SessionEnded(event) => Some(&event.session_id),
            Self::CallAuthorised(event) => Some(&event.subject.session_id),
            Self::CallCompleted(event) => Some(&event.session_id),
            Self::CallRefused(event) => event.subject.as_ref().map(|subject| &subject.session_id),
            Self::FileOpened(event) => Some(&event.session_id),
            Self::FileRefused(event) => Some(&event.session_id),
            Self::ConnectionRefused(event) => Some(&event.session_id),
            Self::NameRefused(event) => Some(&event.session_id),
            Self::SystemCallRefused(event) => Some(&event.session_id),
            Self::ProgramExecuted(event) => Some(&event.session_id),
            Self::ProgramRefused(event) => Some(&event.session_id),
            Self::SystemCallObserved(event) => Some(&event.session_id),
            Self::FileChanged(event) => Some(&event.session_id),
            Self::WorkspaceSnapshotted(event) => Some(&event.session_id),
            Self::WorkspaceRestored(event) | Self::WorkspaceCommitted(event) | Self::WorkspaceDiscarded(event) => Some(&event.session_id),
            Self::LogRecovered(_) => None,
            Self::LimitReached(event) => Some(&event.session_id),
            Self::WallsProbed(event) => Some(&event.session_id),
            Self::PolicyChanged(event) => Some(&event.session_id),
        }
    }

    /// The call that the event belongs to, if it belongs to one.
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::CallAuthorised(event) => Some(&event.request_id),
            Self::CallCompleted(event) => Some(&event.request_id),
            Self::CallRefused(event) => Some(&event.request_id),
            Self::SessionStarted(_)
            | Self::SessionEnded(_)
            | Self::FileOpened(_)
            | Self::FileRefused(_)
            | Self::ConnectionRefused(_)
            | Self::NameRefused(_)
            | Self::SystemCallRefused(_)
            | Self::LogRecovered(_)
            | Self::ProgramExecuted(_)
            | Self::ProgramRefused(_)
            | Self::SystemCallObserved(_)
            | Self::LimitReached(_)
            | Self::PolicyChanged(_)
            | Self::FileChanged(_)
            | Self::WorkspaceSnapshotted(_)
            | Self::WorkspaceRestored(_)
            | Self::WorkspaceCommitted(_)
            | Self::WorkspaceDiscarded(_)
            | Self::WallsProbed(_) => None,
        }
    }
}
