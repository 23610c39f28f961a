use super::{DIGEST_KEY_FILE, Keys, PUBLIC_KEY_FILE, SIGNING_KEY_FILE};
use crate::Error;
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_that_others_could_read_are_refused() {
    for name in [SIGNING_KEY_FILE, DIGEST_KEY_FILE] {
        for mode in [0o640, 0o604, 0o620, 0o601] {
            let place = tempfile::tempdir().unwrap();
            let directory = place.path().join("keys");
            Keys::load_or_create(&directory).unwrap();
            set_mode(&directory.join(name), mode);
            let refused = Keys::load_or_create(&directory).unwrap_err();
            assert!(matches!(refused, Error::KeyExposed { mode: found, .. } if found == mode), "{refused}");
        }
    }
}

#[test]
fn a_directory_that_others_could_enter_is_refused() {
    let place = tempfile::tempdir().unwrap();
    set_mode(place.path(), 0o755);
    assert!(matches!(Keys::load_or_create(place.path()), Err(Error::KeyExposed { .. })));
    assert!(!place.path().join(SIGNING_KEY_FILE).exists());
}

#[test]
fn a_key_behind_a_symbolic_link_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (real, fake) = (place.path().join("real"), place.path().join("fake"));
    Keys::load_or_create(&real).unwrap();
    Keys::load_or_create(&fake).unwrap();
    fs::remove_file(fake.join(SIGNING_KEY_FILE)).unwrap();
    symlink(real.join(SIGNING_KEY_FILE), fake.join(SIGNING_KEY_FILE)).unwrap();
    assert!(matches!(Keys::load_or_create(&fake), Err(Error::Io { .. })));
}

#[test]
fn a_file_that_is_no_key_is_refused_and_left_alone() {
    for name in [SIGNING_KEY_FILE, DIGEST_KEY_FILE] {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("keys");
        Keys::load_or_create(&directory).unwrap();
        fs::write(directory.join(name), b"short").unwrap();
        assert!(matches!(Keys::load_or_create(&directory), Err(Error::KeyMalformed { .. })));
        assert_eq!(fs::read(directory.join(name)).unwrap(), b"short");
    }
}

#[test]
fn a_public_key_that_is_not_of_the_signing_key_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("keys");
    Keys::load_or_create(&directory).unwrap();
    fs::write(directory.join(PUBLIC_KEY_FILE), "00".repeat(32)).unwrap();
    assert!(matches!(Keys::load_or_create(&directory), Err(Error::KeyChanged { .. })));
}

#[test]
fn keys_are_made_private_and_come_back_the_same() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("deep/keys");
    let made = Keys::load_or_create(&directory).unwrap();
    let loaded = Keys::load_or_create(&directory).unwrap();
    assert_eq!(made.public_key_hex(), loaded.public_key_hex());
    assert_eq!(made.digest_key().digest("d", b"x"), loaded.digest_key().digest("d", b"x"));
    assert_eq!(fs::read_to_string(directory.join(PUBLIC_KEY_FILE)).unwrap().trim(), made.public_key_hex());
    for name in [SIGNING_KEY_FILE, DIGEST_KEY_FILE] {
        assert_eq!(fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 3, "no partial files stay behind");
}

#[test]
fn neither_key_shows_in_debug_output() {
    let place = tempfile::tempdir().unwrap();
    let keys = Keys::load_or_create(&place.path().join("keys")).unwrap();
    assert!(format!("{keys:?}").len() < 80);
}

#[test]
fn keys_that_are_there_are_read_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("keys");
    let made = Keys::load_or_create(&directory).unwrap();
    // A file that is made, even one that is gone again, changes when the directory was changed.
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
    fs::File::open(&directory).unwrap().set_modified(long_ago).unwrap();
    let loaded = Keys::load_or_create(&directory).unwrap();
    assert_eq!(loaded.public_key_hex(), made.public_key_hex());
    assert_eq!(fs::metadata(&directory).unwrap().modified().unwrap(), long_ago);
    fs::remove_file(directory.join(PUBLIC_KEY_FILE)).unwrap();
    assert_ne!(fs::metadata(&directory).unwrap().modified().unwrap(), long_ago);
    Keys::load_or_create(&directory).unwrap();
    assert!(directory.join(PUBLIC_KEY_FILE).exists());
}
