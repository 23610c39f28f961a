//! What the session's evidence has to say of the refusals that the attempts saw.

use crate::result::{Refusal, SWALLOWED};
use crate::sys::REFUSALS;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The events of one session.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Type, and what tells apart: a call, an error, a port.
    events: BTreeSet<(String, String)>,
    /// How many files were refused, by error.
    files: BTreeMap<String, usize>,
}

impl Record {
    /// Reads the logs that were not there before.
    pub(crate) fn read(folder: &Path, seen: &mut BTreeSet<PathBuf>) -> Self {
        let mut record = Self::default();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| seen.insert(entry.path())) {
            let log = std::fs::read_to_string(entry.path().join("log.jsonl")).unwrap_or_default();
            for line in log.lines().filter(|line| line.starts_with("{\"time\":")) {
                let line: Value = serde_json::from_str(line).unwrap();
                let text = |key: &str| line.pointer(&format!("/event/{key}")).map(ToString::to_string).unwrap_or_default().replace('"', "");
                let kind = text("type");
                if kind == "file.refused" {
                    *record.files.entry(text("errno")).or_default() += 1;
                }
                for key in ["system_call", "errno", "port", "protocol"] {
                    // An event without the field tells nothing of it; else whoever looks for nothing would find it.
                    if !text(key).is_empty() {
                        record.events.insert((kind.clone(), text(key)));
                    }
                }
            }
        }
        record
    }

    /// Whether a refusal stands in the record. An object that is merely absent needs no event.
    pub(crate) fn tells(&self, refusal: &Refusal) -> bool {
        let has = |kind: &str, what: &str| self.events.contains(&(kind.to_owned(), what.to_owned()));
        if refusal.error == SWALLOWED {
            let is_foreign = |(kind, call): &(String, String)| kind == "system_call.refused" && call.contains(':');
            return has("connection.refused", &refusal.object) || (refusal.call == "killed" && self.events.iter().any(is_foreign));
        }
        !REFUSALS.contains(&refusal.error)
            || has("system_call.refused", &refusal.call)
            || match refusal.call.as_str() {
                "execve" => self.events.iter().any(|(kind, _)| kind == "program.refused"),
                // Opens and what changes names are told by the error that the agent got.
                _ => has("file.refused", error_name(refusal.error)) || has("connection.refused", &port(&refusal.object)),
            }
    }
}

impl Record {
    /// Errors with which more files were refused than the record has events for: one event may not stand for two files.
    pub(crate) fn too_few<'r>(&self, refusals: impl Iterator<Item = &'r Refusal>) -> Vec<Refusal> {
        let mut seen: BTreeMap<i32, BTreeSet<&str>> = BTreeMap::new();
        let opens = refusals.filter(|one| one.call == "openat" && one.object.starts_with('/') && REFUSALS.contains(&one.error));
        for one in opens {
            seen.entry(one.error).or_default().insert(&one.object);
        }
        let events = |error: i32| self.files.get(error_name(error)).copied().unwrap_or(0);
        let short = seen.into_iter().filter(|(error, files)| files.len() > events(*error));
        let tell = |(error, files): (i32, BTreeSet<&str>)| Refusal {
            call: "openat".to_owned(),
            error,
            object: format!("{} files, {} events", files.len(), events(error)),
        };
        short.map(tell).collect()
    }
}

fn port(object: &str) -> String {
    object.rsplit(':').next().unwrap_or_default().to_owned()
}

fn error_name(error: i32) -> &'static str {
    match error {
        libc::EPERM => "EPERM",
        libc::EACCES => "EACCES",
        libc::EROFS => "EROFS",
        libc::ENOSYS => "ENOSYS",
        _ => "",
    }
}
