use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn file(content: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let (_folder, path) = file("sk-test", mode);
        assert!(from_file("the key", &path).unwrap_err().to_string().contains("chmod 600"), "{mode:o}");
    }
}

#[test]
fn what_is_no_key_is_refused_without_repeating_it() {
    for content in ["", " \n", "two words", "two\nlines", "h\u{e9}", &"x".repeat(5000)] {
        let (_folder, path) = file(content, 0o600);
        let message = from_file("the key", &path).unwrap_err().to_string();
        assert!(!message.contains("two") && !message.contains("xxx"), "{message}");
    }
    assert!(from_file("the key", Path::new("/dev/null")).is_err());
    assert!(from_environment("the key", "K", &|_| None).is_err());
    assert!(from_environment("the key", "K", &|_| Some("a b".into())).is_err());
}

#[test]
fn a_private_key_file_is_read_and_trimmed() {
    let (_folder, path) = file("sk-test\n", 0o600);
    assert_eq!(*from_file("the key", &path).unwrap(), "sk-test");
    assert_eq!(*from_environment("the key", "K", &|name| (name == "K").then(|| "v".into())).unwrap(), "v");
}
