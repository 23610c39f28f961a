use super::source::{Function, Purpose, Source};
use super::{Report, Repository};
use std::collections::BTreeMap;

/// A longer function is a long one.
const FUNCTION_LINES_MAX: usize = 70;
/// Long functions among a thousand.
const LONG_PER_THOUSAND_MAX: usize = 10;
/// Shorter bodies may well be alike.
const BODY_LINES_MIN: usize = 6;

fn shipped(repository: &Repository) -> impl Iterator<Item = (&Source, &Function)> {
    let is_ours = |source: &&Source| matches!(source.purpose, Purpose::Product | Purpose::Chore);
    repository.sources.iter().filter(is_ours).flat_map(|source| source.functions.iter().map(move |function| (source, function)))
}

/// At most one function in a hundred is longer than 70 lines.
pub(super) fn long_functions(repository: &Repository, report: &mut Report) {
    let count = shipped(repository).count();
    let long: Vec<_> = shipped(repository).filter(|(_, function)| function.body_line_count > FUNCTION_LINES_MAX).collect();
    report.meter("functions over 70 lines", format!("{} of {count}", long.len()), "<= 1 %");
    if long.len() * 1000 > count * LONG_PER_THOUSAND_MAX {
        for (source, function) in long {
            let place = format!("{}:{}", source.path, function.line);
            report.find("long-function", place, format!("{} has {} lines: split it", function.name, function.body_line_count));
        }
    }
}

/// No two functions have the same body.
pub(super) fn identical_bodies(repository: &Repository, report: &mut Report) {
    let mut by_body: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (source, function) in shipped(repository).filter(|(_, function)| function.body_line_count >= BODY_LINES_MIN) {
        by_body.entry(&function.body).or_default().push(format!("{}:{}", source.path, function.line));
    }
    let copies: Vec<_> = by_body.into_values().filter(|places| places.len() > 1).collect();
    report.meter("identical function bodies (>= 6 lines)", copies.len(), "0");
    for places in copies {
        let (first, others) =
            places.split_first().map_or((String::new(), String::new()), |(first, others)| (first.clone(), others.join(", ")));
        report.find("identical-body", first, format!("the same body stands in {others}: keep one"));
    }
}
