use super::row::Ending;
use schema::{
    DataClasses, RefusalCode, RequestId, SessionId, Subject, Timestamp, Token,
    event::{LimitAction, PathClass, UpstreamFacts},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One session in brief. [`crate::text::render`] prints it on one screen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SessionReport {
    /// Who, what for, and who keeps the record. `None` if the records lack the session's start and calls.
    pub subject: Option<Subject>,
    /// Which session.
    pub session_id: Option<SessionId>,
    /// The profile.
    pub profile: Option<Token>,
    /// SHA-256 of the policy's text.
    pub policy_digest: Option<Token>,
    /// SHA-256 of the agent's program file.
    pub runtime_digest: Option<Token>,
    /// When it started.
    #[serde(serialize_with = "super::rfc3339_option")]
    pub started: Option<Timestamp>,
    /// When it ended; `None` if that is not recorded.
    #[serde(serialize_with = "super::rfc3339_option")]
    pub ended: Option<Timestamp>,
    /// The agent's exit code.
    pub exit_code: Option<i32>,
    /// Why it ended.
    pub cause: Option<Token>,
    /// The walls as observed from inside.
    pub walls: Walls,
    /// What came of the attempts on the walls.
    pub probes: ProbeCounts,
    /// How file opens are observed.
    pub file_observation: Option<Token>,
    /// What bounds the session's processes together.
    pub limits_by: Option<Token>,
    /// Bounds that the session came to, by the policy's key.
    pub limits_reached: BTreeMap<Token, ReachedLimit>,
    /// What became of the policy's file meanwhile (`changed`, `deleted`).
    pub policy_changes: BTreeSet<Token>,
    /// Files opened, by class.
    pub files: BTreeMap<PathClass, FileCounts>,
    /// Files read that are neither the system's nor the agent's program.
    pub files_read: Vec<ReadFile>,
    /// How many more of these there are.
    pub files_read_omitted: u64,
    /// Programs that ran and that were refused.
    pub programs: ProgramCounts,
    /// What became of calls.
    pub calls: CallTotals,
    /// Values masked in calls that went out, by kind.
    pub redacted: BTreeMap<Token, u64>,
    /// Classes in calls as the agent made them.
    pub classes_before: DataClasses,
    /// Classes that were still in them as they went out.
    pub classes_after: DataClasses,
    /// Where calls went, or may have gone.
    pub routes: Vec<Route>,
    /// Calls to further upstreams.
    pub routes_calls_omitted: u64,
    /// Refused attempts by code: all of them.
    pub refused_by_code: BTreeMap<RefusalCode, u64>,
    /// Refused attempts by code and target.
    pub refused: Vec<RefusedCount>,
    /// The first calls without an outcome.
    pub unknown: Vec<RequestId>,
    /// How often the log was opened again after a crash during the session.
    pub log_recoveries: u64,
    /// Kinds of data that no detector finds yet, as the caller says.
    pub undetected: Vec<String>,
}

/// Walls by what was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Walls {
    /// Held when tried.
    pub held: Vec<Token>,
    /// Did not hold or are not there, with what was found.
    pub missing: BTreeMap<Token, Token>,
    /// Not asked for by the session's plan.
    pub unused: Vec<Token>,
}

/// Attempts on the walls from inside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProbeCounts {
    /// Attempts before the agent started.
    pub made: u64,
    /// How many of these were refused.
    pub refused: u64,
    /// How often the attempts were repeated while it ran.
    pub rounds: u64,
    /// Every attempt that was not refused, by name.
    pub failed: BTreeSet<Token>,
}

/// A bound that a session came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReachedLimit {
    /// The bound, in the unit that the key's name ends with.
    pub bound: u64,
    /// What was done last.
    pub outcome: LimitAction,
}

/// How often files of a class were opened; a file counts once for each way in which it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// For reading, or for both.
    pub read: u64,
    /// For writing, or for both.
    pub written: u64,
}

/// Programs of a session; one counts once for each script and arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProgramCounts {
    /// Ran.
    pub executed: u64,
    /// Of these, not seen before their first instruction.
    pub unconfirmed: u64,
    /// Of all, those of the workspace and the private areas, scripts there included.
    pub from_writable: u64,
    /// Refused.
    pub refused: u64,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadFile {
    /// Where it lies.
    pub path_class: PathClass,
    /// Its id: `hmac-sha256:KEY:HEX`.
    pub file_id: String,
    /// Its name, if the caller knew it. Chosen by whoever made the file: escape it before printing.
    pub name: Option<String>,
}

/// What became of a session's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallTotals {
    /// Might go out.
    pub authorised: u64,
    /// Refused, and nothing was forwarded.
    pub refused: u64,
    /// By how they ended; `unknown` ones may have been sent.
    pub by_ending: BTreeMap<Ending, u64>,
    /// Bytes sent, those of calls with unknown outcome included.
    pub sent_bytes: u64,
    /// Bytes of answers.
    pub answer_bytes: u64,
    /// Prompt tokens, as far as upstreams counted them.
    pub tokens_in: u64,
    /// Answer tokens, as far as upstreams counted them.
    pub tokens_out: u64,
    /// Placeholders restored for the agent.
    pub values_restored: u64,
}

/// Calls to one upstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// Where.
    pub upstream: UpstreamFacts,
    /// Calls that were sent, or may have been.
    pub calls: u64,
    /// Bytes that went there, or may have gone.
    pub bytes: u64,
    /// Classes that they carried.
    pub classes: DataClasses,
}

/// Attempts refused for one reason at one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedCount {
    /// Why.
    pub code: RefusalCode,
    /// What: a destination, a name, a file, a system call or a rule.
    pub target: String,
    /// How often.
    pub attempts: u64,
}
