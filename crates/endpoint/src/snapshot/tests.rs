//! States of real folders, taken, changed and brought back.

use super::compare::changes;
use super::entry::{Digest, Entry, Kind};
use super::manifest::Manifest;
use super::objects::Objects;
use super::restore::{Restore, is_partial};
use super::store::{Store, checked_id};
use super::take::{Bounds, Taken, Wish, take};
use super::tree::Tree;
use super::walk::{Room, walk, walk_within};
use super::{Error, shown};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const PLENTY: Bounds = Bounds { entries_max: 10_000, bytes_max: 64 << 20 };

struct Place {
    _folder: tempfile::TempDir,
    workspace: PathBuf,
    objects: Objects,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(path.join("workspace")).unwrap();
        Self { workspace: path.join("workspace"), objects: Objects::new(path.join("objects")), _folder: folder }
    }

    fn tree(&self) -> Tree {
        Tree::open_for_repair(&self.workspace).unwrap()
    }

    fn take(&self, known: &Manifest, bounds: Bounds) -> Result<Taken, Error> {
        take(&Tree::open(&self.workspace)?, &self.objects, &Wish { known, is_wanted: &|_| true, bounds }, &mut |_, _| {})
    }

    fn keep(&self) -> Manifest {
        self.take(&Manifest::default(), PLENTY).unwrap().manifest
    }

    fn restore(&self, target: &Manifest) -> Result<(), Error> {
        let current = walk(&self.tree(), &Manifest::default(), 10_000)?;
        self.restore_from(&current, target)
    }

    fn restore_from(&self, current: &Manifest, target: &Manifest) -> Result<(), Error> {
        let tree = self.tree();
        let list = changes(current, target, &mut |path, _, entry| super::desk::has_content(&tree, path, entry));
        let all: BTreeSet<PathBuf> = list.iter().map(|change| change.path.clone()).collect();
        Restore { tree: &tree, objects: &self.objects, current, target, is_whole: true }.apply(&list, &all)
    }

    /// Everything that a rollback has to bring back, in a form without what a new file has of its own.
    fn state(&self) -> String {
        let again = self.take(&Manifest::default(), PLENTY).unwrap().manifest;
        let leaders: BTreeSet<String> = again.leaders().iter().map(|pair| format!("{pair:?}")).collect();
        let plain = |(path, entry): (&PathBuf, &Entry)| {
            let (mode, modified) = if matches!(entry.kind, Kind::Link { .. }) { (0, entry.modified) } else { (entry.mode, entry.modified) };
            format!("{path:?} {:?} {mode:o} {modified:?} {:?}\n", entry.kind, entry.attributes)
        };
        again.entries.iter().map(plain).collect::<String>() + &format!("{leaders:?}")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.workspace.join(name)
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_workspace_that_is_too_large_or_has_too_much_is_refused_with_advice() {
    let place = Place::new();
    fs::write(place.path("large"), vec![7; 200_000]).unwrap();
    let error = place.take(&Manifest::default(), Bounds { bytes_max: 100_000, ..PLENTY }).unwrap_err().to_string();
    assert!(["200000", "session.snapshot.bytes_max", "--stage"].iter().all(|word| error.contains(word)), "{error}");
    assert!(matches!(place.take(&Manifest::default(), Bounds { entries_max: 1, ..PLENTY }), Err(Error::TooMuch { .. })));
}

#[test]
fn a_file_that_cannot_be_read_refuses_and_is_named() {
    if is_root() {
        // Root reads everything: what cannot be read is tried as an ordinary user.
        return;
    }
    let place = Place::new();
    fs::write(place.path("closed"), "x").unwrap();
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    assert!(place.take(&Manifest::default(), PLENTY).unwrap_err().to_string().contains("closed"));
}

#[test]
fn a_workspace_that_vanished_or_became_a_link_is_refused() {
    let place = Place::new();
    let kept = place.keep();
    fs::rename(&place.workspace, place.workspace.with_extension("old")).unwrap();
    assert!(matches!(Tree::open(&place.workspace), Err(Error::Io { .. })));
    symlink(place.workspace.with_extension("old"), &place.workspace).unwrap();
    assert!(matches!(Tree::open(&place.workspace), Err(Error::Io { .. })));
    assert_eq!(kept.entries.len(), 1);
}

#[test]
fn ids_that_are_none_lead_nowhere() {
    let digits = "0".repeat(32);
    for id in [
        "",
        "..",
        "../../etc",
        "ses-",
        "ses-../../../../../../../../../../etc/passwd",
        &format!("ses-{digits}0"),
        &format!("ses-{}", "A".repeat(32)),
    ] {
        assert!(matches!(checked_id(id), Err(Error::Unknown { .. })), "{id}");
    }
    assert!(checked_id(&format!("ses-{digits}")).is_ok());
    let place = Place::new();
    let store = Store::new(place.path("store"));
    assert!(matches!(store.kept(&format!("ses-{digits}")), Err(Error::Unknown { .. })));
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn links_that_were_planted_lead_no_write_out() {
    let place = Place::new();
    fs::create_dir_all(place.path("folder/inner")).unwrap();
    fs::write(place.path("folder/inner/file"), "kept").unwrap();
    fs::write(place.path("file"), "kept").unwrap();
    let kept = place.keep();
    let outside = place.workspace.with_file_name("outside");
    fs::create_dir_all(outside.join("inner")).unwrap();
    fs::write(outside.join("inner/file"), "theirs").unwrap();
    fs::write(outside.join("victim"), "theirs").unwrap();
    fs::remove_dir_all(place.path("folder")).unwrap();
    symlink(&outside, place.path("folder")).unwrap();
    fs::remove_file(place.path("file")).unwrap();
    symlink(outside.join("victim"), place.path("file")).unwrap();
    symlink("/proc/self/root", place.path("root")).unwrap();
    place.restore(&kept).unwrap();
    assert_eq!(fs::read_to_string(outside.join("inner/file")).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(outside.join("victim")).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(place.path("folder/inner/file")).unwrap(), "kept");
    assert!(!place.path("file").is_symlink() && !place.path("folder").is_symlink() && !place.path("root").is_symlink());
}

#[test]
fn content_that_was_altered_or_taken_is_not_brought_back() {
    let place = Place::new();
    fs::write(place.path("file"), "kept").unwrap();
    let kept = place.keep();
    let name = Digest::of(b"kept").hex();
    let object = place.workspace.with_file_name("objects").join(name.get(..2).unwrap()).join(&name);
    fs::write(place.path("file"), "changed").unwrap();
    fs::write(&object, "forged").unwrap();
    assert!(matches!(place.restore(&kept), Err(Error::Damaged { .. })));
    fs::remove_file(&object).unwrap();
    assert!(matches!(place.restore(&kept), Err(Error::Damaged { .. })));
    assert_eq!(fs::read_to_string(place.path("file")).unwrap(), "changed");
    assert_eq!(fs::read_dir(&place.workspace).unwrap().count(), 1);
}

#[test]
fn a_manifest_with_paths_that_lead_out_is_none() {
    let place = Place::new();
    fs::create_dir(place.path("a")).unwrap();
    fs::write(place.path("a/b"), "x").unwrap();
    let text = place.keep().encode();
    assert_eq!(Manifest::decode(&text).unwrap().encode(), text);
    for (from, to) in
        [(" a/b\n", " ../b\n"), (" a/b\n", " /b\n"), (" a/b\n", " c/b\n"), (" a/b\n", " a/%\n"), ("bailiwick-workspace 1", "other 1")]
    {
        assert!(text.contains(from));
        assert_eq!(Manifest::decode(&text.replace(from, to)), None, "{to}");
    }
    for end in 0..text.len() - 1 {
        assert_ne!(Manifest::decode(text.get(..end).unwrap()).map(|short| short.encode()), Some(text.clone()));
    }
}

#[test]
fn a_tree_deeper_than_any_path_is_taken_away() {
    let place = Place::new();
    fs::write(place.path("kept"), "x").unwrap();
    let kept = place.keep();
    let before = place.state();
    // Made from the inside out, by moving: no path is ever longer than the system takes.
    let name = "d".repeat(200);
    let inner = place.workspace.with_file_name("inner");
    fs::create_dir(&inner).unwrap();
    for _ in 0..60 {
        let outer = place.workspace.with_file_name("outer");
        fs::create_dir(&outer).unwrap();
        fs::rename(&inner, outer.join(&name)).unwrap();
        fs::rename(&outer, &inner).unwrap();
    }
    fs::rename(&inner, place.path("deep")).unwrap();
    place.restore(&kept).unwrap();
    assert!(!place.path("deep").exists());
    place.restore(&kept).unwrap();
    assert_eq!(place.state(), before);
}

#[test]
fn a_file_of_nothing_but_a_size_fills_no_disk() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    let size = 64 << 20;
    for name in ["one", "other"] {
        let file = fs::File::create(place.path(name)).unwrap();
        file.set_len(size).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, name.as_bytes(), size / 2).unwrap();
    }
    let before = place.state();
    let bounds = Bounds { bytes_max: 1 << 20, ..PLENTY };
    let kept = place.take(&Manifest::default(), bounds).unwrap().manifest;
    for entry in kept.entries.values().filter_map(Entry::digest) {
        let facts = place.objects.open(entry).unwrap().metadata().unwrap();
        assert!(facts.len() == size && facts.blocks() * 512 < size / 8, "{facts:?}");
    }
    fs::remove_file(place.path("one")).unwrap();
    fs::write(place.path("other"), "x").unwrap();
    place.restore(&kept).unwrap();
    assert_eq!(place.state(), before);
    assert!(["one", "other"].iter().all(|name| fs::metadata(place.path(name)).unwrap().blocks() * 512 < size / 8));
    // One that is written whole still counts whole.
    fs::write(place.path("one"), vec![1; 2 << 20]).unwrap();
    assert!(matches!(place.take(&Manifest::default(), bounds), Err(Error::NotKept { .. })));
}

