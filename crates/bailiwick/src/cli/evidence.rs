use super::ListArgs;
use clap::{Args, Subcommand};
use schema::Timestamp;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Check that a log is whole and unaltered.
    Verify(VerifyArgs),
    /// Print what happened, one JSON object for each act: the joined view.
    Show(ShowArgs),
    /// Print the report of a session on one screen.
    Report(ReportArgs),
    /// List the sessions on record.
    List(ListArgs),
    /// Write chosen records, with what proves that they stand in their logs, for someone who checks them with `bailiwick-verify`.
    Export(BundleArgs),
    /// Write the proof that a log has a record at a place (C2SP tlog-proof).
    Proof(ProofArgs),
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// A log, a folder with logs, or a session's id; without it all of this user's.
    pub(crate) log: Option<PathBuf>,
    /// The keeper's public key (64 hex digits), or a file that holds it, obtained by a way that the keeper does not control.
    #[arg(long, value_name = "HEX|FILE")]
    pub(crate) key: Option<String>,
    /// For machines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// A log, or a session's id; without it the newest.
    pub(crate) log: Option<PathBuf>,
    /// Only this call.
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// Only calls to models.
    #[arg(long)]
    pub(crate) calls: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// A log, or a session's id; without it the newest.
    pub(crate) log: Option<PathBuf>,
    /// Folders whose files are named in the report (needs this user's digest key).
    #[arg(long = "names", value_name = "DIR")]
    pub(crate) names: Vec<PathBuf>,
    /// For machines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct BundleArgs {
    /// Logs, folders with logs, or sessions' ids; without any all of this user's.
    pub(crate) logs: Vec<PathBuf>,
    /// Only records of this session.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Only records of this call.
    #[arg(long, value_name = "ID")]
    pub(crate) request: Option<String>,
    /// Only records from this time on (UTC): 2026-03-01 or 2026-03-01T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Only records before this time (UTC).
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// Where to write the bundle; without it to standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Tell what was written as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ProofArgs {
    /// A log, or a session's id.
    pub(crate) log: PathBuf,
    /// The record's index.
    pub(crate) index: u64,
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse(text).ok_or("not a time of the form 2026-03-01 or 2026-03-01T12:00:00Z")
}
