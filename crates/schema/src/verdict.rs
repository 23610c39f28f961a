use serde::{Deserialize, Serialize};

/// What became of a call. The playbook's `ok` is [`Verdict::Allow`] or [`Verdict::Redact`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Sent as it came.
    Allow,
    /// Sent with values masked.
    Redact,
    /// Waits for a person; refused until there is a gate where one can answer.
    Hold,
    /// Refused.
    Deny,
}
