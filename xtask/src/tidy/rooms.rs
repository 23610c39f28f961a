use super::{Report, Repository};
use std::collections::BTreeMap;

/// A room, and the rooms that it may depend on. Its tests are held to the same table, but for [`TESTED_AGAINST`].
const TABLE: &[(&str, &[&str])] = &[
    ("schema", &[]),
    ("policy", &["schema"]),
    ("dlp", &["schema"]),
    ("attest", &["schema"]),
    ("evidence", &["schema"]),
    ("sandbox", &["schema"]),
    ("model", &["schema"]),
    ("egress", &["schema", "policy", "evidence"]),
    ("gateway", &["schema", "policy", "dlp", "attest", "evidence"]),
    ("endpoint", &["schema", "policy", "sandbox", "egress", "attest", "evidence"]),
    // It judges what evidence wrote, so it shares no code with it.
    ("audit", &["schema"]),
    ("control", &["schema", "policy", "attest", "evidence", "audit"]),
    (
        "bailiwick",
        &["schema", "policy", "dlp", "attest", "evidence", "sandbox", "model", "egress", "gateway", "endpoint", "audit", "control"],
    ),
    // The battery of escapes: a test tool, not shipped, that knows no room and runs the command.
    ("escape", &[]),
    ("xtask", &[]),
];

/// What a room's tests may use besides: the verifier is tried on what the writer really writes.
const TESTED_AGAINST: &[(&str, &str)] = &[("audit", "evidence")];

/// Libraries that would break what a room promises.
const LIBRARY_WALLS: &[(&str, &[&str])] = &[
    ("schema", &["tokio", "rustix", "libc", "aws-lc-rs", "toml"]),
    ("policy", &["tokio", "rustix", "libc"]),
    ("dlp", &["tokio", "rustix", "libc"]),
    ("sandbox", &["tokio", "hyper", "toml", "serde"]),
    ("egress", &["rustls", "hyper", "serde_json", "aws-lc-rs"]),
    ("audit", &["tokio", "aws-lc-rs"]),
];

/// Edges on the longest way from one room to another.
const DEPTH_MAX: usize = 4;

/// Rooms depend on each other as the table says.
pub(super) fn dependency_table(repository: &Repository, report: &mut Report) {
    let members: Vec<&str> = repository.members().map(|package| package.name.as_str()).collect();
    report.meter("rooms", members.len(), "each in the table");
    for package in repository.members() {
        let Some((_, allowed)) = TABLE.iter().find(|(room, _)| *room == package.name) else {
            report.find("room", manifest(&package.name), "this room is not in the table of tidy: it needs a decision note first");
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| members.contains(&dependency.name.as_str())) {
            let is_tested_against = dependency.is_dev && TESTED_AGAINST.contains(&(package.name.as_str(), dependency.name.as_str()));
            if !allowed.contains(&dependency.name.as_str()) && !is_tested_against {
                let kind = if dependency.is_dev { "develop against" } else { "depend on" };
                report.find("room", manifest(&package.name), format!("{} may not {kind} {}", package.name, dependency.name));
            }
        }
    }
}

/// What a room may not link.
pub(super) fn library_walls(repository: &Repository, report: &mut Report) {
    for package in repository.members() {
        let Some((_, refused)) = LIBRARY_WALLS.iter().find(|(room, _)| *room == package.name) else { continue };
        for dependency in package.dependencies.iter().filter(|dependency| !dependency.is_dev) {
            if refused.contains(&dependency.name.as_str()) {
                report.find("library", manifest(&package.name), format!("{} may not link {}", package.name, dependency.name));
            }
        }
    }
}

/// No room stands on more than four floors.
pub(super) fn depth(repository: &Repository, report: &mut Report) {
    let edges: BTreeMap<&str, Vec<&str>> = repository
        .members()
        .map(|package| {
            let normal = package.dependencies.iter().filter(|dependency| !dependency.is_dev);
            (package.name.as_str(), normal.map(|dependency| dependency.name.as_str()).collect())
        })
        .collect();
    let deepest = edges.keys().map(|room| below(room, &edges, edges.len())).max().unwrap_or(0);
    report.meter("crate depth", deepest, format!("<= {DEPTH_MAX}"));
    if deepest > DEPTH_MAX {
        report.find("depth", "Cargo.toml", format!("a chain of rooms has {deepest} steps; {DEPTH_MAX} are permitted"));
    }
}

/// Longest way down from `room`. `left` bounds it, should cargo ever permit a circle.
fn below(room: &str, edges: &BTreeMap<&str, Vec<&str>>, left: usize) -> usize {
    let rooms = edges.get(room).into_iter().flatten().filter(|next| edges.contains_key(**next));
    if left == 0 { 0 } else { rooms.map(|next| 1 + below(next, edges, left - 1)).max().unwrap_or(0) }
}

fn manifest(room: &str) -> String {
    match room {
        "xtask" => "xtask/Cargo.toml".to_owned(),
        "escape" => "tests/escape/Cargo.toml".to_owned(),
        _ => format!("crates/{room}/Cargo.toml"),
    }
}
