use super::changed::FileChangedRow;
use super::notice::{LimitRow, PolicyRow, ProbesRow};
use super::programs::{ObservedCallRow, ProgramRefusedRow, ProgramRow};
use super::refused::{CallRefusedRow, ConnectionRefusedRow, FileRefusedRow, NameRefusedRow, SystemCallRow};
use super::workspace::WorkspaceRow;
use schema::{
    DataClasses, RequestId, SessionId, Timestamp, Token, Trust, Verdict,
    event::{CallCompleted, Outcome, UpstreamFacts},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// One act of an agent, joined from all records about it: the playbook's telemetry. Serialises to one JSON object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "action")]
pub enum Row {
    /// A call that was authorised, with its outcome.
    #[serde(rename = "llm_call")]
    Call(Box<CallRow>),
    /// The outcome of a call whose authorisation is not among the records, or was shown as unknown before because too many calls were
    /// pending.
    #[serde(rename = "llm_call_outcome")]
    CallOutcome(CallOutcomeRow),
    /// A call that was refused.
    #[serde(rename = "llm_call_refused")]
    CallRefused(CallRefusedRow),
    /// A file that the agent was refused.
    #[serde(rename = "file_refused")]
    FileRefused(FileRefusedRow),
    /// A connection that the agent was refused.
    #[serde(rename = "connection_refused")]
    ConnectionRefused(ConnectionRefusedRow),
    /// A name that was not resolved.
    #[serde(rename = "name_refused")]
    NameRefused(NameRefusedRow),
    /// A system call that the profile does not list.
    #[serde(rename = "system_call_refused")]
    SystemCallRefused(SystemCallRow),
    /// A program that ran.
    #[serde(rename = "program_executed")]
    ProgramExecuted(ProgramRow),
    /// A program that was not run, or for which a session was not started.
    #[serde(rename = "program_refused")]
    ProgramRefused(ProgramRefusedRow),
    /// A system call that was let through and is told.
    #[serde(rename = "system_call_observed")]
    SystemCallObserved(ObservedCallRow),
    /// A bound that the session came to.
    #[serde(rename = "limit_reached")]
    LimitReached(LimitRow),
    /// The policy's file is not what it was when the session started.
    #[serde(rename = "policy_changed")]
    PolicyChanged(PolicyRow),
    /// A name or attributes that changed.
    #[serde(rename = "file_changed")]
    FileChanged(FileChangedRow),
    /// The workspace is brought back to a kept state.
    #[serde(rename = "workspace_restored")]
    WorkspaceRestored(WorkspaceRow),
    /// What a staged session wrote is brought into its workspace.
    #[serde(rename = "workspace_committed")]
    WorkspaceCommitted(WorkspaceRow),
    /// What a staged session wrote is dropped.
    #[serde(rename = "workspace_discarded")]
    WorkspaceDiscarded(WorkspaceRow),
    /// A round of probes while the agent ran.
    #[serde(rename = "walls_probed")]
    WallsProbed(ProbesRow),
}

/// Who did it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Who {
    /// When the act was recorded.
    #[serde(serialize_with = "super::rfc3339")]
    pub timestamp: Timestamp,
    /// Place of the (first) record in its log.
    pub index: u64,
    /// The session, if it was known.
    pub session_id: Option<SessionId>,
    /// The agent, if it was known.
    pub agent_id: Option<Token>,
    /// The user, if it was known.
    pub user_id: Option<Token>,
}

/// The playbook's verdict: one word that a SIEM can filter by. The exact one stands beside it as `decision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// Allow or Redact.
    Ok,
    /// Hold or Deny: nothing was sent.
    Refused,
}

impl From<Verdict> for VerdictWord {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow | Verdict::Redact => Self::Ok,
            Verdict::Hold | Verdict::Deny => Self::Refused,
        }
    }
}

/// How a call ended, as far as it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// See [`Outcome::Answered`].
    Answered,
    /// See [`Outcome::UpstreamError`].
    UpstreamError,
    /// See [`Outcome::NotSent`].
    NotSent,
    /// See [`Outcome::Broken`].
    Broken,
    /// See [`Outcome::ClientGone`].
    ClientGone,
    /// No outcome is recorded: the call may have been sent.
    Unknown,
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered => Self::Answered,
            Outcome::UpstreamError => Self::UpstreamError,
            Outcome::NotSent => Self::NotSent,
            Outcome::Broken => Self::Broken,
            Outcome::ClientGone => Self::ClientGone,
        }
    }
}

/// What is known about the place where the agent runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// A TPM's quote: none yet.
    pub tpm_quote: Option<Token>,
    /// SHA-256 of the agent's program file.
    pub runtime_digest: Option<Token>,
    /// The session's walls as observed: `held`, `unused`, or what was found instead.
    pub walls: BTreeMap<Token, Token>,
    /// Who keeps the record.
    pub trust: Option<Trust>,
}

