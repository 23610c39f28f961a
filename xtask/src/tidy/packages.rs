use super::repository::BUDGETED;
use super::{Report, Repository};
use std::collections::{BTreeMap, BTreeSet};
use toml::de::{DeTable, DeValue};

/// Packages of the whole lock file.
const PACKAGES_MAX: usize = 600;
/// Licences and the baseline of duplicates stand once, where `cargo deny` reads them too.
const DENY_FILE: &str = "deny.toml";
/// The only source of packages, as the lock file spells it.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Nothing needs more packages than it may.
pub(super) fn budgets(repository: &Repository, report: &mut Report) {
    let all = repository.packages.iter().filter(|package| package.source.is_some()).count();
    report.meter("packages, everything", all, format!("<= {PACKAGES_MAX}"));
    if all > PACKAGES_MAX {
        report.find("budget", "Cargo.lock", format!("{all} packages; at most {PACKAGES_MAX}"));
    }
    for (room, most) in BUDGETED {
        let Some(tree) = repository.trees.get(*room) else { continue };
        let name = if *room == "sandbox" { "packages, sandbox" } else { "packages, audit" };
        report.meter(name, tree.len(), format!("<= {most}"));
        if tree.len() > *most {
            report.find("budget", format!("crates/{room}/Cargo.toml"), format!("{room} needs {} packages; at most {most}", tree.len()));
        }
    }
}

/// A name that stands twice in the lock file is in the baseline, and the baseline holds nothing else.
pub(super) fn duplicates(repository: &Repository, report: &mut Report) {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in &repository.packages {
        versions.entry(&package.name).or_default().insert(&package.version);
    }
    let twice: BTreeSet<&str> = versions.into_iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name).collect();
    let Some(listed) = deny_list(repository, "bans", "skip") else {
        report.find("duplicate", DENY_FILE, "the list `skip` of `[bans]` is missing");
        return;
    };
    report.meter("package names in two versions", twice.len(), format!("{} listed", listed.len()));
    for name in twice.iter().filter(|name| !listed.contains(**name)) {
        report.find("duplicate", "Cargo.lock", format!("{name} is there in two versions: use one"));
    }
    for name in listed.iter().filter(|name| !twice.contains(name.as_str())) {
        report.find("duplicate", DENY_FILE, format!("{name} is there only once: take it off the list `skip`"));
    }
}

/// Every package may be used under a licence of the list.
pub(super) fn licences(repository: &Repository, report: &mut Report) {
    let Some(allowed) = deny_list(repository, "licenses", "allow") else {
        report.find("licence", DENY_FILE, "the list `allow` of `[licenses]` is missing");
        return;
    };
    for package in &repository.packages {
        if !package.licence.as_deref().is_some_and(|licence| permits(licence, &allowed)) {
            let licence = package.licence.as_deref().unwrap_or("(none stated)");
            report.find("licence", "Cargo.lock", format!("{} {}: {licence} is not on the list", package.name, package.version));
        }
    }
}

/// Packages come from one place, as releases.
pub(super) fn sources(repository: &Repository, report: &mut Report) {
    for package in &repository.packages {
        if let Some(source) = package.source.as_deref().filter(|source| *source != SOURCE) {
            report.find("source", "Cargo.lock", format!("{} comes from {source}; only crates.io is permitted", package.name));
        }
    }
}

/// Every dependency says what it is for, and starts without its default features.
pub(super) fn justifications(repository: &Repository, report: &mut Report) {
    for file in repository.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let (mut is_list, mut before) = (false, "");
        for (index, line) in file.text.lines().enumerate() {
            if line.starts_with('[') {
                is_list = line.contains("dependencies");
            }
            if is_list && let Some(complaint) = unjustified(line, before) {
                report.find("justification", format!("{}:{}", file.path, index + 1), complaint);
            }
            before = line;
        }
    }
}

/// The feature that takes walls away, and the only line that may name it: where it is made.
const WEAKENING: &str = "danger-weaken";
const WEAKENING_MADE: (&str, &str) = ("crates/sandbox/Cargo.toml", "danger-weaken = []");

/// No package, profile or default turns on what takes walls away: only the script that tests the probes does, for itself.
pub(super) fn weakening(repository: &Repository, report: &mut Report) {
    for file in repository.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        for (index, line) in file.text.lines().enumerate() {
            if line.contains(WEAKENING) && (file.path.as_str(), line) != WEAKENING_MADE {
                report.find("weakening", format!("{}:{}", file.path, index + 1), "nothing may turn this feature on".to_owned());
            }
        }
    }
}

fn unjustified(line: &str, before: &str) -> Option<&'static str> {
    let (name, value) = line.split_once('=')?;
    if name.trim_end().ends_with(".workspace") || value.contains("workspace = true") || value.contains("path =") {
        return None;
    }
    let says_why = line.rsplit_once(" # ").is_some_and(|(_, why)| !why.is_empty()) || before.trim_start().starts_with('#');
    if !says_why {
        Some("a dependency says what it is for: add `# …`")
    } else if value.contains("default-features = false") {
        None
    } else {
        Some("add `default-features = false`")
    }
}

/// A list of names in the file of `cargo deny`; entries are names or tables with `crate` or `name`.
fn deny_list(repository: &Repository, table: &str, key: &str) -> Option<BTreeSet<String>> {
    let document = DeTable::parse(repository.file(DENY_FILE)?).ok()?;
    let list = document.get_ref().get(table)?.get_ref().get(key)?.get_ref().as_array()?;
    list.iter().map(|entry| name(entry.get_ref())).collect()
}

fn name(entry: &DeValue<'_>) -> Option<String> {
    let text = entry.as_str().or_else(|| ["crate", "name"].into_iter().find_map(|key| entry.get(key)?.get_ref().as_str()))?;
    Some(text.split('@').next().unwrap_or(text).to_owned())
}

/// Whether an SPDX expression can be met with the listed licences. An expression that is not understood is not met.
pub(super) fn permits(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    any(&mut words, allowed) == Some(true) && words.next().is_none()
}

type Words<'e> = std::iter::Peekable<std::str::SplitWhitespace<'e>>;

fn any(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut is_met = all(words, allowed)?;
    while words.next_if_eq(&"OR").is_some() {
        is_met |= all(words, allowed)?;
    }
    Some(is_met)
}

fn all(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    let mut is_met = one(words, allowed)?;
    while words.next_if_eq(&"AND").is_some() {
        is_met &= one(words, allowed)?;
    }
    Some(is_met)
}

fn one(words: &mut Words<'_>, allowed: &BTreeSet<String>) -> Option<bool> {
    if words.next_if_eq(&"(").is_some() {
        let is_met = any(words, allowed)?;
        return words.next_if_eq(&")").map(|_| is_met);
    }
    let licence = words.next()?;
    if words.next_if_eq(&"WITH").is_some() {
        return Some(allowed.contains(&format!("{licence} WITH {}", words.next()?)));
    }
    Some(allowed.contains(licence))
}
