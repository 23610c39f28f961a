use crate::cli::{EvidenceCommand, ListArgs, ReportArgs, ShowArgs, VerifyArgs};
use crate::exit::{DONE, Failure, NEGATIVE, UNREADABLE, USAGE};
use crate::print;
use crate::settings::Settings;
use audit::PublicKey;
use evidence::view::{self, Filter, Row, SessionReport};
use evidence::{DigestKey, Keys, text};
use schema::event::SessionStarted;
use schema::{Event, KeyedDigest, RequestId, SessionId};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod export;

/// What no detector of this version finds; the report says so.
const UNDETECTED: [&str; 4] = ["names", "postal addresses", "dates of birth", "passport numbers"];
/// Most files whose names a report looks up.
const NAMED_FILES_MAX: usize = 20_000;
/// Deepest folder in which it looks.
const NAMED_DEPTH_MAX: usize = 16;

pub(super) fn run(command: EvidenceCommand, settings: &Settings) -> Result<u8, Failure> {
    match command {
        EvidenceCommand::Verify(args) => verify(&args, settings),
        EvidenceCommand::Show(args) => show(&args, settings),
        EvidenceCommand::Report(args) => report(&args, settings),
        EvidenceCommand::List(args) => list(&args, settings),
        EvidenceCommand::Export(args) => export::bundle(&args, settings),
        EvidenceCommand::Proof(args) => export::proof(&args, settings),
    }
}

fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::new(UNREADABLE, error)
}

/// The place that a user named: a path, or a session's id.
fn place(named: Option<&Path>, settings: &Settings) -> PathBuf {
    let all = settings.directories.evidence();
    match named {
        None => all,
        // A session's id is always one's own record: an agent knows its id, and can make a folder of that name where it works.
        Some(path) if path.to_str().is_some_and(|id| SessionId::parse(id).is_ok()) => all.join(path),
        Some(path) if path.exists() => path.to_owned(),
        Some(path) if path.components().count() == 1 && all.join(path).exists() => all.join(path),
        Some(path) => path.to_owned(),
    }
}

/// One log: the named one, or the newest.
pub(crate) fn resolve_log(named: Option<&Path>, settings: &Settings) -> Result<PathBuf, Failure> {
    let place = place(named, settings);
    if !place.exists() {
        let none = "there is no evidence yet: run an agent first, for example `bailiwick demo`";
        return Err(unreadable(if named.is_some() { format!("there is no log at {}", place.display()) } else { none.to_owned() }));
    }
    if place.is_file() {
        return Ok(place);
    }
    let logs = evidence::log_directories(&place).map_err(unreadable)?;
    let written = |log: &PathBuf| fs::metadata(log.join(evidence::LOG_FILE)).and_then(|facts| facts.modified()).ok();
    let newest = logs.into_iter().max_by_key(written);
    newest.ok_or_else(|| unreadable(format_args!("there is no log in {}", place.display())))
}

fn verify(args: &VerifyArgs, settings: &Settings) -> Result<u8, Failure> {
    let report = verify_log(&place(args.log.as_deref(), settings), args.key.as_deref())?;
    if args.json {
        print::json(&report);
    } else {
        print::text(&audit::render_report(&report));
    }
    Ok(report.exit_code())
}

/// Checks every log at a place.
pub(crate) fn verify_log(place: &Path, key: Option<&str>) -> Result<audit::Report, Failure> {
    let key = key.map(PublicKey::from_argument).transpose().map_err(|error| Failure::new(USAGE, error))?;
    audit::verify_all(place, key.as_ref()).map_err(unreadable)
}

fn show(args: &ShowArgs, settings: &Settings) -> Result<u8, Failure> {
    let request = args.request.as_deref().map(RequestId::parse).transpose();
    let request = request.map_err(|error| Failure::new(USAGE, format_args!("--request: {error}")))?;
    let log = resolve_log(args.log.as_deref(), settings)?;
    let records = evidence::read(&log).map_err(unreadable)?;
    let mut shown = 0_u64;
    for row in view::join(records, Filter { request, ..Filter::default() }) {
        let row = row.map_err(unreadable)?;
        if !args.calls || matches!(row, Row::Call(_) | Row::CallRefused(_)) {
            print::line(serde_json::to_string(&row).map_err(unreadable)?);
            shown += 1;
        }
    }
    if shown == 0 && args.request.is_some() {
        return Err(Failure::new(NEGATIVE, format_args!("the log {} has no such call", log.display())));
    }
    if shown == 0 {
        print::note("nothing to show: no call was made and nothing was refused; `bailiwick evidence report` has the rest");
    }
    Ok(DONE)
}