/// See [`Row::Call`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Which call.
    pub request_id: RequestId,
    /// Where it went: `NAME/BOUNDARY/REGION`, `-` for an unknown region.
    pub llm_endpoint: String,
    /// The same, typed.
    pub upstream: UpstreamFacts,
    /// What the agent spoke.
    pub dialect: Token,
    /// The model asked for.
    pub model: Token,
    /// Of the request as the agent sent it: `hmac-sha256:KEY:HEX`.
    pub prompt_hash: String,
    /// Of the request as it was forwarded: `hmac-sha256:KEY:HEX`.
    pub sent_hash: String,
    /// Ids of the files opened for reading since the session's previous call, at most [`super::FILE_READS_MAX`].
    pub file_reads: Vec<String>,
    /// Whether ids are missing there.
    pub file_reads_truncated: bool,
    /// How many.
    pub file_reads_omitted: u64,
    /// Where the agent runs.
    pub attestation: Attestation,
    /// The playbook's word.
    pub verdict: VerdictWord,
    /// The exact verdict.
    pub decision: Verdict,
    /// Rules that decided.
    pub rules: Vec<Token>,
    /// Classes in the request as the agent sent it.
    pub classes_before: DataClasses,
    /// Classes it still carried.
    pub classes_after: DataClasses,
    /// Masked values by kind.
    pub redactions: BTreeMap<Token, u64>,
    /// Bytes forwarded.
    pub sent_bytes: u64,
    /// How it ended.
    #[serde(flatten)]
    pub end: End,
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    /// How.
    pub outcome: Ending,
    /// When that was recorded.
    #[serde(serialize_with = "super::rfc3339_option")]
    pub completed: Option<Timestamp>,
    /// HTTP status of the upstream.
    pub status: Option<u16>,
    /// Prompt tokens as the upstream counted them.
    pub tokens_in: Option<u64>,
    /// Answer tokens as the upstream counted them.
    pub tokens_out: Option<u64>,
    /// Bytes of the answer.
    pub answer_bytes: Option<u64>,
    /// Placeholders restored for the agent.
    pub values_restored: Option<u64>,
}

impl End {
    /// No outcome is recorded (yet).
    pub(crate) const UNKNOWN: Self = Self {
        outcome: Ending::Unknown,
        completed: None,
        status: None,
        tokens_in: None,
        tokens_out: None,
        answer_bytes: None,
        values_restored: None,
    };

    pub(crate) fn new(time: Timestamp, event: &CallCompleted) -> Self {
        Self {
            outcome: event.outcome.into(),
            completed: Some(time),
            status: event.status,
            tokens_in: event.tokens_in,
            tokens_out: event.tokens_out,
            answer_bytes: Some(event.answer_bytes),
            values_restored: Some(event.values_restored),
        }
    }
}

/// See [`Row::CallOutcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallOutcomeRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Which call.
    pub request_id: RequestId,
    /// How it ended.
    #[serde(flatten)]
    pub end: End,
}

impl Row {
    /// Who did it, and when.
    pub fn who(&self) -> &Who {
        match self {
            Self::Call(row) => &row.who,
            Self::CallOutcome(row) => &row.who,
            Self::CallRefused(row) => &row.who,
            Self::FileRefused(row) => &row.who,
            Self::ConnectionRefused(row) => &row.who,
            Self::NameRefused(row) => &row.who,
            Self::SystemCallRefused(row) => &row.who,
            Self::ProgramExecuted(row) => &row.who,
            Self::ProgramRefused(row) => &row.who,
            Self::SystemCallObserved(row) => &row.who,
            Self::LimitReached(row) => &row.who,
            Self::PolicyChanged(row) => &row.who,
            Self::FileChanged(row) => &row.who,
            Self::WorkspaceRestored(row) | Self::WorkspaceCommitted(row) | Self::WorkspaceDiscarded(row) => &row.who,
            Self::WallsProbed(row) => &row.who,
        }
    }

    /// Which call it is about, if it is about one.
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Call(row) => Some(&row.request_id),
            Self::CallOutcome(row) => Some(&row.request_id),
            Self::CallRefused(row) => Some(&row.request_id),
            Self::FileRefused(_)
            | Self::ConnectionRefused(_)
            | Self::NameRefused(_)
            | Self::SystemCallRefused(_)
            | Self::ProgramExecuted(_)
            | Self::ProgramRefused(_)
            | Self::SystemCallObserved(_)
            | Self::LimitReached(_)
            | Self::PolicyChanged(_)
            | Self::FileChanged(_)
            | Self::WorkspaceRestored(_)
            | Self::WorkspaceCommitted(_)
            | Self::WorkspaceDiscarded(_)
            | Self::WallsProbed(_) => None,
        }
    }
}
