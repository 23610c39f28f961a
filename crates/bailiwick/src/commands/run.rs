use super::gateway_role::{self, KeyVariables};
use super::{evidence, policy, session, timings};
use crate::cli::RunArgs;
use crate::clock::SystemClock;
use crate::exit::{DONE, Failure, REFUSED, UNREADABLE, USAGE};
use crate::print;
use crate::settings::Settings;
use ::policy::{KeySource, Policy, Upstream};
use endpoint::{SessionSpec, Timeline};
use schema::Token;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// `O_NOFOLLOW`.
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

pub(super) fn run(args: &RunArgs, settings: &Settings, timeline: Timeline) -> Result<u8, Failure> {
    let spec = spec(args, settings)?;
    refuse_missing_keys(&spec.policy, settings)?;
    if args.dry_run {
        let preview = endpoint::preview(&spec)?;
        if args.json {
            print::json(&preview.json());
        } else {
            print::text(&preview.to_string());
        }
        return Ok(DONE);
    }
    for warning in spec.policy.warnings() {
        print::note(format_args!("bailiwick: the policy `{}`: {warning}", spec.policy.profile()));
    }
    let report_file = args.report_json.as_deref().map(create).transpose()?;
    let timings_file = args.timings.as_deref().map(create).transpose()?;
    let keys = KeyVariables::take(&spec.policy, |name| settings.variable(name));
    let (outcome, timelines) = endpoint::run(&spec, Arc::new(SystemClock), timeline, move |handover| gateway_role::serve(handover, &keys))?;
    if let Some(file) = timings_file {
        timings::write(file, &timelines)?;
    }
    let cause = outcome.cause.as_str();
    if let Some(by) = &outcome.ended_by {
        let (id, endpoint::EndedBy { table, key, bound }) = (&outcome.session_id, by);
        let change = if key.ends_with("_min") { "lower" } else { "raise" };
        print::note(format_args!(
            "bailiwick: the session {id} was ended ({}): it came to its bound {key} of {bound}; {change} {key} under [{table}] of the policy if it needs more",
            cause.replace('_', " ")
        ));
    } else if cause != "agent_exited" {
        print::note(format_args!("bailiwick: the session {} was ended: {}", outcome.session_id, cause.replace('_', " ")));
    }
    tell(args, settings, &outcome, report_file)?;
    if args.staging.stage {
        session::conclude(args, settings, &outcome.session_id)?;
    }
    let is_agents_own = matches!(cause, "agent_exited" | "interrupted");
    Ok(if is_agents_own { u8::try_from(outcome.exit_code).unwrap_or(u8::MAX) } else { REFUSED })
}

/// Makes the report's file before the agent runs: one that cannot be written is told now, and the agent cannot put a link in its place.
fn create(path: &Path) -> Result<File, Failure> {
    let file = File::options().write(true).create(true).truncate(true).custom_flags(NO_FOLLOW).open(path);
    file.map_err(|error| Failure::new(UNREADABLE, format_args!("cannot write {}: {error}", path.display())))
}

/// What was typed, as what is meant.
fn spec(args: &RunArgs, settings: &Settings) -> Result<SessionSpec, Failure> {
    refuse_writable_policy(args)?;
    let purpose = args.purpose.as_deref().map(Token::parse).transpose();
    let purpose = purpose.map_err(|error| Failure::new(USAGE, format_args!("--purpose: {error}")))?;
    Ok(SessionSpec {
        policy: with_upstreams(policy::load(&args.policy).map_err(Failure::before_a_session)?, args)?,
        policy_file: args.policy.policy.clone(),
        purpose,
        account: settings.account.clone(),
        command: args.command.clone(),
        home: settings.home.clone(),
        workspace: args.workspace.clone(),
        stage: args.staging.stage,
        progress: session::progress,
        documents: args.documents.clone(),
        programs: args.programs.clone(),
        environment: args.environment.iter().map(|text| variable(text, settings)).collect::<Result<_, _>>()?,
        search_path: settings.search_path.clone(),
        locale: settings.locale.clone(),
        directories: settings.directories.clone(),
        model_command: settings.model_command.clone(),
    })
}

