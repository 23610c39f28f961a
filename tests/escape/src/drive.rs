//! All attempts in one sandbox, judged one by one.

use crate::attempt::{Attempt, all};
use crate::host::Host;
use crate::record::Record;
use crate::result::{Judged, Said};
use crate::session::Session;
use crate::watch::{Sight, arrivals, survivors};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line says.
#[derive(Debug, Default)]
struct Task {
    label: String,
    scratch: PathBuf,
    evidence: Option<PathBuf>,
    only: Vec<String>,
    command: Vec<String>,
}

/// Prints a line of JSON for each attempt.
pub(crate) fn drive(args: &[String]) -> ExitCode {
    let Some(task) = read(args) else {
        println!("{}", crate::USAGE);
        return ExitCode::from(2);
    };
    let mut host = Host::new(&task.scratch);
    let chosen = |attempt: &Attempt| task.only.is_empty() || task.only.iter().any(|name| name == attempt.name);
    let mut rest: Vec<_> = all().filter(|(_, attempt)| chosen(attempt)).collect();
    let mut seen = BTreeSet::new();
    // Each session does at least one attempt, so this ends.
    while !rest.is_empty() {
        let mut judged = match session(&mut host, &task, &rest) {
            Ok(judged) => judged,
            Err(reason) => {
                println!("{}: {reason}", task.label);
                return ExitCode::FAILURE;
            }
        };
        rest.drain(..judged.len());
        if let Some(folder) = &task.evidence {
            compare(&mut judged, &Record::read(folder, &mut seen));
        }
        for one in judged {
            println!("{}", serde_json::to_string(&one).unwrap());
        }
    }
    ExitCode::SUCCESS
}

/// Finds the refusals of a session that its record does not tell of.
fn compare(judged: &mut [Judged], record: &Record) {
    let missing = record.too_few(judged.iter().flat_map(|one| &one.refusals));
    for one in judged.iter_mut() {
        one.unrecorded = one.refusals.iter().filter(|refusal| !record.tells(refusal)).cloned().collect();
    }
    if let Some(last) = judged.last_mut() {
        last.unrecorded.extend(missing);
    }
}

/// One session: as many attempts as it lives through, or one that is alone.
fn session(host: &mut Host, task: &Task, rest: &[(&'static str, &'static Attempt)]) -> Result<Vec<Judged>, String> {
    host.restore();
    let _drained = arrivals(host);
    let mut session = Session::start(host, &task.command)?;
    let mut judged = Vec::new();
    for (class, attempt) in rest {
        if attempt.is_alone && !judged.is_empty() {
            break;
        }
        let before = Sight::of(host);
        let said = session.attempt(host, attempt.name);
        let is_lost = said.is_none();
        if attempt.is_alone || is_lost {
            session.end();
        }
        let said =
            said.unwrap_or_else(|| Said { attempt: attempt.name.to_owned(), ended: "the session ended".to_owned(), output: String::new() });
        // A sandbox in which the battery's own processes cannot start shows nothing of its walls.
        if said.ended.starts_with("not started") {
            session.end();
            return Err(format!("{} was {}", attempt.name, said.ended));
        }
        let mut effects = before.changes(host);
        if attempt.is_alone {
            effects.extend(survivors(&host.scene.mark));
        }
        effects.extend(secrets(&said.output, &host.random));
        effects.extend(said.gains());
        // A host that was changed is made anew before the next attempt; so is a session, which may hold on to what was there.
        let is_over = attempt.is_alone || is_lost || !effects.is_empty();
        judged.push(Judged {
            label: task.label.clone(),
            class: (*class).to_owned(),
            attempt: attempt.name.to_owned(),
            ended: said.ended.clone(),
            effects,
            refusals: said.refusals(),
            unrecorded: Vec::new(),
        });
        if is_over {
            break;
        }
        tidy(&host.scene.workspace);
    }
    session.end();
    Ok(judged)
}

/// Secrets that stand in what an attempt printed, by kind.
fn secrets(said: &str, random: &str) -> BTreeSet<String> {
    let parts = said.split("SECRET-").skip(1);
    parts
        .filter_map(|part| part.split_once('-').filter(|(_, rest)| rest.contains(random)).map(|(kind, _)| format!("secret {kind}")))
        .collect()
}

/// Removes what attempts without effect left in the workspace under names that nobody watches.
fn tidy(workspace: &Path) {
    let kept = ["src", "escape-tool", "notes-link", "other-link", "engine.sock", "log.sock", "pass.sock"];
    for entry in std::fs::read_dir(workspace).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if kept.iter().any(|kept| name == *kept) || name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // What cannot be removed stays, and is seen.
        let _gone = if path.is_dir() && !path.is_symlink() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
}

fn read(args: &[String]) -> Option<Task> {
    let mut task = Task::default();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--label" => task.label.clone_from(words.next()?),
            "--scratch" => task.scratch = words.next()?.into(),
            "--evidence" => task.evidence = Some(words.next()?.into()),
            "--only" => task.only.push(words.next()?.clone()),
            "--" => {
                task.command = words.cloned().collect();
                return (!task.label.is_empty() && task.scratch.is_dir()).then_some(task);
            }
            _ => return None,
        }
    }
    None
}
