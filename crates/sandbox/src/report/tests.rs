use super::{Arguments, CallRequest, Execution, Journal, REPORT_BYTES_MAX, Report};
use crate::probe::{Occasion, Outcome, Round};
use crate::programs::{FileIdentity, ProgramRefusal};
use crate::seccomp::Number;
use proptest::prelude::*;
use rustix::net::RecvFlags;
use schema::event::{FileChange, FileMode};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub(super) fn taken(socket: &OwnedFd) -> Option<Report> {
    let mut buffer = vec![0; REPORT_BYTES_MAX];
    let (length, _) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::DONTWAIT).ok()?;
    (length > 0).then(|| Report::decode(&buffer[..length]).unwrap())
}

#[test]
fn broken_reports_are_refused() {
    for bytes in [&b""[..], b"o", b"or\0\0\0", b"oz\0\0\0\0/x", b"zr\0\0\0\0/x", b"rr\0\0\0\0\0\0\0", b"sr\0\0\0\0\x01\0\0\0\0\0\0\0\xff"] {
        assert!(Report::decode(bytes).is_err());
    }
}

#[test]
fn reports_survive() {
    let reports = [
        Report::FileOpened { path: "/docs/\u{e9}\n".into(), mode: FileMode::ReadWrite },
        Report::FileRefused { path: "/home/agent/.ssh/id".into(), mode: FileMode::Write, errno: libc::EROFS, attempts: 1 },
        Report::SystemCallRefused { name: "keyctl".to_owned(), attempts: u64::MAX },
    ];
    for report in reports {
        assert_eq!(Report::decode(&report.encode()).unwrap(), report);
    }
}

#[test]
fn each_is_sent_once_and_there_are_not_too_many() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    let mut journal = Journal::new(theirs);
    (journal.opened_max, journal.refusals.files_max) = (2, 2);
    for (name, is_reported) in [("/a", true), ("/b", true), ("/c", false), ("/a", true)] {
        assert_eq!(journal.opened(Path::new(name), FileMode::Read).unwrap(), is_reported);
    }
    for name in ["/a", "/b"] {
        assert_eq!(taken(&ours), Some(Report::FileOpened { path: name.into(), mode: FileMode::Read }));
    }
    for name in ["/a", "/a", "/b", "/c", "/d", "/e"] {
        journal.refused(Path::new(name), FileMode::Read, libc::EACCES).unwrap();
    }
    for name in ["/a", "/b", "/"] {
        assert_eq!(taken(&ours), Some(Report::FileRefused { path: name.into(), mode: FileMode::Read, errno: libc::EACCES, attempts: 1 }));
    }
    for _ in 0..2 {
        journal.call(Number::native(u32::try_from(libc::SYS_keyctl).unwrap())).unwrap();
    }
    assert_eq!(taken(&ours), Some(Report::SystemCallRefused { name: "keyctl".to_owned(), attempts: 1 }));
    assert_eq!(taken(&ours), None);
}

#[test]
fn without_a_supervisor_a_report_is_an_error() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    drop(ours);
    let mut journal = Journal::new(theirs);
    assert!(journal.refused(Path::new("/x"), FileMode::Read, libc::EACCES).is_err());
    // What was not sent counts as not seen.
    assert!(journal.refused(Path::new("/x"), FileMode::Read, libc::EACCES).is_err());
}

const IDENTITY: FileIdentity = FileIdentity { device: 1, inode: u64::MAX, bytes: 3, changed: (i64::MIN, 999_999_999) };

fn execution(program: &str, arguments: Arguments) -> Execution {
    Execution { program: program.into(), identity: IDENTITY, script: None, arguments, confirmed: true, with_executable: false }
}

/// A path as long as the kernel takes one, of bytes that are no text.
fn longest_path() -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&[&b"/"[..], &[0xff; super::PATH_BYTES_MAX - 1]].concat()))
}

#[test]
fn the_longest_report_is_whole() {
    let longest = longest_path();
    // A script is named by a folder and what was asked for below it.
    let script = Some(longest.join(longest.strip_prefix("/").unwrap()));
    let execution = Execution {
        program: longest.clone(),
        script,
        with_executable: true,
        ..execution("", Arguments::Inline(vec![b'a'; super::PATH_BYTES_MAX]))
    };
    for report in [
        Report::ProgramExecuted(execution),
        Report::ProgramRefused { path: longest.join(longest.strip_prefix("/").unwrap()), reason: ProgramRefusal::Untraced },
        Report::FileRefused {
            path: longest.join(longest.strip_prefix("/").unwrap()),
            mode: FileMode::ReadWrite,
            attempts: u64::MAX,
            errno: libc::ENAMETOOLONG,
        },
        Report::FileChanged { path: longest, change: FileChange::Linked },
        Report::WallsProbed { round: Round::new(Occasion::Periodic, vec![Outcome::Refused; crate::probe::all().count()]) },
    ] {
        assert_eq!(Report::decode(&report.encode()).ok(), Some(report));
    }
}

