//! Turns the lists of system calls (`profiles/seccomp`) into tables, so that nothing is read when a session starts.

#[path = "build/list.rs"]
mod list;

use list::{Entry, Kind, Numbers, Problem, Rule, Test};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// The agent's lists and the layer that each belongs to.
const AGENT: [(&str, &str); 6] = [
    ("base", "Base"),
    ("files", "Files"),
    ("processes", "Processes"),
    ("network", "Network"),
    ("developer", "Developer"),
    ("refused", "Base"),
];
/// Parts of the roles' lists.
const ROLE: [&str; 5] = ["everyone", "data", "libraries", "local", "remote"];
/// Refusals that nobody would hear of.
const UNHEARD: &str = "the agent's refusals are all reported: `refuse-absent`";
/// Rules that only the agent's warden can follow.
const WARDEN_ONLY: &str = "a role has no warden: its rules are allow, absent and when";

/// A problem with the file it is in.
type Failure = (String, String);

fn main() -> ExitCode {
    let folder = Path::new("profiles/seccomp");
    let mut out = std::io::stdout();
    let _lost =
        writeln!(out, "cargo::rerun-if-changed=profiles/seccomp\ncargo::rerun-if-changed=build\ncargo::rustc-check-cfg=cfg(fuzzing)");
    let written = tables(folder).and_then(|text| {
        let place = std::env::var_os("OUT_DIR").unwrap_or_default();
        let place = Path::new(&place).join("calls.rs");
        // A new file each time: a build folder may be a copy of another by hard links, whose table must stay as it is.
        let _absent = std::fs::remove_file(&place);
        std::fs::write(place, text).map_err(|error| ("calls.rs".to_owned(), error.to_string()))
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err((file, what)) => {
            let _lost = writeln!(out, "cargo::error={}/{file}: {what}", folder.display());
            ExitCode::FAILURE
        }
    }
}

fn tables(folder: &Path) -> Result<String, Failure> {
    let architecture = match std::env::var_os("CARGO_CFG_TARGET_ARCH") {
        Some(name) if name == "x86_64" => 0,
        Some(name) if name == "aarch64" => 1,
        _ => return Err(("numbers.list".to_owned(), "has no numbers for this architecture".to_owned())),
    };
    let numbers = read(folder, "numbers.list", list::numbers)?;
    let mut text = String::new();
    let mut agent = Vec::new();
    for (name, layer) in AGENT {
        let file = format!("agent/{name}.list");
        let entries = read(folder, &file, list::parse)?;
        if let Some(entry) = entries.iter().find(|entry| entry.rule == Rule::Word("Absent")) {
            return Err((file, Problem { line: entry.line, what: UNHEARD.to_owned() }.to_string()));
        }
        for (number, entry) in numbered(entries, &numbers, architecture, &file)? {
            agent.push((
                number,
                format!("Entry {{ layer: Layer::{layer}, name: {:?}, number: {number}, rule: {} }}", entry.name, code("Rule", &entry.rule)),
            ));
        }
    }
    agent.sort();
    table(&mut text, "AGENT", "Entry", agent.iter().map(|(_, code)| code.clone()));
    for name in ROLE {
        let file = format!("role/{name}.list");
        let entries = read(folder, &file, list::parse)?;
        if let Some(entry) = entries.iter().find(|entry| !matches!(entry.rule, Rule::Word("Allow" | "Absent") | Rule::When(..))) {
            return Err((file, Problem { line: entry.line, what: WARDEN_ONLY.to_owned() }.to_string()));
        }
        let lines = numbered(entries, &numbers, architecture, &file)?;
        table(
            &mut text,
            &name.to_uppercase(),
            "(u32, RoleRule)",
            lines.iter().map(|(number, entry)| format!("({number}, {})", code("RoleRule", &entry.rule))),
        );
    }
    let mut names: Vec<_> = numbers.iter().filter_map(|(name, numbers)| Some((numbers.get(architecture).copied()??, name))).collect();
    names.sort();
    table(&mut text, "NAMES", "(u32, &str)", names.iter().map(|pair| format!("{pair:?}")));
    Ok(text)
}

fn read<T>(folder: &Path, file: &str, parse: fn(&str) -> Result<T, Problem>) -> Result<T, Failure> {
    let text = std::fs::read_to_string(folder.join(file)).map_err(|error| (file.to_owned(), error.to_string()))?;
    parse(&text).map_err(|problem| (file.to_owned(), problem.to_string()))
}

/// Leaves out the calls that this architecture does not have.
fn numbered(entries: Vec<Entry>, numbers: &[Numbers], architecture: usize, file: &str) -> Result<Vec<(u32, Entry)>, Failure> {
    let (mut kept, mut seen) = (Vec::new(), BTreeSet::new());
    for entry in entries {
        let problem = |what: String| (file.to_owned(), Problem { line: entry.line, what }.to_string());
        let Some((_, found)) = numbers.iter().find(|(name, _)| *name == entry.name) else {
            return Err(problem(format!("{} is not in numbers.list", entry.name)));
        };
        if !seen.insert(entry.name.clone()) {
            return Err(problem(format!("{} stands twice", entry.name)));
        }
        if let Some(number) = found.get(architecture).copied().flatten() {
            kept.push((number, entry));
        }
    }
    Ok(kept)
}

fn table(text: &mut String, name: &str, kind: &str, rows: impl Iterator<Item = String>) {
    let _infallible = writeln!(text, "pub(crate) static {name}: &[{kind}] = &[");
    for row in rows {
        let _infallible = writeln!(text, "    {row},");
    }
    let _infallible = writeln!(text, "];");
}

fn code(kind: &str, rule: &Rule) -> String {
    match rule {
        Rule::Word(variant) => format!("{kind}::{variant}"),
        Rule::Open(flags) => format!("{kind}::Open({flags:?})"),
        Rule::When(alternatives, otherwise) => format!("{kind}::When({}, {otherwise:?})", conditions(alternatives)),
        Rule::Change(alternatives) => format!("{kind}::Change({})", conditions(alternatives)),
    }
}

fn conditions(alternatives: &[Vec<Test>]) -> String {
    let tests = |tests: &Vec<Test>| format!("&[{}]", tests.iter().map(condition).collect::<Vec<_>>().join(", "));
    format!("&[{}]", alternatives.iter().map(tests).collect::<Vec<_>>().join(", "))
}

fn condition(test: &Test) -> String {
    let Test { argument, mask, kind, values, .. } = test;
    let mask = literal(*mask);
    let values = values.iter().map(|value| literal(*value)).collect::<Vec<_>>().join(", ");
    match kind {
        Kind::Is => format!("Test::Is({argument}, {mask}, &[{values}])"),
        Kind::Null => format!("Test::Null({argument})"),
    }
}

/// Long numbers in groups, as clippy wants them.
fn literal(value: u32) -> String {
    if value > 0xffff { format!("0x{:04x}_{:04x}", value >> 16, value & 0xffff) } else { value.to_string() }
}
