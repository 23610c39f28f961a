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
