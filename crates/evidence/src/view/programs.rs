use super::row::{VerdictWord, Who};
use schema::{
    RefusalCode, Token,
    event::{PathClass, ProgramExecuted, ProgramRefused, SystemCallObserved},
};
use serde::Serialize;

/// See [`super::Row::ProgramExecuted`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// The program's file: `hmac-sha256:KEY:HEX`.
    pub program_id: String,
    /// Where it lies.
    pub path_class: PathClass,
    /// SHA-256 of the file; none if it could not be measured.
    pub sha256: Option<Token>,
    /// The script that it runs, if it was asked for: `hmac-sha256:KEY:HEX`.
    pub script_id: Option<String>,
    /// Where the script lies.
    pub script_class: Option<PathClass>,
    /// Of the arguments: `hmac-sha256:KEY:HEX`.
    pub arguments_hash: Option<String>,
    /// Whether it was seen before its first instruction.
    pub confirmed: bool,
}

/// See [`super::Row::ProgramRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramRefusedRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Always [`VerdictWord::Refused`].
    pub verdict: VerdictWord,
    /// The program's file: `hmac-sha256:KEY:HEX`.
    pub program_id: String,
    /// Where it lies.
    pub path_class: PathClass,
    /// SHA-256 of the file, if it was measured.
    pub sha256: Option<Token>,
    /// Why, in a word.
    pub reason: Token,
    /// Why.
    pub code: RefusalCode,
}

/// See [`super::Row::SystemCallObserved`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedCallRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Which.
    pub system_call: Token,
    /// What it asked for.
    pub request: Token,
}

impl ProgramRow {
    pub(crate) fn new(who: Who, event: ProgramExecuted) -> Self {
        Self {
            who,
            program_id: event.program_id.to_string(),
            path_class: event.path_class,
            sha256: event.sha256,
            script_id: event.script_id.map(|id| id.to_string()),
            script_class: event.script_class,
            arguments_hash: event.arguments_digest.map(|digest| digest.to_string()),
            confirmed: event.confirmed,
        }
    }
}

impl ProgramRefusedRow {
    pub(crate) fn new(who: Who, event: ProgramRefused) -> Self {
        // Of a session that did not start nothing else is known.
        let who = match event.subject {
            Some(subject) => Who { agent_id: Some(subject.agent_id), user_id: Some(subject.user_id), ..who },
            None => who,
        };
        Self {
            who,
            verdict: VerdictWord::Refused,
            program_id: event.program_id.to_string(),
            path_class: event.path_class,
            sha256: event.sha256,
            reason: event.reason,
            code: event.code,
        }
    }
}

impl ObservedCallRow {
    pub(crate) fn new(who: Who, event: SystemCallObserved) -> Self {
        Self { who, system_call: event.system_call, request: event.request }
    }
}
