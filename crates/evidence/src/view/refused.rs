//! Rows of what was refused.

use super::row::{VerdictWord, Who};
use schema::{
    DataClasses, RefusalCode, RequestId, Token, Verdict,
    event::{FileMode, PathClass},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// See [`super::Row::CallRefused`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CallRefusedRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Which call.
    pub request_id: RequestId,
    /// Always [`VerdictWord::Refused`].
    pub verdict: VerdictWord,
    /// Hold or Deny.
    pub decision: Verdict,
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

/// See [`super::Row::FileRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileRefusedRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Always [`VerdictWord::Refused`].
    pub verdict: VerdictWord,
    /// Id of the path as it was asked for: `hmac-sha256:KEY:HEX`.
    pub file_id: String,
    /// Where it would lie.
    pub path_class: PathClass,
    /// How it would have been opened.
    pub mode: FileMode,
    /// Why.
    pub code: RefusalCode,
    /// The error that the agent got.
    pub errno: Token,
    /// Attempts that this row stands for.
    pub attempts: u64,
}

/// See [`super::Row::ConnectionRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConnectionRefusedRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Always [`VerdictWord::Refused`].
    pub verdict: VerdictWord,
    /// How it was tried.
    pub protocol: Token,
    /// The address, or a shortened host name.
    pub host: Token,
    /// The port.
    pub port: u16,
    /// Why.
    pub code: RefusalCode,
    /// Attempts that this row stands for.
    pub attempts: u64,
}

/// See [`super::Row::NameRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NameRefusedRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Always [`VerdictWord::Refused`].
    pub verdict: VerdictWord,
    /// The name, shortened.
    pub name: Token,
    /// Of the whole name: `hmac-sha256:KEY:HEX`.
    pub name_hash: String,
    /// DNS query type number.
    pub query_type: u16,
    /// Why.
    pub code: RefusalCode,
    /// Attempts that this row stands for.
    pub attempts: u64,
}

/// See [`super::Row::SystemCallRefused`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SystemCallRow {
    /// Who and when.
    #[serde(flatten)]
    pub who: Who,
    /// Always [`VerdictWord::Refused`].
    pub verdict: VerdictWord,
    /// Which.
    pub system_call: Token,
    /// Why.
    pub code: RefusalCode,
    /// Attempts that this row stands for.
    pub attempts: u64,
}
