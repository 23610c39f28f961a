use super::*;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("outer/inner/deep")).unwrap();
        std::fs::create_dir_all(folder.path().join("outer-sibling")).unwrap();
        Self { folder }
    }

    fn directories(&self) -> Directories {
        Directories { state: self.folder.path().join("state") }
    }

    fn path(&self, name: &str) -> PathBuf {
        std::fs::canonicalize(self.folder.path().join(name)).unwrap()
    }

    fn take(&self, name: &str, number: u8, how: Use) -> Result<Claim, ClaimError> {
        Claim::take(&self.directories(), &self.path(name), &SessionId::from_random([number; 16]), how)
    }
}

#[test]
fn workspaces_that_overlap_are_refused_and_say_who_holds_them() {
    let place = Place::new();
    let id = SessionId::from_random([1; 16]);
    let held = place.take("outer/inner", 1, Use::Alone).unwrap();
    for (name, how) in [("outer/inner", Use::Alone), ("outer", Use::Alone), ("outer/inner/deep", Use::Alone), ("outer/inner", Use::Layered)]
    {
        let error = place.take(name, 2, how).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("session.workspace_in_use: "), "{text}");
        assert!(text.contains(&format!("{id} process {}", std::process::id())), "{text}");
        assert!(text.contains(&place.path("outer/inner").display().to_string()) && text.contains("--stage"), "{text}");
    }
    // A name that only begins alike is another folder.
    place.take("outer-sibling", 3, Use::Alone).unwrap();
    drop(held);
    place.take("outer", 4, Use::Alone).unwrap();
}

#[test]
fn sessions_that_write_into_layers_may_share_what_none_of_them_changes() {
    let place = Place::new();
    let one = place.take("outer", 1, Use::Layered).unwrap();
    let other = place.take("outer/inner", 2, Use::Layered).unwrap();
    assert!(place.take("outer", 3, Use::Alone).is_err());
    drop(one);
    assert!(place.take("outer", 3, Use::Alone).is_err());
    drop(other);
    place.take("outer", 3, Use::Alone).unwrap();
}

#[test]
fn a_claim_without_its_lock_is_none_and_is_taken_away() {
    let place = Place::new();
    drop(place.take("outer", 1, Use::Alone).unwrap());
    let left = place.directories().workspaces().join("ses-left-behind");
    let identity = std::fs::metadata(place.path("outer")).unwrap();
    std::fs::write(&left, format!("ses-x process 1\n/outer\nalone {}:{}\n", identity.dev(), identity.ino())).unwrap();
    let _held = place.take("outer", 2, Use::Alone).unwrap();
    assert!(!left.exists());
}

#[test]
fn a_claim_that_is_held_and_cannot_be_read_refuses() {
    let place = Place::new();
    drop(place.take("outer", 1, Use::Alone).unwrap());
    let strange = place.directories().workspaces().join("strange");
    for text in ["", "\n", "a\nb\n", "a\nb\nalone\n", "a\nb\nalone 1\n", "a\nb\nelse 1:2\n"] {
        std::fs::write(&strange, text).unwrap();
        let file = File::open(&strange).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        assert!(matches!(place.take("outer-sibling", 2, Use::Alone), Err(ClaimError::System { .. })), "{text}");
    }
}
