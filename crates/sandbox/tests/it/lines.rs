//! The lists of system calls, line by line, in a session: what a line allows is let through, its neighbour is refused and reported.

use crate::attempts::{Attempt, allowed, neighbours};
use crate::list::{self, Entry, Kind, Numbers, Rule};
use crate::{example, session, text};
use std::collections::{BTreeMap, BTreeSet};

/// Numbers above all that exist.
const LAST: u32 = 520;

/// The files, as they were when this was built: whoever runs it may not be able to read them.
macro_rules! profile {
    ($name:literal) => {
        include_str!(concat!("../../profiles/seccomp/", $name))
    };
}

/// The agent's usual lists.
const LISTS: [&str; 5] = [
    profile!("agent/base.list"),
    profile!("agent/files.list"),
    profile!("agent/processes.list"),
    profile!("agent/network.list"),
    profile!("agent/refused.list"),
];

/// The lines of the agent's usual lists.
fn lines() -> Vec<Entry> {
    LISTS.iter().flat_map(|list| list::parse(list).unwrap()).collect()
}

/// This architecture's numbers.
fn numbers() -> BTreeMap<String, u32> {
    let column = usize::from(cfg!(target_arch = "aarch64"));
    let table: Vec<Numbers> = list::numbers(profile!("numbers.list")).unwrap();
    table.into_iter().filter_map(|(name, numbers)| Some((name, numbers[column]?))).collect()
}

/// What came of each attempt, and the names of the calls that were reported as refused.
fn make(attempts: &[Attempt], options: &[&str]) -> (Vec<String>, BTreeSet<String>) {
    let numbers = numbers();
    let folder = tempfile::tempdir().unwrap();
    let line = |attempt: &Attempt| {
        let number = numbers.get(&attempt.name).copied().or_else(|| attempt.name.strip_prefix("call_")?.parse().ok()).unwrap();
        attempt.arguments.iter().fold(number.to_string(), |line, argument| format!("{line} {argument}")) + "\n"
    };
    let file = folder.path().join("attempts");
    std::fs::write(&file, attempts.iter().map(line).collect::<String>()).unwrap();
    std::fs::copy(example("calls"), folder.path().join("calls")).unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), readable).unwrap();
    let mount = format!("ro={}", folder.path().display());
    let script = format!("exec {0}/calls {0}/attempts", folder.path().display());
    let output = session(&[&["reports", "observe", &mount], options].concat(), &script).output().unwrap();
    let said: Vec<String> = text(&output).lines().map(str::to_owned).collect();
    let reports = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.len(), attempts.len(), "{reports}");
    let calls = reports.lines().filter_map(|line| line.strip_prefix("call ")?.split(' ').next());
    (said, calls.map(str::to_owned).collect())
}

fn exists(numbers: &BTreeMap<String, u32>, attempts: impl Iterator<Item = Attempt>) -> Vec<Attempt> {
    attempts.filter(|attempt| numbers.contains_key(&attempt.name)).collect()
}

fn is_refusal(entry: &Entry) -> bool {
    matches!(entry.rule, Rule::Word("Refuse" | "RefuseAbsent"))
}

#[test]
fn what_a_line_allows_is_let_through() {
    let lines = lines();
    let attempts = exists(&numbers(), lines.iter().filter(|entry| !is_refusal(entry)).flat_map(allowed));
    assert!(attempts.len() > 250, "{}", attempts.len());
    let (_, reported) = make(&attempts, &[]);
    assert_eq!(reported, BTreeSet::new());
}

#[test]
fn arguments_beside_the_allowed_ones_are_refused_and_reported() {
    let lines = lines();
    let attempts = exists(&numbers(), lines.iter().flat_map(neighbours));
    let (said, reported) = make(&attempts, &[]);
    let refusals = [libc::EPERM, libc::EAFNOSUPPORT, libc::EPROTONOSUPPORT, libc::ENOPROTOOPT].map(|errno| format!("returned -{errno}"));
    for (attempt, said) in attempts.iter().zip(&said) {
        assert!(refusals.contains(said), "{attempt:x?}: {said}");
    }
    let wanted: BTreeSet<_> = attempts.iter().map(|attempt| attempt.name.clone()).collect();
    assert!(wanted.len() > 10 && reported == wanted, "{reported:?}");
}

#[test]
fn what_no_line_allows_is_refused_and_reported() {
    let (lines, numbers) = (lines(), numbers());
    let mut known: BTreeSet<u32> = numbers.values().copied().collect();
    if cfg!(target_arch = "x86_64") {
        // For the kernel's own probes of programs (uretprobe, uprobe): newer kernels ask no filter, and end whoever else makes them.
        known.extend([335, 336]);
    }
    let rules: BTreeMap<&str, &Rule> = lines.iter().map(|entry| (entry.name.as_str(), &entry.rule)).collect();
    let unknown = (0..LAST).filter(|number| !known.contains(number)).map(|number| format!("call_{number}"));
    let unlisted = numbers.keys().filter(|name| !rules.contains_key(name.as_str())).cloned();
    let refused = lines.iter().filter(|entry| is_refusal(entry)).map(|entry| entry.name.clone());
    let names = unknown.chain(unlisted).chain(refused.filter(|name| numbers.contains_key(name)));
    let attempts: Vec<_> = names.map(|name| Attempt { name, arguments: [u64::MAX; 6] }).collect();
    let (said, mut reported) = make(&attempts, &[]);
    for (attempt, said) in attempts.iter().zip(&said) {
        // Also what only the layer of debuggers names.
        let is_refused = attempt.name == "ptrace" || matches!(rules.get(attempt.name.as_str()), Some(Rule::Word("Refuse")));
        let errno = if is_refused { libc::EPERM } else { libc::ENOSYS };
        assert_eq!(*said, format!("returned -{errno}"), "{attempt:?}");
        assert!(reported.remove(&attempt.name), "{attempt:?}");
    }
    assert_eq!(reported, BTreeSet::new());
}

