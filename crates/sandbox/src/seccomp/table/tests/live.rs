//! Each line with the kernel's own filter: in it, its call is let through; taken out, it is refused.

use super::super::{DATA, EVERYONE, LIBRARIES, LOCAL, REMOTE, RoleRule, Table};
use super::attempts::{Attempt, allowed, neighbours};
use super::bare;
use super::list::{self, Entry};
use crate::plan::{Calls, Layer};
use crate::seccomp::program::{Watched, build, build_role};
use libc::{SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_USER_NOTIF, sock_filter};
use std::path::Path;
use std::sync::atomic::AtomicI64;

/// The tables of a role.
type Tables = [&'static [(u32, RoleRule)]; 3];

/// An error that the kernel never gives: here a filter refuses with it.
const REFUSED: u16 = 4001;

/// The same filter, that tells a refusal by the error above instead of asking a warden or ending the process.
fn telling(filter: Vec<sock_filter>) -> Vec<sock_filter> {
    let told = |step: sock_filter| match (u32::from(step.code), step.k) {
        (0x06, SECCOMP_RET_USER_NOTIF | SECCOMP_RET_KILL_PROCESS) => sock_filter { k: SECCOMP_RET_ERRNO | u32::from(REFUSED), ..step },
        _ => step,
    };
    filter.into_iter().map(told).collect()
}

thread_local! {
    /// What the forks of a test share with it.
    static SAID: &'static AtomicI64 = bare::shared().unwrap();
}

/// Whether a filter refuses a call.
fn refuses(filter: &[sock_filter], attempt: &Attempt) -> bool {
    let mut call = [u64::from(number(&attempt.name).unwrap()); 7];
    call[1..].copy_from_slice(&attempt.arguments);
    let program = libc::sock_fprog { len: u16::try_from(filter.len()).unwrap(), filter: filter.as_ptr().cast_mut() };
    let install = || {
        // SAFETY: the call takes numbers only.
        let _set = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        // SAFETY: the kernel reads `len` steps from `filter`, which outlives the call.
        let _set = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    };
    SAID.with(|said| bare::attempt(said, call, install)).unwrap() == format!("returned -{REFUSED}")
}

fn number(name: &str) -> Option<u32> {
    let names = super::super::lists::NAMES;
    names.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}

/// The lines of a file that this architecture has.
fn lines(file: &str) -> Vec<Entry> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/seccomp").join(file)).unwrap();
    list::parse(&text).unwrap().into_iter().filter(|entry| number(&entry.name).is_some()).collect()
}

/// Rules that the filter itself follows; the others ask the warden.
fn by_the_filter(entry: &Entry) -> bool {
    matches!(
        entry.rule,
        list::Rule::Word("Allow" | "Execute" | "Tell" | "Watch") | list::Rule::When(..) | list::Rule::Open(_) | list::Rule::Change(_)
    )
}

#[test]
fn each_line_of_the_agents_lists_is_what_lets_its_call_through() {
    let layers = vec![Layer::Base, Layer::Files, Layer::Processes, Layer::Network, Layer::Developer];
    let calls = |without| Calls { layers: layers.clone(), without };
    let whole = telling(build(&Table::new(&calls(Vec::new())).unwrap(), Watched::default()));
    for file in ["base", "files", "processes", "network", "developer"] {
        for entry in lines(&format!("agent/{file}.list")).iter().filter(|entry| by_the_filter(entry)) {
            let mut table = Table::new(&calls(Vec::new())).unwrap();
            table.without.push(number(&entry.name).unwrap());
            let less = telling(build(&table, Watched::default()));
            for attempt in allowed(entry) {
                assert!(!refuses(&whole, &attempt), "{attempt:x?} is refused");
                assert!(refuses(&less, &attempt), "{attempt:x?} is let through without its line");
            }
            for attempt in neighbours(entry) {
                assert!(refuses(&whole, &attempt), "{attempt:x?} is let through");
            }
        }
    }
}

#[test]
fn each_line_of_the_roles_lists_is_what_lets_its_call_through() {
    let roles: [(Tables, &[&str]); 3] = [
        ([EVERYONE, DATA, &[]], &["everyone", "data"]),
        ([EVERYONE, LIBRARIES, LOCAL], &["everyone", "libraries", "local"]),
        ([EVERYONE, LIBRARIES, REMOTE], &["everyone", "libraries", "remote"]),
    ];
    for (tables, files) in roles {
        let list = || tables.into_iter().flatten().copied();
        let whole = telling(build_role(list()));
        for entry in files.iter().flat_map(|file| lines(&format!("role/{file}.list"))).filter(by_the_filter) {
            let number = number(&entry.name).unwrap();
            let less = telling(build_role(list().filter(|(other, _)| *other != number)));
            for attempt in allowed(&entry) {
                assert!(!refuses(&whole, &attempt), "{files:?}: {attempt:x?} is refused");
                assert!(refuses(&less, &attempt), "{files:?}: {attempt:x?} is let through without its line");
            }
            // Some are refused with an error of their own.
            if matches!(entry.rule, list::Rule::When(_, None)) {
                for attempt in neighbours(&entry) {
                    assert!(refuses(&whole, &attempt), "{files:?}: {attempt:x?} is let through");
                }
            }
        }
    }
}

#[test]
fn what_no_list_of_a_role_names_ends_it() {
    for tables in [[EVERYONE, DATA, &[]], [EVERYONE, LIBRARIES, LOCAL], [EVERYONE, LIBRARIES, REMOTE]] {
        let list = || tables.into_iter().flatten().copied();
        let filter = telling(build_role(list()));
        for (number, name) in super::super::lists::NAMES.iter().filter(|(number, _)| !list().any(|(listed, _)| listed == *number)) {
            let attempt = Attempt { name: (*name).to_owned(), arguments: [u64::MAX; 6] };
            assert!(refuses(&filter, &attempt), "{name} {number}");
        }
    }
}
