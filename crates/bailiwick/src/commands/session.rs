//! What a user does with the workspaces of sessions: look, bring back, commit, export.

mod diff;
mod export;

use crate::cli::{CommitArgs, Consent, DiscardArgs, ListArgs, RollbackArgs, RunArgs, SessionArgs, SessionCommand};
use crate::clock::SystemClock;
use crate::exit::{DONE, Failure, NEGATIVE, REFUSED, UNREADABLE, USAGE};
use crate::print;
use crate::settings::Settings;
use endpoint::snapshot::{Desk, Difference, Done, Kept, Order, shown};
use schema::{Event, SessionId};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

/// Most paths that are named before a question, and by a dry run.
const NAMED_MAX: usize = 40;
const LISTED_MAX: usize = 10_000;
/// Bytes from which on progress is told.
const LONG_BYTES: u64 = 64 << 20;

pub(super) fn run(command: SessionCommand, settings: &Settings) -> Result<u8, Failure> {
    let desk = desk(settings);
    match command {
        SessionCommand::List(args) => list(&desk, &args),
        SessionCommand::Show(args) => show(&desk, &args),
        SessionCommand::Diff(args) => diff::run(&desk, &args),
        SessionCommand::Rollback(args) => rollback(&desk, &args),
        SessionCommand::Export(args) => export::run(&desk, &args),
        SessionCommand::Commit(args) => commit(&desk, &args),
        SessionCommand::Discard(args) => discard(&desk, &args),
    }
}

fn desk(settings: &Settings) -> Desk {
    Desk { directories: settings.directories.clone(), account: settings.account.clone(), clock: Arc::new(SystemClock) }
}

/// Tells how far the keeping of a large workspace is, on a terminal only.
pub(super) fn progress(done: u64, all: u64) {
    if all >= LONG_BYTES && rustix::termios::isatty(std::io::stderr()) {
        print::progress(format_args!("keeping the workspace as it is: {} of {} MiB", done >> 20, all >> 20), done >= all);
    }
}

/// A kept state, for machines.
#[derive(Serialize)]
struct Listed {
    id: SessionId,
    session_id: SessionId,
    taken: String,
    scene: &'static str,
    state: &'static str,
    agent_id: String,
    method: String,
    workspace: String,
    files: u64,
    bytes: u64,
    manifest_digest: String,
}

fn listed(kept: &Kept) -> Listed {
    let facts = &kept.facts;
    Listed {
        id: kept.id.clone(),
        session_id: facts.session_id.clone(),
        taken: facts.taken.to_string(),
        scene: facts.scene.name(),
        state: state(kept),
        agent_id: facts.agent_id.to_string(),
        method: facts.method.to_string(),
        workspace: shown(&facts.workspace),
        files: facts.files,
        bytes: facts.bytes,
        manifest_digest: facts.manifest.hex(),
    }
}

fn state(kept: &Kept) -> &'static str {
    if kept.is_in_use() {
        "in_use"
    } else if kept.is_waiting() {
        "waiting"
    } else if kept.is_committed() {
        "committed"
    } else if kept.facts.scene == endpoint::snapshot::Scene::Staged {
        "discarded"
    } else {
        "kept"
    }
}

fn list(desk: &Desk, args: &ListArgs) -> Result<u8, Failure> {
    let list: Vec<Listed> = desk.store().list()?.iter().map(listed).collect();
    if args.json {
        print::json(&list);
    } else if list.is_empty() {
        print::line("no workspaces are kept yet");
    } else {
        for one in list {
            print::line(format_args!("{}  {}  {:8} {:9} {:12} {}", one.taken, one.id, one.scene, one.state, one.agent_id, one.workspace));
        }
    }
    Ok(DONE)
}

/// All that is known of a kept state.
#[derive(Serialize)]
struct Known {
    #[serde(flatten)]
    listed: Listed,
    user_id: Option<String>,
    profile: Option<String>,
    cause: Option<String>,
    walls: BTreeMap<String, String>,
    /// Differences by kind; none if the workspace cannot be compared.
    changes: Option<BTreeMap<&'static str, usize>>,
}