/// What the program that makes the calls, and the loader before it, cannot do without. Their lines are taken out one by one in the unit
/// tests of `seccomp`.
const RUNNER: &[&str] = &[
    "access",
    "arch_prctl",
    "brk",
    "clone",
    "close",
    "execve",
    "exit_group",
    "fstat",
    "getrandom",
    "mmap",
    "mprotect",
    "munmap",
    "newfstatat",
    "openat",
    "poll",
    "ppoll",
    "pread64",
    "prlimit64",
    "read",
    "rseq",
    "rt_sigaction",
    "set_robust_list",
    "set_tid_address",
    "setitimer",
    "sigaltstack",
    "statx",
    "wait4",
    "write",
    "rt_sigreturn",
    "exit",
    "rt_sigprocmask",
    "gettid",
    "lseek",
    "sched_getaffinity",
    "fcntl",
    "getpid",
    "getuid",
    "geteuid",
    "getppid",
    "getgid",
    "getegid",
    "stat",
    "getcwd",
    "mkdirat",
    "capget",
    "prctl",
    "sendmsg",
];

#[test]
fn without_its_line_a_call_is_refused_and_reported() {
    let lines = lines();
    let kept = |entry: &&Entry| !is_refusal(entry) && !RUNNER.contains(&entry.name.as_str());
    let attempts = exists(&numbers(), lines.iter().filter(kept).flat_map(allowed));
    let wanted: BTreeSet<_> = attempts.iter().map(|attempt| attempt.name.clone()).collect();
    let options: Vec<String> = wanted.iter().map(|name| format!("without={name}")).collect();
    let (said, reported) = make(&attempts, &options.iter().map(String::as_str).collect::<Vec<_>>());
    for (attempt, said) in attempts.iter().zip(&said) {
        assert_eq!(*said, format!("returned -{}", libc::EPERM), "{attempt:x?}");
    }
    assert!(wanted.len() > 150, "{}", wanted.len());
    assert_eq!(reported, wanted);
}

/// What programs asked for and a session does not give, and why that is well.
const UNMET: &[(&str, &str)] = &[
    ("clone3", "its arguments are in memory; C libraries fall back to clone"),
    ("mbind", "advice where memory is to lie; programs go on without"),
    ("set_mempolicy", "the same"),
    ("ptrace", "for debuggers alone"),
    ("personality 0 0x0", "gdb goes on without: addresses then differ from run to run"),
    ("personality 0 0x40000", "the same"),
    ("socket 0 0x10", "netlink: what interfaces there are"),
    ("socket 1 0x3", "the same socket is a raw one"),
];

/// Each call and each value that real programs used, with their names.
fn needed() -> BTreeMap<String, String> {
    let lines = profile!("needed.list");
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(": ").unwrap()).map(|(key, programs)| (key.to_owned(), programs.to_owned())).collect()
}

/// The values that a line allows for an argument, each with its reason.
fn values(entry: &Entry) -> Vec<(String, &str)> {
    let Rule::When(alternatives, _) = &entry.rule else { return Vec::new() };
    let tests = alternatives.iter().flatten().filter(|test| test.kind == Kind::Is && entry.name != "clone");
    let key = |argument: u32, value: &u32| format!("{} {argument} {value:#x}", entry.name);
    tests
        .flat_map(|test| test.values.iter().map(move |value| key(test.argument, value)).zip(test.whys.iter().map(String::as_str)))
        .collect()
}

#[test]
fn each_line_is_needed_and_each_need_is_met() {
    let (lines, needed) = (lines(), needed());
    assert!(needed.len() > 250, "{} needs only: run scripts/trace-calls", needed.len());
    // Which arguments were looked at when the programs were traced.
    let traced =
        |key: &str| needed.keys().any(|need| need.rsplit_once(' ').map(|(start, _)| start) == key.rsplit_once(' ').map(|(start, _)| start));
    let (mut allowed, mut wrong) = (BTreeSet::new(), Vec::new());
    for entry in lines.iter().filter(|entry| !is_refusal(entry)) {
        let is_kept = |why: &str| why.contains("kept: ");
        if needed.contains_key(&entry.name) == is_kept(&entry.why) {
            wrong.push(format!("{}: what nothing needs, and only that, says why it is kept", entry.name));
        }
        for (key, why) in values(entry).into_iter().filter(|(key, _)| traced(key)) {
            if !needed.contains_key(&key) && !is_kept(why) {
                wrong.push(format!("{key}: nothing needs it"));
            }
            allowed.insert(key);
        }
        allowed.insert(entry.name.clone());
    }
    let unmet: BTreeMap<&str, &str> = UNMET.iter().copied().collect();
    let tested: BTreeSet<&str> =
        lines.iter().filter(|entry| matches!(entry.rule, Rule::When(..))).map(|entry| entry.name.as_str()).collect();
    for key in needed.keys() {
        // A value of an argument that no line looks at.
        let is_free = key.split_once(' ').is_some_and(|(name, _)| !tested.contains(name) || name == "clone" || name == "seccomp");
        if !is_free && allowed.contains(key) == unmet.contains_key(key.as_str()) {
            wrong.push(format!("{key}: {} used it", needed[key]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
