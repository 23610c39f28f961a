use super::{Journal, Report};
use rustix::net::RecvFlags;
use schema::event::FileMode;
use std::os::fd::OwnedFd;
use std::path::Path;

fn taken(socket: &OwnedFd) -> Option<Report> {
    let mut buffer = vec![0; super::REPORT_BYTES_MAX];
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
fn each_is_sent_once_and_there_are_not_too_many() {
    let (ours, theirs) = crate::descriptors::socketpair_seqpacket().unwrap();
    let mut journal = Journal::new(theirs);
    (journal.opened_max, journal.refused_max) = (2, 2);
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
        assert_eq!(taken(&ours), Some(Report::FileRefused { path: name.into(), mode: FileMode::Read, errno: libc::EACCES }));
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