fn show(desk: &Desk, args: &SessionArgs) -> Result<u8, Failure> {
    let kept = desk.kept(&args.id)?;
    let mut known = Known { listed: listed(&kept), user_id: None, profile: None, cause: None, walls: BTreeMap::new(), changes: None };
    let log = desk.directories.evidence().join(kept.facts.session_id.as_str());
    for record in evidence::read(&log).into_iter().flatten().map_while(Result::ok) {
        if let Event::SessionStarted(event) = &record.event {
            known.user_id = Some(event.subject.user_id.to_string());
            known.profile = Some(event.profile.to_string());
            known.walls = event.walls.iter().map(|(wall, found)| (wall.to_string(), found.to_string())).collect();
        } else if let Event::SessionEnded(event) = &record.event {
            known.cause = Some(event.cause.to_string());
        }
    }
    match desk.compare(&args.id) {
        Ok(comparison) => {
            let mut counts = BTreeMap::new();
            comparison.list.iter().for_each(|one| *counts.entry(word(one.difference)).or_default() += 1);
            known.changes = Some(counts);
        }
        Err(endpoint::snapshot::Error::Nothing { .. }) => {}
        Err(error) if args.json => print::note(format_args!("bailiwick: {error}")),
        Err(error) => return Err(error.into()),
    }
    if args.json {
        print::json(&known);
        return Ok(DONE);
    }
    let Known { listed: facts, user_id, profile, cause, walls, changes } = known;
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| "not on record".to_owned());
    print::line(format_args!("session     {}  ({}, {})", facts.id, facts.scene, facts.state));
    print::line(format_args!("workspace   {}", facts.workspace));
    print::line(format_args!("taken       {}  by {}", facts.taken, facts.method));
    print::line(format_args!("agent       {}  for {}, profile {}", facts.agent_id, or_unknown(user_id), or_unknown(profile)));
    print::line(format_args!("ended       {}", or_unknown(cause)));
    let held = walls.values().filter(|found| *found == "held").count();
    print::line(format_args!("walls       {held} of {} held", walls.len()));
    print::line(format_args!("kept        {} files, {} bytes, list {}", facts.files, facts.bytes, facts.manifest_digest));
    let counts = changes.map(|counts| counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", "));
    let counts = counts.map_or_else(|| "nothing to compare".to_owned(), |text| if text.is_empty() { "none".to_owned() } else { text });
    print::line(format_args!("changes     {counts}"));
    Ok(DONE)
}

fn word(difference: Difference) -> &'static str {
    match difference {
        Difference::Added => "added",
        Difference::Deleted => "deleted",
        Difference::Modified => "modified",
        Difference::Retyped => "retyped",
        Difference::Mode => "mode",
        Difference::Links => "links",
        Difference::Time => "time",
    }
}

/// An act, for machines.
#[derive(Serialize)]
struct Acted {
    id: String,
    workspace: String,
    done: bool,
    changes: Vec<ChangedPath>,
    conflicts: Vec<String>,
    undo: Option<SessionId>,
}

#[derive(Serialize)]
struct ChangedPath {
    path: String,
    change: char,
}

fn rollback(desk: &Desk, args: &RollbackArgs) -> Result<u8, Failure> {
    let paths = args.paths.clone();
    let act = |desk: &Desk, order: &Order| desk.rollback(&args.session.id, order);
    carry_out(desk, &args.session, &args.consent, paths, &act)
}

fn commit(desk: &Desk, args: &CommitArgs) -> Result<u8, Failure> {
    let act = |desk: &Desk, order: &Order| desk.commit(&args.session.id, order);
    carry_out(desk, &args.session, &args.consent, Vec::new(), &act)
}

type Act<'a> = &'a dyn Fn(&Desk, &Order) -> Result<Done, endpoint::snapshot::Error>;

/// Shows what would be done, asks, and does it.
fn carry_out(desk: &Desk, session: &SessionArgs, consent: &Consent, paths: Vec<PathBuf>, act: Act<'_>) -> Result<u8, Failure> {
    let order = Order { paths, force: consent.force, dry_run: true };
    let plan = act(desk, &order)?;
    if consent.dry_run || plan.changes.is_empty() {
        // A commit that was cut short after its last path has still to be put on record.
        let done = if consent.dry_run { plan } else { act(desk, &Order { dry_run: false, ..order })? };
        tell(session, &done, false);
        return Ok(DONE);
    }
    if !consent.yes {
        if !session.json {
            name(&plan, NAMED_MAX);
        }
        let question = format!("Change {} in {}?", paths_of(plan.changes.len()), shown(&plan.workspace));
        if !agree(&question)? {
            return Err(Failure::new(NEGATIVE, "nothing was changed"));
        }
    }
    let done = act(desk, &Order { dry_run: false, ..order })?;
    if !done.has_end {
        print::note("bailiwick: the session's end is not on record, so that later changes of others could not be told from its own");
    }
    tell(session, &done, true);
    Ok(DONE)
}

