//! The verifier stays small enough to be read.

use std::{collections::BTreeSet, process::Command};

/// Most crates, its own included.
const CRATES_MAX: usize = 30;
/// What it may never link: the writer and its cryptography.
const FORBIDDEN: [&str; 3] = ["evidence", "aws-lc-rs", "aws-lc-sys"];

#[test]
fn it_links_few_crates_and_none_of_the_writer() {
    let arguments = ["tree", "--offline", "--locked", "-p", "audit", "-e", "normal", "--prefix", "none", "--format", "{p}"];
    let out = Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let tree = String::from_utf8(out.stdout).unwrap();
    let crates: BTreeSet<_> = tree.lines().map(|line| line.split(' ').take(2).collect::<Vec<_>>()).collect();
    assert!(crates.len() > 5, "cargo tree printed nothing: {tree}");
    assert!(crates.len() <= CRATES_MAX, "{} crates: {crates:?}", crates.len());
    assert!(crates.iter().all(|name| !FORBIDDEN.contains(&name[0])), "{crates:?}");
}
