use super::*;

fn class(path: &str) -> PathClass {
    let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
    path_class(
        Path::new(path),
        Path::new("/home/maria/project"),
        &paths(&["/srv/kyc", "/home/maria/project/papers"]),
        &paths(&["/home/maria/project/node_modules", "/opt/agent"]),
    )
}

#[test]
fn what_lies_nowhere_is_outside() {
    for path in ["/home/maria/.ssh/id_ed25519", "/home/maria/project-2/x", "/root/x", "/srv/kyc2", "/"] {
        assert_eq!(class(path), PathClass::Outside, "{path}");
    }
}

#[test]
fn the_deepest_folder_decides() {
    for (path, expected) in [
        ("/home/maria/project/src/main.rs", PathClass::Workspace),
        ("/home/maria/project/papers/a.txt", PathClass::Documents),
        ("/home/maria/project/node_modules/x.js", PathClass::Program),
        ("/srv/kyc/client.txt", PathClass::Documents),
        ("/opt/agent/bin/a", PathClass::Program),
        ("/usr/lib/libc.so.6", PathClass::System),
        ("/etc/passwd", PathClass::System),
        ("/tmp/x", PathClass::Private),
        ("/home/agent/.ssh/id_rsa", PathClass::Private),
    ] {
        assert_eq!(class(path), expected, "{path}");
    }
}

#[test]
fn errors_have_their_names() {
    assert_eq!(errno_name(2).as_str(), "ENOENT");
    assert_eq!(errno_name(30).as_str(), "EROFS");
    assert_eq!(errno_name(99).as_str(), "errno-99");
}

#[test]
fn a_missing_file_tells_something_only_in_telling_places() {
    let (reports, _warden) = sandbox::socketpair_seqpacket().unwrap();
    let folders =
        Folders { workspace: "/home/maria/project".into(), documents: vec!["/srv/kyc".into()], programs: ["/opt/agent".into()].into() };
    let facts = WallFacts::new(SessionId::from_random([1; 16]), b"walls");
    let mut observer = Observer::new(reports, DigestKey::from_bytes([2; 32]), &folders, facts);
    let mut recorded = |path: &str, mode, errno| {
        observer.event(Report::FileRefused { path: path.into(), mode, errno, attempts: 1 }, Vec::new()).unwrap().is_some()
    };
    for path in ["/home/maria/project/x", "/srv/kyc/x", "/opt/agent/x.py", "/usr/lib/x.so", "/tmp/x", "/home/agent/.config/x"] {
        assert!(!recorded(path, FileMode::Read, 2), "{path}");
        assert!(recorded(path, FileMode::Read, 13), "{path}");
    }
    for path in ["/home/maria/.ssh/id_rsa", "/home/agent/.ssh/id_rsa", "/home/agent/.aws/credentials", "/mnt/x"] {
        assert!(recorded(path, FileMode::Read, 2), "{path}");
    }
    assert!(recorded("/etc/cron.d/x", FileMode::Write, 2));
}

#[test]
fn a_program_is_measured_once_and_one_that_was_written_since_has_no_digest() {
    let (reports, _warden) = sandbox::socketpair_seqpacket().unwrap();
    let folders = Folders { workspace: "/w".into(), documents: Vec::new(), programs: [].into() };
    let mut observer =
        Observer::new(reports, DigestKey::from_bytes([2; 32]), &folders, WallFacts::new(SessionId::from_random([1; 16]), b"walls"));
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, b"abc").unwrap();
    let mut ran = |with_executable: bool, file: &tempfile::NamedTempFile, identity| {
        let execution = sandbox::Execution {
            program: "/usr/bin/abc".into(),
            identity,
            script: Some("/w/script".into()),
            arguments: sandbox::Arguments::Inline(b"abc\0".to_vec()),
            confirmed: true,
            with_executable,
        };
        let along = if with_executable { vec![OwnedFd::from(file.reopen().unwrap())] } else { Vec::new() };
        match observer.event(Report::ProgramExecuted(execution), along) {
            Ok(Some(Event::ProgramExecuted(event))) => Ok(event),
            other => Err(format!("{other:?}")),
        }
    };
    let identity = |file: &tempfile::NamedTempFile| crate::program::identity_of(&file.as_file().metadata().unwrap());
    let measured = identity(&file);
    // SHA-256 of "abc" (FIPS 180-4).
    let digest = Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned());
    for with_executable in [true, false] {
        let event = ran(with_executable, &file, measured).unwrap();
        assert_eq!(event.sha256.map(|sha256| sha256.to_string()), digest);
        assert_eq!((event.path_class, event.script_class), (PathClass::System, Some(PathClass::Workspace)));
        assert!(event.arguments_digest.is_some());
    }
    std::io::Write::write_all(&mut file, b"d").unwrap();
    assert_eq!(ran(true, &file, measured).unwrap().sha256, None);
    // A report that lacks the file that it announces is none.
    assert!(
        observer
            .event(
                Report::ProgramExecuted(sandbox::Execution {
                    program: "/x".into(),
                    identity: measured,
                    script: None,
                    arguments: sandbox::Arguments::Unknown,
                    confirmed: false,
                    with_executable: true,
                }),
                Vec::new()
            )
            .is_err()
    );
}
