use super::source::{Purpose, Source};
use super::{Report, Repository};
use std::collections::BTreeMap;

/// Longest file.
const FILE_LINES_MAX: usize = 800;
/// Nine files in ten are no longer.
const FILE_LINES_NINETIETH_MAX: usize = 450;
/// Files that hold a table and nothing else, which may be longer.
const TABLES: &[&str] = &[];
/// Names that say nothing: a noun is missing.
const NAMES_REFUSED: &[&str] = &["common", "util", "utils", "helper", "helpers", "misc", "core", "manager"];
/// Largest share of the product's lines in one crate, in percent. A product of few rooms cannot keep it, so it binds from seven on.
const SHARE_PERCENT_MAX: usize = 33;
const SHARE_ROOMS_MIN: usize = 7;
/// What the project aims at: lines of tests for a hundred lines of product.
const TEST_PERCENT_AIM: usize = 90;
/// How far the ratchet may lag behind before it has to be tightened.
const RATCHET_SLACK: usize = 10;
const RATCHET_FILE: &str = "xtask/test-ratio.txt";

fn of_purpose(repository: &Repository, purpose: Purpose) -> impl Iterator<Item = &Source> {
    repository.sources.iter().filter(move |source| source.purpose == purpose)
}

/// No file is too long, and few are long.
pub(super) fn file_sizes(repository: &Repository, report: &mut Report) {
    let is_table = |source: &&Source| TABLES.contains(&source.path.as_str());
    for source in repository.sources.iter().filter(|source| !is_table(source) && source.line_count > FILE_LINES_MAX) {
        report.find("file-size", &source.path, format!("{} lines; at most {FILE_LINES_MAX}: split it", source.line_count));
    }
    let mut sizes: Vec<usize> =
        of_purpose(repository, Purpose::Product).filter(|source| !is_table(source)).map(|source| source.line_count).collect();
    sizes.sort_unstable();
    let ninetieth = sizes.get(sizes.len().saturating_mul(9).div_ceil(10).saturating_sub(1)).copied().unwrap_or(0);
    let longest = sizes.last().copied().unwrap_or(0);
    report.meter("file lines, 90th percentile", ninetieth, format!("<= {FILE_LINES_NINETIETH_MAX}"));
    report.meter("file lines, longest", longest, format!("<= {FILE_LINES_MAX}"));
    if ninetieth > FILE_LINES_NINETIETH_MAX {
        report.find("file-size", "crates", format!("one file in ten has more than {FILE_LINES_NINETIETH_MAX} lines: split the longest"));
    }
}

/// Files, folders and modules have names that say what is in them.
pub(super) fn names(repository: &Repository, report: &mut Report) {
    for source in &repository.sources {
        let stem = source.path.trim_end_matches(".rs");
        if let Some(part) = stem.split('/').find(|part| NAMES_REFUSED.contains(part)) {
            report.find("name", &source.path, format!("`{part}` says nothing: name the noun"));
        }
        for word in source.words.iter().filter(|word| word.text == "mod") {
            if let Some(name) = word.next.as_deref().filter(|name| NAMES_REFUSED.contains(name)) {
                report.find("name", format!("{}:{}", source.path, word.line), format!("module `{name}` says nothing: name the noun"));
            }
        }
    }
}

/// No crate is most of the product.
pub(super) fn largest_share(repository: &Repository, report: &mut Report) {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for source in of_purpose(repository, Purpose::Product) {
        *lines.entry(source.room().unwrap_or("(none)")).or_default() += source.line_count;
    }
    let all: usize = lines.values().sum();
    let Some((room, most)) = lines.iter().max_by_key(|(_, count)| **count) else { return };
    let percent = most * 100 / all.max(1);
    report.meter("largest crate's share", format!("{percent} % ({room})"), format!("<= {SHARE_PERCENT_MAX} %"));
    if percent > SHARE_PERCENT_MAX && lines.len() >= SHARE_ROOMS_MIN {
        report.find("share", format!("crates/{room}"), format!("{percent} % of the product's lines; at most {SHARE_PERCENT_MAX} %"));
    }
}

/// Tests keep up with the product: never below the ratchet, which follows upwards.
pub(super) fn test_ratio(repository: &Repository, report: &mut Report) {
    let sum = |purpose| of_purpose(repository, purpose).map(|source| source.line_count).sum::<usize>();
    let percent = sum(Purpose::Test) * 100 / sum(Purpose::Product).max(1);
    let floor = repository.file(RATCHET_FILE).and_then(|text| text.trim().parse::<usize>().ok());
    let Some(floor) = floor else {
        report.find("test-ratio", RATCHET_FILE, "missing, or not a whole number of percent");
        return;
    };
    report.meter("test lines per 100 product lines", percent, format!(">= {floor} (aim {TEST_PERCENT_AIM})"));
    if percent < floor {
        report.find("test-ratio", RATCHET_FILE, format!("{percent} lines of tests for 100 of product; at least {floor}: add tests"));
    } else if floor < TEST_PERCENT_AIM && percent >= floor + RATCHET_SLACK {
        report.find("test-ratio", RATCHET_FILE, format!("tests grew to {percent} lines for 100 of product: raise the floor of {floor}"));
    }
}