#[test]
fn names_beyond_what_a_list_can_hold_do_not_stand_in_the_way_of_a_rollback() {
    let place = Place::new();
    for name in ["a/own", "z/own"] {
        fs::create_dir_all(place.path(name)).unwrap();
        fs::write(place.path(name).join("file"), name).unwrap();
    }
    let kept = place.keep();
    let before = place.state();
    // Many long names, in a folder of the agent's and in one that was there.
    for folder in ["m/filled", "z/own"] {
        fs::create_dir_all(place.path(folder)).unwrap();
        for number in 0..100 {
            fs::write(place.path(folder).join(format!("{number}{}", "\u{1}".repeat(200))), "x").unwrap();
        }
    }
    fs::write(place.path("a/own/file"), "changed").unwrap();
    let room = Room { entries: 10_000, bytes: 20_000 };
    // Before a session nothing is left out in silence.
    let refused = walk_within(&Tree::open(&place.workspace).unwrap(), &kept, room);
    assert!(matches!(refused, Err(Error::TooMuch { .. })), "{refused:?}");
    for room in [room, Room { entries: 50, bytes: 1 << 30 }] {
        let current = walk_within(&place.tree(), &kept, room).unwrap();
        assert!(["m/filled", "z/own"].iter().all(|name| current.get(Path::new(name)).unwrap().kind == Kind::Special));
        assert!(current.get(Path::new("a/own/file")).is_some());
        assert!(current.encode().len() as u64 <= room.bytes);
    }
    place.restore_from(&walk_within(&place.tree(), &kept, room).unwrap(), &kept).unwrap();
    assert_eq!(place.state(), before);
}

