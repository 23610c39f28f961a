//! Exit codes: stable, and the same for every command. `docs/reference/exit-codes.md` lists them.

use crate::print;
use std::fmt::Display;
use std::process::ExitCode;

/// What was asked for was done.
pub(crate) const DONE: u8 = 0;
/// The answer is no: evidence does not verify, a policy has errors, a wall is missing.
pub(crate) const NEGATIVE: u8 = 1;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// Something could not be read or written.
pub(crate) const UNREADABLE: u8 = 3;
/// `run`: Bailiwick refused the session, could not start it, or ended it before its agent did.
pub(crate) const REFUSED: u8 = 125;
/// `run`: the program cannot be executed.
pub(crate) const NOT_EXECUTABLE: u8 = 126;
/// `run`: there is no such program.
pub(crate) const NOT_FOUND: u8 = 127;

/// A command that could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Display) -> Self {
        Self { code, message: message.to_string() }
    }

    /// The same before a session: an agent of its own could end with 1 or 3.
    pub(crate) fn before_a_session(self) -> Self {
        Self { code: if matches!(self.code, NEGATIVE | UNREADABLE) { REFUSED } else { self.code }, ..self }
    }

    /// Says it on standard error.
    pub(crate) fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            print::note(format_args!("bailiwick: {}", self.message));
        }
        ExitCode::from(self.code)
    }
}

/// What the command line parser says; help and version are no errors.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    // A closed standard output leaves nobody to tell.
    let _gone = error.print();
    ExitCode::from(if error.use_stderr() { USAGE } else { DONE })
}

impl From<endpoint::Error> for Failure {
    fn from(error: endpoint::Error) -> Self {
        let code = match &error {
            endpoint::Error::ProgramNotFound { .. } => NOT_FOUND,
            endpoint::Error::Walls(sandbox::Error::Path { attempt, .. }) if attempt.starts_with("execute") => NOT_EXECUTABLE,
            endpoint::Error::NoProgram => USAGE,
            endpoint::Error::Path { .. }
            | endpoint::Error::ProgramRefused { .. }
            | endpoint::Error::Snapshot(_)
            | endpoint::Error::Refused(_)
            | endpoint::Error::Walls(_)
            | endpoint::Error::Evidence(_)
            | endpoint::Error::ProgramChanged { .. }
            | endpoint::Error::KeyShown { .. }
            | endpoint::Error::Claim(_)
            | endpoint::Error::Unrecorded { .. }
            | endpoint::Error::System { .. }
            | endpoint::Error::UnknownWall(_) => REFUSED,
        };
        let to_do = if let endpoint::Error::Refused(refusal) = &error { advice(refusal) } else { None };
        match to_do {
            Some(to_do) => Self::new(code, format_args!("{error}; {to_do}")),
            None => Self::new(code, error),
        }
    }
}

impl From<endpoint::snapshot::Error> for Failure {
    fn from(error: endpoint::snapshot::Error) -> Self {
        Self::new(snapshot_code(&error), error)
    }
}

fn snapshot_code(error: &endpoint::snapshot::Error) -> u8 {
    use endpoint::snapshot::Error;
    match error {
        Error::NotKept { .. } | Error::SecondName { .. } => REFUSED,
        Error::Conflict { .. }
        | Error::Damaged { .. }
        | Error::InUse { .. }
        | Error::Nothing { .. }
        | Error::TooMuch { .. }
        | Error::Claim(endpoint::ClaimError::InUse { .. }) => NEGATIVE,
        Error::Unknown { .. } | Error::Io { .. } | Error::Evidence(_) | Error::Claim(endpoint::ClaimError::System { .. }) => UNREADABLE,
    }
}

/// What a user can do when the policy refuses a session.
pub(crate) fn advice(refusal: &policy::Refusal) -> Option<&'static str> {
    let rule = refusal.rules.first()?.as_str().split_once('/')?.1;
    match rule {
        "session.trust_minimum" => {
            Some("it demands the endpoint service, which this version does not have yet: use a policy with trust_minimum = \"self\"")
        }
        "session.purpose_required" => Some("name the purpose with --purpose"),
        "purpose" => Some("--purpose has to be one of the policy's [[purpose]]"),
        _ => None,
    }
}
