use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

fn counted(top: &Path, start: i64) -> Result<u64, Uncounted> {
    let folder = OwnedFd::from(std::fs::File::open(top).unwrap());
    let mut walk = Walk::new(&folder, std::fs::metadata(top).unwrap().dev(), start)?;
    // In small steps.
    std::iter::repeat_with(|| walk.go_on(2).transpose()).flatten().next().unwrap()
}

#[test]
fn what_was_changed_counts_once_and_links_lead_nowhere() {
    let (place, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |path: &Path| std::fs::write(path, vec![1; 1 << 20]).unwrap();
    write(&outside.path().join("big"));
    let deep = place.path().join("a/b/c");
    std::fs::create_dir_all(&deep).unwrap();
    write(&deep.join("file"));
    let one = counted(place.path(), 0).unwrap();
    assert!(one >= 1 << 20, "{one}");
    std::fs::hard_link(deep.join("file"), deep.join("again")).unwrap();
    std::os::unix::fs::symlink(outside.path(), place.path().join("link")).unwrap();
    assert!(counted(place.path(), 0).unwrap() < one + (1 << 19));
    // Nothing was changed after the end of time.
    assert_eq!(counted(place.path(), i64::MAX), Ok(0));
}

#[test]
fn what_cannot_be_counted_is_not_called_small() {
    let place = tempfile::tempdir().unwrap();
    let mut deep = place.path().to_owned();
    for _ in 0..DEPTH_MAX {
        deep.push("d");
    }
    std::fs::create_dir_all(&deep).unwrap();
    assert_eq!(counted(place.path(), 0), Err(Uncounted));
    if rustix::process::geteuid().is_root() {
        // Root opens every folder.
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let shut = place.path().join("shut");
    std::fs::create_dir(&shut).unwrap();
    std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o000)).unwrap();
    assert_eq!(counted(place.path(), 0), Err(Uncounted));
    assert_eq!(counted(place.path(), i64::MAX), Ok(0));
    std::fs::set_permissions(&shut, std::fs::Permissions::from_mode(0o700)).unwrap();
}