fn paths_of(count: usize) -> String {
    if count == 1 { "1 path".to_owned() } else { format!("{count} paths") }
}

fn tell(session: &SessionArgs, done: &Done, is_done: bool) {
    if session.json {
        let changes = done.changes.iter().map(|(path, change)| ChangedPath { path: shown(path), change: change.letter() });
        print::json(&Acted {
            id: session.id.clone(),
            workspace: shown(&done.workspace),
            done: is_done,
            changes: changes.collect(),
            conflicts: done.conflicts.iter().map(|path| shown(path)).collect(),
            undo: done.undo.clone(),
        });
        return;
    }
    if !is_done && !done.changes.is_empty() {
        name(done, LISTED_MAX);
        print::line("nothing was changed");
        return;
    }
    if done.changes.is_empty() {
        print::line("nothing to change: the workspace is that way already");
        return;
    }
    print::line(format_args!("{} changed in {}", paths_of(done.changes.len()), shown(&done.workspace)));
    if let Some(undo) = &done.undo {
        print::line(format_args!("to undo this: bailiwick session rollback {undo}"));
    }
}

fn name(done: &Done, most: usize) {
    for (path, difference) in done.changes.iter().take(most) {
        let path = if path.as_os_str().is_empty() { ".".to_owned() } else { shown(path) };
        let others = if done.conflicts.iter().any(|one| shown(one) == path) { "  (others changed it since: needs --force)" } else { "" };
        print::line(format_args!("{} {path}{others}", difference.letter()));
    }
    if done.changes.len() > most {
        print::line(format_args!("and {} more", done.changes.len() - most));
    }
}

/// Asks on the terminal. Where there is none, nothing is agreed to.
fn agree(question: &str) -> Result<bool, Failure> {
    if !rustix::termios::isatty(std::io::stdin()) {
        return Err(Failure::new(USAGE, format_args!("{question} There is no terminal to ask on: give --yes, or --dry-run to look first")));
    }
    print::question(format_args!("{question} [y/N] "));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::new(UNREADABLE, format_args!("cannot read the answer: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn discard(desk: &Desk, args: &DiscardArgs) -> Result<u8, Failure> {
    desk.kept(&args.id)?;
    if !args.yes && !agree("Drop everything that the session wrote?")? {
        return Err(Failure::new(NEGATIVE, "nothing was dropped"));
    }
    desk.discard(&args.id)?;
    print::line("what the session wrote was dropped; the workspace is as it was");
    Ok(DONE)
}

/// After a staged session: shows what it wrote, and asks what to do with it.
pub(super) fn conclude(args: &RunArgs, settings: &Settings, id: &SessionId) -> Result<(), Failure> {
    let desk = desk(settings);
    let text = id.as_str();
    let comparison = desk.compare(text)?;
    if comparison.list.is_empty() {
        desk.discard(text)?;
        print::note("bailiwick: the session changed nothing in its workspace");
        return Ok(());
    }
    let is_asked = !args.staging.commit
        && !args.staging.keep
        && rustix::termios::isatty(std::io::stdin())
        && rustix::termios::isatty(std::io::stderr());
    print::note(diff::render(&comparison, &diff::Look { colours: is_asked && print::colours(), names: !is_asked, paths: &[] })?);
    let is_wanted = args.staging.commit || is_asked && agree("Bring this into the workspace?")?;
    if is_wanted {
        let order = Order { paths: Vec::new(), force: false, dry_run: false };
        let done = desk
            .commit(text, &order)
            .map_err(|error| Failure::new(REFUSED, format_args!("{error}; it waits: bailiwick session commit {id}")))?;
        print::note(format_args!("bailiwick: {} changed; to undo this: bailiwick session rollback {id}", paths_of(done.changes.len())));
        return Ok(());
    }
    print::note(format_args!("bailiwick: nothing of this is in the workspace yet: bailiwick session commit {id}, or discard {id}"));
    Ok(())
}