/// Refuses a policy that an agent of this workspace could write: it would choose its own rules for the next session.
fn refuse_writable_policy(args: &RunArgs) -> Result<(), Failure> {
    let whole = |path: &Path| std::fs::canonicalize(path).ok();
    let (Some(file), Some(workspace)) = (args.policy.policy.as_deref().and_then(whole), whole(&args.workspace)) else { return Ok(()) };
    if file.starts_with(&workspace) {
        let advice = "lies in the workspace, where the agent could change it for the next session; move it elsewhere";
        return Err(Failure::new(REFUSED, format_args!("the policy {} {advice}", file.display())));
    }
    Ok(())
}

fn with_upstreams(policy: Policy, args: &RunArgs) -> Result<Policy, Failure> {
    let key = match (&args.upstream_key_env, &args.upstream_key_file) {
        (Some(name), _) => Some(KeySource::Variable(name.clone())),
        (None, Some(path)) => Some(KeySource::File(path.clone())),
        (None, None) => None,
    };
    args.upstreams.iter().try_fold(policy, |policy, text| {
        let upstream = Upstream::parse_argument(text).map_err(|error| Failure::new(USAGE, error))?;
        let upstream = match &key {
            Some(key) => upstream.with_key(key.clone()),
            None => upstream,
        };
        policy.with_user_upstream(upstream).map_err(|refusal| Failure::new(REFUSED, format_args!("--upstream: {refusal}")))
    })
}

/// Refuses before anything starts: without its keys the gateway cannot serve, and the agent would find out first.
fn refuse_missing_keys(policy: &Policy, settings: &Settings) -> Result<(), Failure> {
    for upstream in policy.upstreams() {
        let name = upstream.name();
        if let Some(variable) = upstream.key_env().filter(|variable| settings.variable(variable).is_none_or(|value| value.is_empty())) {
            let missing =
                format_args!("the key of upstream {name} comes from ${variable}, which is not set; export it, then run this again");
            return Err(Failure::new(REFUSED, missing));
        }
        if let Some(path) = upstream.key_file() {
            let wrong =
                |error| Failure::new(REFUSED, format_args!("cannot read the key of upstream {name} from {}: {error}", path.display()));
            std::fs::File::open(path).map_err(wrong)?;
        }
    }
    Ok(())
}

fn variable(text: &OsString, settings: &Settings) -> Result<(OsString, OsString), Failure> {
    let bytes = text.as_bytes();
    if let Some(equals) = bytes.iter().position(|byte| *byte == b'=').filter(|equals| *equals > 0) {
        let (name, value) = bytes.split_at(equals);
        return Ok((OsString::from_vec(name.to_vec()), OsString::from_vec(value.get(1..).unwrap_or_default().to_vec())));
    }
    let value = text.to_str().and_then(|name| settings.variable(name));
    let missing = || Failure::new(USAGE, format_args!("--env {}: the variable is not set; give NAME=VALUE", text.display()));
    Ok((text.clone(), value.ok_or_else(missing)?))
}

/// The report, where it was asked for.
fn tell(args: &RunArgs, settings: &Settings, outcome: &endpoint::Outcome, file: Option<File>) -> Result<(), Failure> {
    if !args.report && file.is_none() {
        return Ok(());
    }
    let mut folders = args.documents.clone();
    folders.push(args.workspace.clone());
    let report = evidence::report_of(&outcome.log, &folders, settings)?;
    if args.report {
        print::note(format_args!("\n{}", ::evidence::text::render(&report, ::evidence::text::Style { color: print::colours() })));
    }
    if let Some(mut file) = file {
        let text = serde_json::to_string_pretty(&report).unwrap_or_default();
        let written = file.write_all((text + "\n").as_bytes());
        written.map_err(|error| Failure::new(UNREADABLE, format_args!("cannot write the session's report: {error}")))?;
    }
    Ok(())
}
