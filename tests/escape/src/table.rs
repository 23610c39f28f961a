//! Results of several sandboxes as one table.

use crate::result::Judged;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Through {
    /// The host shows it: something of the user's was read, changed, reached or left behind.
    Host,
    /// The kernel gave what it gives to nobody behind a wall, and the host shows nothing.
    Reached,
    Nothing,
    /// Nothing is seen, but the attempt was not made to its end: it did not start, or the session ended with it.
    Unmade,
}

impl Through {
    fn of(one: &Judged) -> Self {
        match &one.effects[..] {
            [] if one.is_made() => Self::Nothing,
            [] => Self::Unmade,
            all if all.iter().all(|effect| effect.starts_with("gained ")) => Self::Reached,
            _ => Self::Host,
        }
    }
}

/// Prints Markdown: for each class how many had an effect on the host, and how many more reached something; then each attempt that
/// succeeded somewhere.
pub(crate) fn print(files: &[String]) -> ExitCode {
    let mut labels: Vec<String> = Vec::new();
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut cells: BTreeMap<(String, String), Through> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for one in text.lines().filter_map(|line| serde_json::from_str::<Judged>(line).ok()) {
            if !labels.contains(&one.label) {
                labels.push(one.label.clone());
            }
            let row = (one.class.clone(), one.attempt.clone());
            if !rows.contains(&row) {
                rows.push(row);
            }
            let through = Through::of(&one);
            cells.insert((one.label, one.attempt), through);
        }
    }
    let is_through = |label: &String, attempt: &String| cells.get(&(label.clone(), attempt.clone())).copied();
    let counts = |chosen: &dyn Fn(&String) -> bool, label: &String| {
        let count = |wanted| rows.iter().filter(|(class, attempt)| chosen(class) && is_through(label, attempt) == Some(wanted)).count();
        format!("{} + {}", count(Through::Host), count(Through::Reached))
    };
    let head = |first: &str| println!("| {first} | {} |\n|---|{}", labels.join(" | "), "---|".repeat(labels.len()));
    head("class (attempts)");
    let mut classes: Vec<&String> = rows.iter().map(|(class, _)| class).collect();
    classes.dedup();
    for class in classes {
        let count = rows.iter().filter(|(other, _)| other == class).count();
        let row: Vec<String> = labels.iter().map(|label| counts(&|other| other == class, label)).collect();
        println!("| {class} ({count}) | {} |", row.join(" | "));
    }
    let total: Vec<String> = labels.iter().map(|label| counts(&|_| true, label)).collect();
    println!("| **all** ({}) | {} |", rows.len(), total.join(" | "));
    // What was not tried is no refusal.
    let unmade =
        |label: &String| rows.iter().filter(|(_, attempt)| matches!(is_through(label, attempt), None | Some(Through::Unmade))).count();
    let unmade: Vec<String> = labels.iter().map(|label| unmade(label).to_string()).collect();
    println!("| not made to the end | {} |\n", unmade.join(" | "));
    head("attempt");
    for (_, attempt) in &rows {
        let row = labels.iter().map(|label| match is_through(label, attempt) {
            Some(Through::Host) => "host",
            Some(Through::Reached) => "reached",
            Some(Through::Nothing) => "·",
            Some(Through::Unmade) | None => "?",
        });
        let row: Vec<&str> = row.collect();
        if row.iter().any(|cell| ["host", "reached"].contains(cell)) {
            println!("| {attempt} | {} |", row.join(" | "));
        }
    }
    ExitCode::SUCCESS
}
