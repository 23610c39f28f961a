use super::super::tests::taken;
use crate::report::{Journal, Report};
use crate::seccomp::Number;
use schema::event::FileMode;
use std::os::fd::OwnedFd;
use std::path::Path;

fn count(report: &Report) -> u64 {
    if let Report::FileRefused { attempts, .. } | Report::SystemCallRefused { attempts, .. } = report { *attempts } else { 0 }
}

fn counts(socket: &OwnedFd) -> Vec<u64> {
    std::iter::from_fn(|| taken(socket)).map(|report| count(&report)).collect()
}

#[test]
fn a_flood_is_told_in_few_reports_that_count_every_attempt() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    let mut journal = Journal::new(theirs);
    for _ in 0..100_000 {
        journal.call(Number::native(250)).unwrap();
        journal.refused(Path::new("/x"), FileMode::Read, libc::EACCES).unwrap();
    }
    // The first at once, then the 16th, the 256th and so on, of each.
    let first = counts(&ours);
    assert_eq!(first, [1, 1, 15, 15, 240, 240, 3840, 3840, 61_440, 61_440]);
    journal.settle().unwrap();
    let rest = counts(&ours);
    assert_eq!(rest, [100_000 - 65_536; 2]);
    journal.settle().unwrap();
    assert_eq!(counts(&ours), [0_u64; 0]);
}

#[test]
fn invented_numbers_share_a_count() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    let mut journal = Journal::new(theirs);
    let mut told = 0;
    for number in 0..10_000_u32 {
        journal.call(Number::native(number + 1000)).unwrap();
        told += counts(&ours).into_iter().sum::<u64>();
    }
    journal.settle().unwrap();
    let names: Vec<_> = std::iter::from_fn(|| taken(&ours)).collect();
    assert!(matches!(&names[..], [Report::SystemCallRefused { name, .. }] if name == "call_any"), "{names:?}");
    assert_eq!(told + names.iter().map(count).sum::<u64>(), 10_000);
}

#[test]
fn a_copy_tells_what_it_counted_itself() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    let mut journal = Journal::new(theirs);
    for _ in 0..3 {
        journal.call(Number::native(250)).unwrap();
    }
    journal.leave_counts();
    journal.call(Number::native(250)).unwrap();
    journal.settle().unwrap();
    assert_eq!(counts(&ours), [1, 1]);
}
