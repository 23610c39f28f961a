//! What happened, for people and for a SIEM: records joined into one row for each act ([`join`]), and one session in brief
//! ([`SessionReport`]).
//!
//! Pure and streaming: memory is bounded for each session and in the number of sessions, however long the log. The view trusts its
//! records; whoever does not runs `bailiwick-verify` first.

mod changed;
mod join;
mod notice;
mod programs;
mod reads;
mod refused;
mod report;
mod reporter;
mod row;
mod session;
mod tally;
mod workspace;

pub use changed::FileChangedRow;
pub use join::{Filter, Joined, join};
pub use notice::{LimitRow, PolicyRow, ProbesRow};
pub use programs::{ObservedCallRow, ProgramRefusedRow, ProgramRow};
pub use reads::FILE_READS_MAX;
pub use refused::{CallRefusedRow, ConnectionRefusedRow, FileRefusedRow, NameRefusedRow, SystemCallRow};
pub use report::{CallTotals, FileCounts, ProgramCounts, ReachedLimit, ReadFile, RefusedCount, Route, SessionReport, Walls};
pub use reporter::{SessionReporter, report};
pub use row::{Attestation, CallOutcomeRow, CallRow, End, Ending, Row, VerdictWord, Who};
pub use session::{CALLS_PENDING_MAX, SESSIONS_MAX};
pub use tally::{FILES_NAMED_MAX, KINDS_MAX, REFUSALS_MAX, ROUTES_MAX, UNKNOWN_LISTED_MAX};
pub use workspace::WorkspaceRow;

/// For fields that SIEMs read: RFC 3339 instead of milliseconds.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn rfc3339<S: serde::Serializer>(time: &schema::Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[expect(clippy::ref_option, reason = "serde passes a reference")]
fn rfc3339_option<S: serde::Serializer>(time: &Option<schema::Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}

/// A path class as text, as it stands in events.
pub(crate) fn class_name(class: schema::event::PathClass) -> &'static str {
    use schema::event::PathClass;
    match class {
        PathClass::Workspace => "workspace",
        PathClass::Documents => "documents",
        PathClass::Program => "program",
        PathClass::System => "system",
        PathClass::Private => "private",
        PathClass::Outside => "outside",
    }
}