#[test]
fn a_line_is_never_longer_than_what_is_counted_for_it() {
    let place = Place::new();
    fs::write(place.path("f\n\u{7f} ü"), "x").unwrap();
    symlink("to \t there", place.path("link")).unwrap();
    let _some_have_none = rustix::fs::setxattr(place.path("f\n\u{7f} ü"), c"user.a\x01", b"\0\x01b", rustix::fs::XattrFlags::empty());
    for (path, mut entry) in place.keep().entries {
        let most = u64::MAX;
        entry.stamp = super::entry::Stamp {
            device: most,
            inode: most,
            changed: super::entry::Moment { seconds: i64::MIN, nanoseconds: 999_999_999 },
        };
        (entry.owner, entry.modified) = ((u32::MAX, u32::MAX), entry.stamp.changed);
        if let Kind::File { size, .. } = &mut entry.kind {
            *size = most;
        }
        let mut line = String::new();
        entry.encode(&path, &mut line);
        assert!((line.len() as u64) < entry.encoded_bytes_most(&path), "{line}");
    }
}

#[test]
fn locked_folders_hold_nothing_up_and_stay_locked() {
    let place = Place::new();
    fs::create_dir(place.path("read-only")).unwrap();
    fs::write(place.path("read-only/file"), "kept").unwrap();
    fs::set_permissions(place.path("read-only"), fs::Permissions::from_mode(0o555)).unwrap();
    let kept = place.keep();
    let before = place.state();
    fs::set_permissions(place.path("read-only"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(place.path("read-only/file")).unwrap();
    fs::create_dir(place.path("closed")).unwrap();
    fs::write(place.path("closed/file"), "x").unwrap();
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(place.path("read-only"), fs::Permissions::from_mode(0o000)).unwrap();
    place.restore(&kept).unwrap();
    assert_eq!(place.state(), before);
    fs::set_permissions(place.path("read-only"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn what_a_kill_left_is_taken_away_and_what_is_unchanged_is_not_read_again() {
    let place = Place::new();
    fs::write(place.path("file"), "kept").unwrap();
    let kept = place.keep();
    let partial = place.path(".bailiwick-part-0123456789abcdef");
    assert!(is_partial(&partial));
    fs::write(&partial, "half").unwrap();
    place.restore(&kept).unwrap();
    assert!(!partial.exists());
    // What is known is not opened: without its right to be read it is still kept.
    let settled = kept.clone().settled_before(super::entry::Moment { seconds: i64::MAX, nanoseconds: 0 });
    let again = place.take(&settled, Bounds { bytes_max: 0, ..PLENTY }).unwrap();
    assert_eq!((again.method, again.manifest.get(Path::new("file"))), (None, kept.get(Path::new("file"))));
}

#[test]
fn hostile_names_stay_words() {
    let hostile = PathBuf::from("a\u{1b}[31m\n\u{202e}txt\r");
    assert!(shown(&hostile).chars().all(|character| !character.is_control() && character != '\u{202e}'));
    let place = Place::new();
    fs::write(place.workspace.join(&hostile), "x").unwrap();
    let kept = place.keep();
    assert_eq!(kept.encode().lines().count(), 3);
    assert_eq!(Manifest::decode(&kept.encode()), Some(kept));
}

/// One step of an agent.
#[derive(Clone, Debug)]
enum Step {
    Write(u8, Vec<u8>),
    Folder(u8),
    Symlink(u8, u8),
    Hard(u8, u8),
    Rename(u8, u8),
    Mode(u8, u8),
    Remove(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0_u8..12;
    prop_oneof![
        (name.clone(), prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(name, bytes)| Step::Write(name, bytes)),
        name.clone().prop_map(Step::Folder),
        (name.clone(), name.clone()).prop_map(|(one, other)| Step::Symlink(one, other)),
        (name.clone(), name.clone()).prop_map(|(one, other)| Step::Hard(one, other)),
        (name.clone(), name.clone()).prop_map(|(one, other)| Step::Rename(one, other)),
        (name.clone(), 0_u8..8).prop_map(|(name, mode)| Step::Mode(name, mode)),
        name.prop_map(Step::Remove),
    ]
}

/// Twelve paths, some below others.
fn path(place: &Place, number: u8) -> PathBuf {
    let names = ["a", "b", "c", "d", "a/a", "a/b", "b/a", "b/b", "a/a/a", "a/a/b", "b/b/c", "d/e"];
    place.path(names[usize::from(number)])
}

/// What goes wrong goes wrong for an agent too.
fn act(place: &Place, step: &Step) {
    let _maybe = match step {
        Step::Write(name, bytes) => fs::write(path(place, *name), bytes),
        Step::Folder(name) => fs::create_dir_all(path(place, *name)),
        Step::Symlink(one, other) => symlink(path(place, *other), path(place, *one)),
        Step::Hard(one, other) => fs::hard_link(path(place, *one), path(place, *other)),
        Step::Rename(one, other) => fs::rename(path(place, *one), path(place, *other)),
        Step::Mode(name, mode) => {
            let is_link = path(place, *name).is_symlink();
            // The owner keeps the right to read, so that the state can be kept at all.
            let mode = fs::Permissions::from_mode(0o500 | u32::from(*mode) << 6 | u32::from(*mode));
            if is_link { Ok(()) } else { fs::set_permissions(path(place, *name), mode) }
        }
        Step::Remove(name) => fs::remove_file(path(place, *name)).or_else(|_| fs::remove_dir_all(path(place, *name))),
    };
}

/// Lets the temporary folder be removed.
fn open_up(place: &Place) {
    for _ in 0..4 {
        for number in 0..12 {
            let path = path(place, number);
            if path.is_dir() && !path.is_symlink() {
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_an_agent_does_is_brought_back(
        before in prop::collection::vec(step(), 0..25),
        after in prop::collection::vec(step(), 0..25),
    ) {
        let place = Place::new();
        for step in &before {
            act(&place, step);
        }
        let kept = place.keep();
        let state = place.state();
        for step in &after {
            act(&place, step);
        }
        place.restore(&kept).unwrap();
        prop_assert_eq!(place.state(), state);
        open_up(&place);
    }
}
