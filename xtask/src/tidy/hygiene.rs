use super::{Report, Repository};
use std::path::Path;

/// A folder of one machine. Spelled in two parts so that this file passes its own rule.
const MACHINE_FOLDER: &str = concat!("/", "work/");
/// Root's home is on every machine, but only tests, which try to read it, have a reason to name it.
const ROOT_HOME: &str = concat!("/", "root/");
/// Servers of package registries: a lock file or a script that names one works on some networks only.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("files.", "pythonhosted.org"),
    concat!("registry.", "npmjs.org"),
    concat!("deb.", "debian.org"),
    concat!("--index", "-url"),
    concat!("\"resolved\"", ": \"http"),
];
/// A number before one of these may be a measurement.
const UNITS: &[&str] = &["ns", "µs", "ms", "s", "kB", "KiB", "MB", "MiB", "GB", "GiB", "%", "tokens/s", "requests/s", "MB/s", "calls/s"];
/// Words that make a number a rule instead of a measurement.
const RULE_WORDS: &[&str] = &["at most", "at least", "up to", "limit", "bound", "budget", "gate", "aim", "default", "largest", "longest"];
/// A measurement is followed by the command that measures it, in code, after one of these.
const COMMAND_MARKS: &[&str] = &["measured with `", "measured by `", "Measured with `", "Measured by `", "measured with prototypes"];

/// Nothing points into a folder of the machine on which it was written.
pub(super) fn machine_paths(repository: &Repository, report: &mut Report) {
    for file in &repository.files {
        let is_test = is_test(&file.path);
        for (index, line) in file.text.lines().enumerate() {
            if stands_alone(line, MACHINE_FOLDER) || (!is_test && stands_alone(line, ROOT_HOME)) {
                report.find("machine-path", format!("{}:{}", file.path, index + 1), "a path of one machine: write a relative one");
            }
        }
    }
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// True if `folder` is in `line` as an absolute path, not in the middle of a longer one.
fn stands_alone(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|character| !character.is_alphanumeric() && !"_.-}*~/".contains(character))
    })
}

/// Nothing names a registry's server; the tools know theirs. Tests may: agents really ask for some of them.
pub(super) fn registry_hosts(repository: &Repository, report: &mut Report) {
    for file in repository.files.iter().filter(|file| !is_test(&file.path)) {
        for (index, line) in file.text.lines().enumerate() {
            if REGISTRY_HOSTS.iter().any(|host| line.contains(host)) {
                report.find(
                    "registry-host",
                    format!("{}:{}", file.path, index + 1),
                    "names a registry's server: leave it to the tool's settings",
                );
            }
        }
    }
}

/// A measured number in the documents names the command that measures it, in the same section.
pub(super) fn figures(repository: &Repository, report: &mut Report) {
    let is_document = |path: &str| {
        Path::new(path).extension().is_some_and(|kind| kind == "md") && !path.starts_with("docs/reference/") && path != "CHANGELOG.md"
    };
    for file in repository.files.iter().filter(|file| is_document(&file.path)) {
        for (line, section) in sections(&file.text) {
            let has_command = COMMAND_MARKS.iter().any(|mark| section.contains(mark));
            if has_command {
                continue;
            }
            for (index, text) in section.lines().enumerate().filter(|(_, text)| holds_figure(text)) {
                let place = format!("{}:{}", file.path, line + index);
                report.find("figure", place, format!("a figure without its command (`Measured with `…``): {}", text.trim()));
            }
        }
    }
}

/// Parts of a document between headings, each with the number of its first line.
fn sections(text: &str) -> Vec<(usize, String)> {
    let mut list = vec![(1, String::new())];
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            list.push((index + 1, String::new()));
        }
        if let Some((_, section)) = list.last_mut() {
            section.push_str(line);
            section.push('\n');
        }
    }
    list
}

fn holds_figure(line: &str) -> bool {
    if RULE_WORDS.iter().any(|word| line.to_lowercase().contains(word)) || line.contains('≤') || line.contains('≥') {
        return false;
    }
    let words: Vec<&str> = line.split(|character: char| character.is_whitespace() || "()|,;:".contains(character)).collect();
    let is_number = |text: &str| text.starts_with(|character: char| character.is_ascii_digit());
    let is_joined = |word: &str| {
        let unit = word.trim_start_matches(|character: char| character.is_ascii_digit() || ".,–/".contains(character));
        is_number(word) && unit != word && UNITS.contains(&unit.trim_end_matches('.'))
    };
    let is_apart = |pair: &[&str]| matches!(pair, [number, unit] if is_number(number) && UNITS.contains(&unit.trim_end_matches('.')));
    words.iter().any(|word| is_joined(word)) || words.windows(2).any(is_apart)
}
