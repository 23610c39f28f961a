//! The command line: defined once; help, man pages and completions come from here.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

mod evidence;

pub(crate) use evidence::{BundleArgs, EvidenceCommand, ProofArgs, ReportArgs, ShowArgs, VerifyArgs};

/// Runs autonomous AI agents inside walls, with one door, one gateway to models, and evidence that verifies offline.
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an agent inside walls.
    Run(Box<RunArgs>),
    /// Play a bank's case with real parts: a session, an attack from inside, the report, the check of the evidence.
    Demo(DemoArgs),
    /// Serve a gateway of its own for registered clients on this machine.
    Gateway(GatewayArgs),
    /// Look at what was recorded, and check it.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Look at what sessions did to their workspaces, bring them back, commit what was staged.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Look at policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Tell which walls this machine gives, and what to install.
    Doctor(DoctorArgs),
    /// Print a completion script for a shell.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder.
    Man {
        /// The folder.
        folder: PathBuf,
    },
    /// Serve a model file on a listening socket (used inside a session's walls).
    #[command(hide = true)]
    ServeModel {
        /// The socket's descriptor.
        descriptor: i32,
        /// The model file.
        model: PathBuf,
    },
    /// The demo's agent.
    #[command(hide = true)]
    ReferenceAgent(ReferenceAgentArgs),
    /// The demo's attacker.
    #[command(hide = true)]
    RedTeam(RedTeamArgs),
}

/// Which policy decides.
#[derive(Args, Clone, Debug)]
pub(crate) struct PolicyChoice {
    /// A built-in profile: `pilot` (try it out) or `regulated` (needs the endpoint service).
    #[arg(long, value_name = "NAME", default_value = "pilot", conflicts_with = "policy")]
    pub(crate) profile: String,
    /// A policy file instead of a built-in profile.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyChoice,
    /// The folder that the agent may write.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) workspace: PathBuf,
    #[command(flatten)]
    pub(crate) staging: Staging,
    /// A folder that the agent may read; may be given several times.
    #[arg(long = "docs", value_name = "DIR")]
    pub(crate) documents: Vec<PathBuf>,
    /// A further program folder that the agent needs to run, read-only; may be given several times.
    #[arg(long = "program-dir", value_name = "DIR")]
    pub(crate) programs: Vec<PathBuf>,
    /// The registered purpose of processing (GDPR Art. 30).
    #[arg(long, value_name = "ID")]
    pub(crate) purpose: Option<String>,
    /// Where calls to models may go: `[BOUNDARY[@REGION]:]KIND=URL` with a KIND of openai, anthropic, local or echo.
    #[arg(long = "upstream", value_name = "UPSTREAM")]
    pub(crate) upstreams: Vec<String>,
    /// The environment variable that holds the API key of the upstreams named here; the agent never sees it.
    #[arg(long, value_name = "NAME", conflicts_with = "upstream_key_file", requires = "upstreams")]
    pub(crate) upstream_key_env: Option<String>,
    /// The file that holds it.
    #[arg(long, value_name = "FILE", requires = "upstreams")]
    pub(crate) upstream_key_file: Option<PathBuf>,
    /// A variable for the agent: NAME=VALUE, or NAME to take the caller's.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub(crate) environment: Vec<OsString>,
    /// Print the session's report to standard error when it is over.
    #[arg(long)]
    pub(crate) report: bool,
    /// Write what there is to know about the session into a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) report_json: Option<PathBuf>,
    /// Write when the session's steps were done into a file, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) timings: Option<PathBuf>,
    /// Say what the session would be given, and run nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// With --dry-run: for machines.
    #[arg(long, requires = "dry_run")]
    pub(crate) json: bool,
    /// The agent and its arguments.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

/// What becomes of what the agent writes.
#[derive(Args, Debug)]
pub(crate) struct Staging {
    /// Keep what the agent writes apart from the workspace until it is committed.
    #[arg(long)]
    pub(crate) stage: bool,
    /// With --stage: bring what the agent wrote into the workspace when it is over, without asking.
    #[arg(long, requires = "stage", conflicts_with = "keep")]
    pub(crate) commit: bool,
    /// With --stage: ask nothing when it is over; what the agent wrote waits for `session commit` or `session discard`.
    #[arg(long, requires = "stage")]
    pub(crate) keep: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Everything that the demo found, for machines.
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the demo's files in this (new) folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// The model file; without it the small model if it was fetched, else a named echo.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct GatewayArgs {
    /// The gateway's configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Only check the configuration.
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// For machines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// List the kept states of workspaces.
    List(ListArgs),
    /// Tell what is known of one.
    Show(SessionArgs),
    /// Show how the workspace differs from a kept state; of a staged session, what it wrote.
    Diff(DiffArgs),
    /// Bring the workspace back to a kept state.
    Rollback(RollbackArgs),
    /// Write what differs, a diff and a list of digests into a new tar file.
    Export(ExportArgs),
    /// Bring what a staged session wrote into its workspace.
    Commit(CommitArgs),
    /// Drop what a staged session wrote.
    Discard(DiscardArgs),
}

#[derive(Args, Debug)]
pub(crate) struct SessionArgs {
    /// The session's id, or that of a state that was kept before a rollback.
    pub(crate) id: String,
    /// For machines.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Only this path of the workspace and what is below it; may be given several times.
    #[arg(long = "path", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Only list what differs.
    #[arg(long)]
    pub(crate) names: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RollbackArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    /// Only this path of the workspace and what is below it; may be given several times.
    #[arg(long = "path", value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

#[derive(Args, Debug)]
pub(crate) struct CommitArgs {
    #[command(flatten)]
    pub(crate) session: SessionArgs,
    #[command(flatten)]
    pub(crate) consent: Consent,
}

/// How far a user agrees to a change of the workspace.
#[derive(Args, Debug)]
pub(crate) struct Consent {
    /// Say what would be changed, and change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Also overwrite what others changed since.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    /// The session's id, or that of a state that was kept before a rollback.
    pub(crate) id: String,
    /// The tar file; it must not be there yet.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct DiscardArgs {
    /// The session's id.
    pub(crate) id: String,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a policy file; every error is listed with its line.
    Check {
        /// The policy file, or the name of a built-in profile.
        file: PathBuf,
        /// For machines.
        #[arg(long)]
        json: bool,
    },
    /// Print a built-in profile, to start one's own from.
    Show {
        /// Its name.
        #[arg(value_enum)]
        profile: BuiltIn,
    },
}

/// The built-in profiles.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BuiltIn {
    /// Try Bailiwick out.
    Pilot,
    /// A starting point for regulated organisations.
    Regulated,
}

impl BuiltIn {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pilot => "pilot",
            Self::Regulated => "regulated",
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyChoice,
    /// For machines.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print every attempt that was made on the walls from inside, and what came of it.
    #[arg(long)]
    pub(crate) probes: bool,
    /// Print the AppArmor profile that lets this program make user namespaces (Ubuntu), and nothing else.
    #[arg(long)]
    pub(crate) apparmor_profile: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ReferenceAgentArgs {
    /// Where the client's papers are.
    #[arg(long)]
    pub(crate) documents: PathBuf,
    /// Ask for the answer as a stream.
    #[arg(long)]
    pub(crate) stream: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RedTeamArgs {
    /// The home folder of the user whose keys are worth reading.
    #[arg(long)]
    pub(crate) home: PathBuf,
    /// A service on the host's loopback.
    #[arg(long)]
    pub(crate) host_port: u16,
}

#[cfg(test)]
mod tests;
