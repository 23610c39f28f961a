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
    let observer = Observer::new(reports, SessionId::from_random([1; 16]), DigestKey::from_bytes([2; 32]), &folders);
    let recorded = |path: &str, mode, errno| observer.event(Report::FileRefused { path: path.into(), mode, errno }).is_some();
    for path in ["/home/maria/project/x", "/srv/kyc/x", "/opt/agent/x.py", "/usr/lib/x.so", "/tmp/x", "/home/agent/.config/x"] {
        assert!(!recorded(path, FileMode::Read, 2), "{path}");
        assert!(recorded(path, FileMode::Read, 13), "{path}");
    }
    for path in ["/home/maria/.ssh/id_rsa", "/home/agent/.ssh/id_rsa", "/home/agent/.aws/credentials", "/mnt/x"] {
        assert!(recorded(path, FileMode::Read, 2), "{path}");
    }
    assert!(recorded("/etc/cron.d/x", FileMode::Write, 2));
}
