//! What is told of an attempt.

use serde::{Deserialize, Serialize};

/// Instead of an error's number: the attempt got none, and still reached nothing.
pub(crate) const SWALLOWED: i32 = -1;

/// What the runner tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) attempt: String,
    /// `returned`, `signal N`, or why it did not start.
    pub(crate) ended: String,
    /// Its output.
    pub(crate) output: String,
}

/// A call that was refused, as the attempt saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) call: String,
    pub(crate) error: i32,
    pub(crate) object: String,
}

/// What the judge tells: one line of the result.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Judged {
    /// Which sandbox.
    pub(crate) label: String,
    pub(crate) class: String,
    pub(crate) attempt: String,
    pub(crate) ended: String,
    /// What the host, or a secret in the output, shows; none if the attempt failed.
    pub(crate) effects: Vec<String>,
    pub(crate) refusals: Vec<Refusal>,
    /// Refusals for which the session's record has no event.
    pub(crate) unrecorded: Vec<Refusal>,
}

impl Judged {
    /// Whether the attempt started and came to an end of its own, or by a signal.
    pub(crate) fn is_made(&self) -> bool {
        self.ended == "returned" || self.ended.starts_with("signal ")
    }
}

impl Said {
    /// The refusals that it told, and what must be on record although nobody refused it to its face.
    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        let refused = self.output.lines().filter_map(|line| line.strip_prefix("@refused "));
        let read = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let call = words.next()?.to_owned();
            let error = words.next()?.parse().ok()?;
            Some(Refusal { call, error, object: words.next().unwrap_or_default().to_owned() })
        };
        let tried = self.output.lines().filter_map(|line| line.strip_prefix("@tried "));
        let sent = tried.filter_map(|line| line.split_once(' ')).map(|(what, port)| Refusal {
            call: what.to_owned(),
            error: SWALLOWED,
            object: port.to_owned(),
        });
        let killed = (self.ended == "signal 31").then(|| Refusal { call: "killed".to_owned(), error: SWALLOWED, object: String::new() });
        refused.filter_map(read).chain(sent).chain(killed).collect()
    }

    /// What the kernel gave.
    pub(crate) fn gains(&self) -> impl Iterator<Item = String> {
        self.output.lines().filter_map(|line| line.strip_prefix("@gained ")).map(|what| format!("gained {what}"))
    }
}
