//! The battery against our own walls, as root and as an ordinary user: nothing gets out, and every refusal is on record. An attempt
//! counts only because it succeeds without walls, so that is tried first.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on has failed, and says why it skips")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

/// An id that no account has.
const USER: u32 = 64321;
/// How many attempts there are, and how many succeed at least without walls. A machine without a device, or with a setting that refuses,
/// has fewer.
const ATTEMPTS_MIN: usize = 270;
const BARE_ROOT_MIN: usize = 200;
const BARE_USER_MIN: usize = 165;
/// Refusals that have no event, each with its reason.
const UNRECORDED: &[(&str, i32)] = &[
    // A datagram to an address that does not exist inside: no wall refuses it, it goes nowhere, and nobody sees it.
    ("datagram", -1),
];

/// A place where a user can run both programs.
struct Bench {
    folder: tempfile::TempDir,
    user: Option<u32>,
}

impl Bench {
    fn new(user: Option<u32>) -> Self {
        // Not in /tmp: a sandbox that hides that folder would hide the sham host with it.
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let escape = PathBuf::from(env!("CARGO_BIN_EXE_escape"));
        let bailiwick = escape.with_file_name("bailiwick");
        assert!(bailiwick.exists(), "{} is missing: cargo build -p bailiwick", bailiwick.display());
        for program in [escape, bailiwick] {
            let own = folder.path().join(program.file_name().unwrap());
            std::fs::copy(program, own).unwrap();
        }
        for name in ["bare", "ours"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            if let Some(user) = user {
                chown(folder.path().join(name), Some(user), Some(user)).unwrap();
            }
        }
        Self { folder, user }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// All attempts, with what the judge says of each.
    fn drive(&self, name: &str, options: &[&str], sandbox: &[&str]) -> Vec<Value> {
        let escape = self.path("escape");
        let mut command = Command::new("setpriv");
        match self.user {
            Some(user) => command.args([format!("--reuid={user}"), format!("--regid={user}")]).args(["--clear-groups", "--reset-env"]),
            None => command.arg("env"),
        };
        command.arg(escape).args(["drive", "--label", name, "--scratch"]).arg(self.path(name)).args(options).arg("--").args(sandbox);
        let output = command.current_dir(self.path(name)).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn ours(&self) -> Vec<Value> {
        let (program, evidence) = (self.path("bailiwick"), self.path("ours/state/bailiwick/evidence"));
        let (program, evidence) = (program.to_str().unwrap(), evidence.to_str().unwrap());
        let run = ["env", "XDG_STATE_HOME={scratch}/state", program, "run", "--upstream", "echo", "--"];
        self.drive("ours", &["--evidence", evidence], &run)
    }
}

fn names(results: &[Value], is_wanted: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    results.iter().filter(|one| is_wanted(one)).map(|one| one["attempt"].as_str().unwrap().to_owned()).collect()
}

fn has_effect(one: &Value) -> bool {
    !one["effects"].as_array().unwrap().is_empty()
}

fn nothing_gets_out(bench: &Bench, bare_min: usize) {
    let bare = bench.drive("bare", &[], &[]);
    let free = names(&bare, has_effect);
    assert!(free.len() >= bare_min, "{} succeed without walls", free.len());
    let ours = bench.ours();
    assert!(names(&ours, |_| true).len() >= ATTEMPTS_MIN);
    assert_eq!(names(&ours, |_| true), names(&bare, |_| true));
    let out: Vec<_> = ours.iter().filter(|one| has_effect(one)).collect();
    assert!(out.is_empty(), "{out:#?}");
    let is_known = |refusal: &&Value| UNRECORDED.iter().any(|(call, error)| refusal["call"] == **call && refusal["error"] == *error);
    for one in &ours {
        let missing: Vec<_> = one["unrecorded"].as_array().unwrap().iter().filter(|refusal| !is_known(refusal)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", one["attempt"]);
        // An attempt that was never made proves nothing.
        let ended = one["ended"].as_str().unwrap();
        assert!(ended == "returned" || ended.starts_with("signal"), "{}: {ended}", one["attempt"]);
    }
    let refused: usize = ours.iter().map(|one| one["refusals"].as_array().unwrap().len()).sum();
    println!("{} of {} succeed without walls, 0 within; {refused} refusals seen", free.len(), ours.len());
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

#[test]
fn nothing_gets_out_as_root() {
    if !is_root() {
        println!("skipped: this is an ordinary user");
        return;
    }
    nothing_gets_out(&Bench::new(None), BARE_ROOT_MIN);
}

#[test]
fn nothing_gets_out_as_an_ordinary_user() {
    nothing_gets_out(&Bench::new(is_root().then_some(USER)), BARE_USER_MIN);
}

#[test]
fn the_judge_sees_what_a_wall_with_a_hole_lets_through() {
    // The walls are ours, with one folder of the home shown inside: exactly what reads it must be seen.
    let bench = Bench::new(is_root().then_some(USER));
    let program = bench.path("bailiwick");
    let run =
        ["env", "XDG_STATE_HOME={scratch}/state", program.to_str().unwrap(), "run", "--upstream", "echo", "--docs", "{home}/.ssh", "--"];
    let chosen = ["--only", "read-ssh-key", "--only", "read-cloud-credentials", "--only", "add-authorised-key"];
    let results = bench.drive("ours", &chosen, &run);
    assert_eq!(names(&results, has_effect), BTreeSet::from(["read-ssh-key".to_owned()]));
    assert!(Path::new(&bench.path("ours/home/.ssh/id_ed25519")).exists());
}
