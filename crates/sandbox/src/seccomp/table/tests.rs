//! How the lists are read, and whether the kernel's headers agree with their numbers.

#[path = "../../../tests/it/attempts.rs"]
mod attempts;
#[path = "../../../tests/it/bare.rs"]
mod bare;
#[path = "../../../build/list.rs"]
mod list;
mod live;

use super::{Table, name};
use crate::Error;
use crate::plan::{Calls, Layer};
use list::{Entry, Kind, Rule, Test};
use std::collections::BTreeMap;
use std::process::Command;

fn problem(text: &str) -> String {
    list::parse(text).unwrap_err().to_string()
}

#[test]
fn a_line_that_says_nothing_clear_is_refused_with_its_number() {
    let cases = [
        ("read allow", "line 1: say why"),
        ("\nread allow #", "line 2: say why"),
        ("read permit # x", "permit is not a rule"),
        ("read # x", "a call and its rule"),
        ("read allow allow # x", "a call and its rule"),
        ("open open flags 6 # x", "an argument is 0 to 5"),
        ("socket when else EPERMIT # x", "EPERMIT is not a known error"),
        ("    0 is 1 # x", "stands below no line with `when`"),
        ("either # x", "stands below no line with `when`"),
        ("read allow # x\n    0 is 1 # x", "line 2: stands below no line with `when`"),
        ("ioctl when # x", "an alternative without a test"),
        ("ioctl when # x\n    0 is 1 # x\neither # x\nread allow # x", "an alternative without a test"),
        ("ioctl when # x\n    0 is 1", "line 2: say why"),
        ("ioctl when # x\n    or 1 # x", "`or` stands below no test"),
        ("ioctl when # x\n    0 is # x", "no value or too many"),
        ("ioctl when # x\n    0 equals 1 # x", "a test is `ARGUMENT is VALUE`"),
        ("ioctl when # x\n    0 is 0x1ffffffff # x", "not a number of 32 bits"),
        ("ioctl when # x\n    0 is -1 # x", "not a number of 32 bits"),
        ("ioctl when # x\n    0 & 6 is 8 # x", "bits that its mask hides"),
    ];
    for (text, expected) in cases {
        assert!(problem(text).contains(expected), "{text}: {}", problem(text));
    }
    let many = " 1".repeat(list::VALUES_MAX + 1);
    assert!(problem(&format!("ioctl when # x\n    0 is{many} # x")).contains("no value or too many"));
}

#[test]
fn tests_alternatives_and_comments_are_read() {
    let text = "# a list\nread allow # bytes\nprlimit64 when else EACCES # x\n    0 & ~0o7 is 8 # x\n        or 16 0x20 # x\neither # x\n    2 is null # x\n";
    let is = Test { argument: 0, mask: !7, kind: Kind::Is, values: vec![8, 16, 32], whys: vec!["x".into(); 3] };
    let null = Test { argument: 2, mask: u32::MAX, kind: Kind::Null, values: Vec::new(), whys: Vec::new() };
    let entry = |name: &str, rule, line, why: &str| Entry { name: name.into(), rule, line, why: why.into() };
    let wanted =
        [entry("read", Rule::Word("Allow"), 2, "bytes"), entry("prlimit64", Rule::When(vec![vec![is], vec![null]], Some(13)), 3, "x")];
    assert_eq!(list::parse(text).unwrap(), wanted);
    assert!(list::numbers("read 0").is_err());
    assert_eq!(list::numbers("open 2 -").unwrap(), [("open".to_owned(), [Some(2), None])]);
}

/// What a header defines, once the preprocessor has run.
fn defined(header: &str, wanted: &[&str]) -> BTreeMap<String, u32> {
    let output = Command::new("cc").args(["-E", "-dM"]).args(wanted).arg(header).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("#define ")?.split_once(' '));
    let macros: BTreeMap<&str, &str> = lines.collect();
    let number = |value: &str| {
        let mut end = value;
        while let Some(next) = macros.get(end) {
            end = next;
        }
        end.parse().ok()
    };
    let named = macros.iter().filter_map(|(name, value)| Some((name.strip_prefix("__NR_")?.to_owned(), number(value)?)));
    // Not calls: where numbers of one architecture's own begin, how many there are.
    named.filter(|(name, _)| !["arch_specific_syscall", "syscalls"].contains(&name.as_str())).collect()
}

#[test]
fn the_kernels_headers_agree_with_the_numbers() {
    let table = list::numbers(include_str!("../../../profiles/seccomp/numbers.list")).unwrap();
    let ours = |column: usize| -> BTreeMap<String, u32> {
        table.iter().filter_map(|(name, numbers)| Some((name.clone(), numbers[column]?))).collect()
    };
    let options = ["-D__ARCH_WANT_RENAMEAT", "-D__ARCH_WANT_SET_GET_RLIMIT", "-D__ARCH_WANT_SYS_CLONE3", "-D__ARCH_WANT_MEMFD_SECRET"];
    let arm = defined("/usr/include/asm-generic/unistd.h", &[&options[..], &["-D__ARCH_WANT_NEW_STAT"]].concat());
    let mut headers = vec![(1, arm)];
    if cfg!(target_arch = "x86_64") {
        headers.push((0, defined("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", &[])));
    }
    for (column, header) in headers {
        assert!(header.len() > 250, "the header defines {} calls only", header.len());
        let ours = ours(column);
        for (name, number) in &header {
            assert_eq!(ours.get(name), Some(number), "{name}");
        }
        // What the header does not have is newer than it.
        let last = header.values().max().unwrap();
        for (name, number) in ours.iter().filter(|(name, _)| !header.contains_key(*name)) {
            assert!(number > last, "{name} is not in the header");
        }
    }
}

#[test]
fn the_c_librarys_crate_agrees_with_the_numbers() {
    for (number, expected) in
        [(libc::SYS_read, "read"), (libc::SYS_ioctl, "ioctl"), (libc::SYS_mseal, "mseal"), (libc::SYS_execveat, "execveat")]
    {
        assert_eq!(name(i32::try_from(number).unwrap()), expected);
    }
}

#[test]
fn what_is_only_in_a_layer_that_does_not_hold_is_refused() {
    let base = Table::new(&Calls { layers: Vec::new(), without: Vec::new() }).unwrap();
    let usual = Table::new(&Calls::default()).unwrap();
    let call = |number: libc::c_long| i32::try_from(number).unwrap();
    for number in [libc::SYS_openat, libc::SYS_execve, libc::SYS_socket, libc::SYS_connect] {
        assert!(base.rule(call(number)).is_none() && usual.rule(call(number)).is_some());
        assert_eq!(base.refusal(call(number), &[0; 6]), libc::EPERM);
    }
    assert!(base.rule(call(libc::SYS_read)).is_some() && base.rule(call(libc::SYS_mount)).is_some());
    assert!(usual.entries().all(|entry| entry.layer != Layer::Developer));
}

#[test]
fn a_session_can_do_without_a_call_but_not_without_a_nonesuch() {
    let without = |name: &str| Table::new(&Calls { without: vec![name.to_owned()], ..Calls::default() });
    let table = without("socket").unwrap();
    let socket = i32::try_from(libc::SYS_socket).unwrap();
    assert!(table.rule(socket).is_none());
    assert_eq!(table.refusal(socket, &[2, 1, 0, 0, 0, 0]), libc::EPERM);
    assert!(matches!(without("nonesuch"), Err(Error::Plan { .. })));
    assert!(matches!(without("sendmsg"), Err(Error::Plan { .. })));
}
