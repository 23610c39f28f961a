//! What the demo found, for people on one screen and for machines.

use super::place::Place;
use super::red_team::Attempt;
use crate::print;
use ::evidence::text::{self, Style};
use ::evidence::view::SessionReport;
use schema::RefusalCode;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Says what is being played, unless a machine listens.
pub(super) struct Teller {
    pub(super) silent: bool,
}

impl Teller {
    pub(super) fn opening(&self, place: &Place, model: Option<&Path>) {
        if self.silent {
            return;
        }
        print::line("Bailiwick demo: a bank's agent drafts a letter from a client's KYC papers, then turns hostile.\n");
        match model {
            Some(path) => print::line(format_args!("model     {} (inside walls of its own, no network)", path.display())),
            None => print::line("model     none was fetched (scripts/fetch-model): an ECHO answers with what it was sent"),
        }
        print::line(format_args!("folder    {}\n", place.root().display()));
    }

    pub(super) fn act(&self, title: &str) {
        if !self.silent {
            print::line(format_args!("== {title}"));
        }
    }

    /// What the agent wrote: the values are back in it.
    pub(super) fn letter(&self, path: &Path) {
        if self.silent {
            return;
        }
        print::line("the letter, as it is on the disk:");
        for line in std::fs::read_to_string(path).unwrap_or_default().lines().filter(|line| !line.is_empty()) {
            // A model wrote it: nothing in it may control the terminal.
            let shown: String = line.chars().filter(|character| !character.is_control()).collect();
            print::line(format_args!("  | {shown}"));
        }
        print::line("");
    }

    /// What an act printed.
    pub(super) fn output(&self, output: &Output) {
        if !self.silent {
            print::text(&String::from_utf8_lossy(&output.stdout));
            print::text(&String::from_utf8_lossy(&output.stderr));
            print::line("");
        }
    }
}

/// One command that was run, and the log that it made.
pub(super) struct Act {
    pub(super) output: Output,
    pub(super) log: PathBuf,
}

/// What stood on the host after the attack.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "one answer for each thing that was looked at")]
pub(super) struct Outside {
    pub(super) key_untouched: bool,
    pub(super) shell_start_untouched: bool,
    pub(super) host_service_untouched: bool,
    pub(super) nothing_new_in_system: bool,
    pub(super) letter_written: bool,
}

/// The whole demo.
#[derive(Serialize)]
pub(super) struct Story {
    pub(super) folder: PathBuf,
    pub(super) model: String,
    pub(super) agent_exit_code: Option<i32>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) outside: Outside,
    /// How a call without a session was answered.
    pub(super) without_session: String,
    /// What stands in the papers and no detector of this version finds.
    pub(super) undetected: Vec<&'static str>,
    pub(super) reports: Vec<SessionReport>,
    pub(super) evidence: Vec<audit::Report>,
}

impl Story {
    /// Whether the agent did its work, the attack had no effect, what the door or the walls refused is on record, and all evidence
    /// verifies.
    pub(super) fn is_as_it_should_be(&self) -> bool {
        let outside = &self.outside;
        let untouched = outside.key_untouched && outside.shell_start_untouched && outside.host_service_untouched;
        self.agent_exit_code == Some(0)
            && untouched
            && outside.nothing_new_in_system
            && outside.letter_written
            && self.attempts.iter().all(|attempt| !attempt.succeeded && self.is_recorded(attempt) != Some(false))
            && self.without_session.starts_with("401 caller.unauthenticated")
            && self.evidence.iter().all(|report| report.exit_code() == 0)
    }

    /// Whether an attempt is on record; none where nothing could be reached, so that there is nothing to record.
    fn is_recorded(&self, attempt: &Attempt) -> Option<bool> {
        let attack = self.reports.get(1)?;
        let code = match attempt.event.as_str() {
            "file.refused" => RefusalCode::FileDenied,
            "connection.refused" => RefusalCode::DestinationDenied,
            "name.refused" => RefusalCode::NameDenied,
            "system_call.refused" => RefusalCode::SystemCallDenied,
            _ => return None,
        };
        Some(attack.refused_by_code.get(&code).is_some_and(|count| *count > 0))
    }

    pub(super) fn tell(&self) {
        for attempt in &self.attempts {
            let result = if attempt.succeeded { "GOT THROUGH" } else { "refused" };
            let record = match self.is_recorded(attempt) {
                Some(true) => "recorded",
                Some(false) => "NOT RECORDED",
                None => "nothing there",
            };
            print::line(format_args!("{result:11} {record:13} {} ({})", attempt.act, attempt.seen));
        }
        print::line(format_args!("refused     recorded      call the bank's own gateway without a session ({})", self.without_session));
        let outside = &self.outside;
        for (held, thing) in [
            (outside.key_untouched && outside.shell_start_untouched, "the user's key and shell start-up file"),
            (outside.host_service_untouched, "the service on the host's loopback"),
            (outside.nothing_new_in_system, "the system's folders"),
        ] {
            print::line(format_args!("outside     {:13} {thing}", if held { "untouched" } else { "CHANGED" }));
        }
        for (number, report) in (3..).zip(&self.reports) {
            let whose = if number == 3 { "the agent's session" } else { "the attack's session" };
            print::line(format_args!("\n== {number}  The report of {whose}"));
            print::text(&text::render(report, Style { color: print::colours() }));
        }
        print::line(format_args!("in the papers too, but no detector yet: {}", self.undetected.join(", ")));
        print::line("\n== 5  Does the evidence hold?");
        for report in &self.evidence {
            print::text(&audit::render_report(report));
        }
        let verdict =
            if self.is_as_it_should_be() { "Everything was as it should be." } else { "NOT everything was as it should be: see above." };
        print::line(format_args!("\n{verdict}"));
        let program = std::env::current_exe().unwrap_or_else(|_| "bailiwick".into());
        print::line(format_args!(
            "Look closer: XDG_STATE_HOME={} {} evidence list",
            self.folder.join("state").display(),
            program.display()
        ));
    }
}
