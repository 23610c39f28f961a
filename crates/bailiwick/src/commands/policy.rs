use crate::cli::{PolicyChoice, PolicyCommand};
use crate::exit::{DONE, Failure, NEGATIVE, UNREADABLE, USAGE};
use crate::print;
use policy::Policy;
use policy::document::{DOCUMENT_BYTES_MAX, Diagnostic};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::Path;

pub(super) fn run(command: PolicyCommand) -> Result<u8, Failure> {
    match command {
        PolicyCommand::Check { file, json } => check(&file, json),
        PolicyCommand::Show { profile } => {
            print::text(policy::builtin(profile.name()).unwrap_or_default());
            Ok(DONE)
        }
    }
}

/// What is wrong with a policy file, for machines.
#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    valid: bool,
    profile: Option<&'a str>,
    upstreams: usize,
    errors: Vec<Wrong>,
    /// What it leaves open.
    warnings: Vec<&'static str>,
}

#[derive(Serialize)]
struct Wrong {
    line: usize,
    column: usize,
    message: String,
}

fn check(file: &Path, json: bool) -> Result<u8, Failure> {
    let text = match file.to_str().and_then(policy::builtin).filter(|_| !file.exists()) {
        Some(text) => text.to_owned(),
        None => read(file)?,
    };
    let name = file.display().to_string();
    let parsed = Policy::parse(&name, &text);
    if json {
        let policy = parsed.as_ref().ok();
        let errors = parsed.as_ref().err().into_iter().flatten();
        print::json(&Checked {
            file: name.clone(),
            valid: policy.is_some(),
            profile: policy.map(|policy| policy.profile().as_str()),
            upstreams: policy.map_or(0, |policy| policy.upstreams().len()),
            warnings: policy.map(Policy::warnings).unwrap_or_default(),
            errors: errors.map(|error| Wrong { line: error.line, column: error.column, message: error.message.clone() }).collect(),
        });
    }
    match parsed {
        Ok(_) if json => Ok(DONE),
        Ok(policy) => {
            print::line(format_args!("{name}: the policy `{}` is valid; {} upstreams", policy.profile(), policy.upstreams().len()));
            for upstream in policy.upstreams() {
                let region = upstream.region().map_or_else(|| "any region".to_owned(), ToString::to_string);
                print::line(format_args!("  {}: {} in {} ({region})", upstream.name(), upstream.kind().name(), upstream.boundary().name()));
            }
            for warning in policy.warnings() {
                print::note(format_args!("{name}: warning: {warning}"));
            }
            Ok(DONE)
        }
        Err(_) if json => Ok(NEGATIVE),
        Err(diagnostics) => Err(refused(&diagnostics)),
    }
}

/// The policy that a command line chose.
pub(crate) fn load(choice: &PolicyChoice) -> Result<Policy, Failure> {
    if let Some(file) = &choice.policy {
        let name = file.display().to_string();
        return Policy::parse(&name, &read(file)?).map_err(|diagnostics| refused(&diagnostics));
    }
    let name = &choice.profile;
    let Some(text) = policy::builtin(name) else {
        let known = policy::BUILTIN.join(", ");
        return Err(Failure::new(USAGE, format_args!("there is no profile `{name}`: use one of {known}, or --policy FILE")));
    };
    Policy::parse(name, text).map_err(|diagnostics| refused(&diagnostics))
}

/// All errors of a file, a line each.
pub(super) fn refused(diagnostics: &[Diagnostic]) -> Failure {
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    let count = if lines.len() == 1 { "1 error".to_owned() } else { format!("{} errors", lines.len()) };
    Failure::new(NEGATIVE, format_args!("{count}\n{}", lines.join("\n")))
}

/// Reads a file that a person wrote.
pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let wrong = |reason: String| Failure::new(UNREADABLE, format_args!("cannot read {}: {reason}", file.display()));
    let mut text = String::new();
    let opened = File::open(file).map_err(|error| wrong(error.to_string()))?;
    opened.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    Ok(text)
}