#[test]
fn every_kind_of_reason_request_and_change_has_its_own_report() {
    let path = || PathBuf::from("/x");
    let refused = ProgramRefusal::ALL.iter().map(|reason| Report::ProgramRefused { path: path(), reason: *reason });
    let observed = CallRequest::ALL.iter().map(|request| Report::SystemCallObserved { name: "ptrace".to_owned(), request: *request });
    let changed = super::CHANGES.map(|change| Report::FileChanged { path: path(), change });
    let mut seen = std::collections::HashSet::new();
    for report in refused.chain(observed).chain(changed) {
        let bytes = report.encode();
        assert_eq!(Report::decode(&bytes).unwrap(), report);
        assert!(seen.insert(bytes), "two kinds look the same: {report:?}");
    }
}

#[test]
fn a_programs_file_comes_along_once_and_long_arguments_every_time() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    let mut journal = Journal::new(theirs);
    let file = std::fs::File::open("/dev/null").unwrap();
    let long: Vec<u8> = b"argument\0".repeat(2000);
    let mut buffer = vec![0; REPORT_BYTES_MAX];
    let mut next = || {
        let received = crate::descriptors::recv_fds_at_once(ours.as_fd(), &mut buffer).unwrap()?;
        let Ok(Report::ProgramExecuted(execution)) = Report::decode(&buffer[..received.bytes]) else { panic!("another report") };
        let (executable, arguments) = execution.take_along(received.descriptors).unwrap();
        Some((executable.is_some(), arguments.map(|file| std::io::read_to_string(std::fs::File::from(file)).unwrap().into_bytes())))
    };
    for (arguments, expected) in [
        (Arguments::Inline(b"a\0".to_vec()), Some((true, None))),
        (Arguments::Inline(b"a\0".to_vec()), None),
        (Arguments::Inline(long.clone()), Some((false, Some(long.clone())))),
        // The same program with the same arguments is told once, however long they are.
        (Arguments::Inline(long), None),
        (Arguments::Unknown, Some((false, None))),
    ] {
        journal.executed(execution("/bin/x", arguments), file.as_fd()).unwrap();
        assert_eq!(next(), expected);
    }
}

#[test]
fn a_report_with_more_or_fewer_files_than_it_announces_is_refused() {
    let files = |count: usize| (0..count).map(|_| OwnedFd::from(std::fs::File::open("/dev/null").unwrap())).collect::<Vec<_>>();
    for (with_executable, arguments, announced) in [
        (false, Arguments::Unknown, 0),
        (false, Arguments::Inline(Vec::new()), 0),
        (true, Arguments::Unknown, 1),
        (false, Arguments::Passed, 1),
        (true, Arguments::Passed, 2),
    ] {
        let execution = Execution { with_executable, ..execution("/x", arguments) };
        for count in 0..4 {
            assert_eq!(execution.take_along(files(count)).is_ok(), count == announced, "{count} of {announced}");
        }
    }
}

fn paths() -> impl Strategy<Value = PathBuf> {
    proptest::collection::vec(1_u8.., 1..64).prop_map(|bytes| PathBuf::from(OsStr::from_bytes(&bytes)))
}

fn executions() -> impl Strategy<Value = Execution> {
    let arguments = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64).prop_map(Arguments::Inline),
        Just(Arguments::Passed),
        Just(Arguments::Unknown)
    ];
    let identity =
        any::<(u64, u64, u64, (i64, i64))>().prop_map(|(device, inode, bytes, changed)| FileIdentity { device, inode, bytes, changed });
    (paths(), identity, proptest::option::of(paths()), arguments, any::<(bool, bool)>()).prop_map(
        |(program, identity, script, arguments, (confirmed, with_executable))| Execution {
            program,
            identity,
            script,
            arguments,
            confirmed,
            with_executable,
        },
    )
}

proptest! {
    #[test]
    fn a_program_is_told_as_it_was_seen(execution in executions()) {
        let report = Report::ProgramExecuted(execution);
        prop_assert_eq!(Report::decode(&report.encode()).ok(), Some(report));
    }

    /// What is cut short is refused, or tells less of the last thing in it; never another program.
    #[test]
    fn a_report_of_a_program_that_is_cut_short_names_no_other(execution in executions(), cut in any::<prop::sample::Index>()) {
        let bytes = Report::ProgramExecuted(execution.clone()).encode();
        if let Ok(Report::ProgramExecuted(read)) = Report::decode(&bytes[..cut.index(bytes.len())]) {
            let same = |one: &Execution| (one.program.clone(), one.identity, one.script.clone(), one.confirmed, one.with_executable);
            prop_assert_eq!(same(&read), same(&execution));
        }
    }
}