fn report(args: &ReportArgs, settings: &Settings) -> Result<u8, Failure> {
    let log = resolve_log(args.log.as_deref(), settings)?;
    let report = report_of(&log, &args.names, settings)?;
    if args.json {
        print::json(&report);
    } else {
        print::text(&text::render(&report, text::Style { color: print::colours() }));
    }
    Ok(DONE)
}

/// The report of a log's first session; files below `folders` are named.
pub(crate) fn report_of(log: &Path, folders: &[PathBuf], settings: &Settings) -> Result<SessionReport, Failure> {
    let started = started(log)?;
    let missing = || unreadable(format_args!("the log {} has no session", log.display()));
    let session = started.map(|started| started.subject.session_id).or_else(|| named_after(log)).ok_or_else(missing)?;
    let names = names(folders, settings)?;
    let resolve = |id: &KeyedDigest| names.get(id).cloned();
    let records = evidence::read(log).map_err(unreadable)?;
    view::report(records, &session, &resolve, &UNDETECTED).map_err(unreadable)?.ok_or_else(missing)
}

/// The session that a log's folder is named after.
fn named_after(log: &Path) -> Option<SessionId> {
    SessionId::parse(log.file_name()?.to_str()?).ok()
}

/// The first session of a log.
fn started(log: &Path) -> Result<Option<SessionStarted>, Failure> {
    for record in evidence::read(log).map_err(unreadable)? {
        if let Event::SessionStarted(event) = record.map_err(unreadable)?.event {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// Names of the files below these folders by their ids; only whoever holds the digest key can make them.
fn names(folders: &[PathBuf], settings: &Settings) -> Result<BTreeMap<KeyedDigest, String>, Failure> {
    let mut names = BTreeMap::new();
    if folders.is_empty() {
        return Ok(names);
    }
    let keys = Keys::load_or_create(&settings.directories.keys()).map_err(unreadable)?;
    for folder in folders {
        let root = fs::canonicalize(folder).map_err(|error| unreadable(format_args!("cannot find {}: {error}", folder.display())))?;
        name_below(&root, NAMED_DEPTH_MAX, keys.digest_key(), &mut names);
    }
    Ok(names)
}

fn name_below(folder: &Path, depth: usize, key: &DigestKey, names: &mut BTreeMap<KeyedDigest, String>) {
    // A folder that cannot be read names no files; their ids are shown instead.
    let Ok(entries) = fs::read_dir(folder) else { return };
    names.insert(endpoint::file_id(key, folder), folder.display().to_string());
    for path in entries.flatten().map(|entry| entry.path()) {
        if names.len() >= NAMED_FILES_MAX {
            return;
        }
        if path.is_dir() && !path.is_symlink() {
            if depth > 0 {
                name_below(&path, depth - 1, key, names);
            }
        } else {
            names.insert(endpoint::file_id(key, &path), path.display().to_string());
        }
    }
}

/// One session on record.
#[derive(Serialize)]
struct Listed {
    session_id: String,
    started: String,
    agent_id: String,
    user_id: String,
    profile: String,
    log: PathBuf,
}

fn list(args: &ListArgs, settings: &Settings) -> Result<u8, Failure> {
    let place = settings.directories.evidence();
    let logs = if place.exists() { evidence::log_directories(&place).map_err(unreadable)? } else { Vec::new() };
    let mut listed = Vec::new();
    for log in logs {
        for record in evidence::read(&log).map_err(unreadable)?.map_while(Result::ok) {
            if let Event::SessionStarted(event) = record.event {
                listed.push(Listed {
                    session_id: event.subject.session_id.to_string(),
                    started: record.time.to_string(),
                    agent_id: event.subject.agent_id.to_string(),
                    user_id: event.subject.user_id.to_string(),
                    profile: event.profile.to_string(),
                    log: log.clone(),
                });
                break;
            }
        }
    }
    listed.sort_by(|one, other| one.started.cmp(&other.started));
    if args.json {
        print::json(&listed);
    } else if listed.is_empty() {
        print::line("no sessions on record yet");
    } else {
        for one in listed {
            print::line(format_args!("{}  {}  {:16} {}", one.started, one.session_id, one.agent_id, one.profile));
        }
    }
    Ok(DONE)
}
