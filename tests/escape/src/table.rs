//! Results of several sandboxes as one table.

use crate::result::Judged;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// Prints Markdown: totals for each class, then each attempt that succeeded somewhere.
pub(crate) fn print(files: &[String]) -> ExitCode {
    let mut labels: Vec<String> = Vec::new();
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut cells: BTreeMap<(String, String), bool> = BTreeMap::new();
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
            cells.insert((one.label, one.attempt), !one.effects.is_empty());
        }
    }
    let is_through = |label: &String, attempt: &String| cells.get(&(label.clone(), attempt.clone())).copied();
    let counts = |chosen: &dyn Fn(&String) -> bool, label: &String| {
        let mine = rows.iter().filter(|(class, attempt)| chosen(class) && is_through(label, attempt) == Some(true));
        mine.count().to_string()
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
    println!("| **all** ({}) | {} |\n", rows.len(), total.join(" | "));
    head("attempt");
    for (_, attempt) in &rows {
        let row = labels.iter().map(|label| match is_through(label, attempt) {
            Some(true) => "through",
            Some(false) => "·",
            None => "?",
        });
        let row: Vec<&str> = row.collect();
        if row.contains(&"through") {
            println!("| {attempt} | {} |", row.join(" | "));
        }
    }
    ExitCode::SUCCESS
}
