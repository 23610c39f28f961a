use super::{Journal, Report};
use rustix::net::RecvFlags;
use schema::event::FileMode;
use std::os::fd::OwnedFd;
use std::path::Path;

fn taken(socket: &OwnedFd) -> Option<Report> {
    let mut buffer = [0; super::REPORT_BYTES_MAX];
    let (length, _) = rustix::net::recv(socket, &mut buffer[..], RecvFlags::DONTWAIT).ok()?;
    (length > 0).then(|| Report::decode(&buffer[..length]).unwrap())
}

#[test]
fn broken_reports_are_refused() {
    for bytes in [&b""[..], b"o", b"or\0\0\0", b"oz\0\0\0\0/x", b"zr\0\0\0\0/x", b"sr\0\0\0\0\xff"] {
        assert!(Report::decode(bytes).is_err());
    }
}

#[test]
fn reports_survive() {
    let reports = [
        Report::FileOpened { path: "/docs/\u{e9}\n".into(), mode: FileMode::ReadWrite },
        Report::FileRefused { path: "/home/agent/.ssh/id".into(), mode: FileMode::Write, errno: libc::EROFS },
        Report::SystemCallRefused { name: "keyctl".to_owned() },
    ];
    for report in reports {
        assert_eq!(Report::decode(&report.encode()).unwrap(), report);
    }
}

#[test]
fn each_is_sent_once_and_what_does_not_fit_is_sent_again() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    let mut journal = Journal::new(theirs);
    journal.seen_max = 1;
    for (name, count) in [("/a", 1), ("/b", 2)] {
        for _ in 0..2 {
            journal.opened(Path::new(name), FileMode::Read).unwrap();
        }
        for _ in 0..count {
            assert_eq!(taken(&ours), Some(Report::FileOpened { path: name.into(), mode: FileMode::Read }));
        }
        assert_eq!(taken(&ours), None);
    }
    for _ in 0..2 {
        journal.call(i32::try_from(libc::SYS_keyctl).unwrap()).unwrap();
    }
    assert_eq!(taken(&ours), Some(Report::SystemCallRefused { name: "keyctl".to_owned() }));
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
