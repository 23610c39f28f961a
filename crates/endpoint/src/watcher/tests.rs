use super::*;
use sandbox::Keeper;

#[test]
fn the_nearer_the_bound_the_sooner_the_next_look() {
    let after = |bytes: u64, look_ms: u64| {
        let mut period = Period::default();
        period.before_growth_of(bytes);
        period.at_most_a_part_of_the_time(Duration::from_millis(look_ms)).as_millis()
    };
    assert_eq!([after(u64::MAX, 0), after(1 << 30, 0), after(64 << 20, 0), after(0, 0)], [1000, 125, 7, 5]);
    // A look that takes long is not taken often.
    assert_eq!([after(0, 1), after(0, 10), after(0, 500)], [20, 200, 1000]);
}

#[test]
fn a_crowd_ends_a_session_only_if_it_stays() {
    let start = Instant::now();
    let mut next = Period::default();
    let mut at = |crowd: &mut Crowd, tasks: u64, refused: u64, seconds: u64| {
        let usage = Usage { tasks, processes_refused: refused, ..Usage::default() };
        let found = crowd.look(&usage, start + Duration::from_secs(seconds), &mut next);
        (found.was_refused, found.is_too_long)
    };
    let mut counted = Crowd::new(64, Keeper::CgroupV1);
    let looks = [(64, 0, 0), (64, 9, 1), (64, 12, 3), (64, 12, 5), (64, 13, 6), (64, 14, 10), (64, 15, 11)];
    let found = looks.map(|(tasks, refused, seconds)| at(&mut counted, tasks, refused, seconds));
    let expected = [(false, false), (true, false), (true, false), (false, false), (true, false), (true, false), (true, true)];
    assert_eq!(found, expected);
    let mut seen = Crowd::new(64, Keeper::Watcher);
    let found = [(50, 0, 0), (63, 0, 1), (63, 0, 5), (63, 0, 6), (50, 0, 7), (63, 0, 8)].map(|(t, r, s)| at(&mut seen, t, r, s));
    assert_eq!(found, [(false, false), (true, false), (true, false), (true, true), (false, false), (true, false)]);
}

#[test]
fn what_happens_to_the_policys_file_is_told_once() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("policy.toml");
    std::fs::write(&path, "one").unwrap();
    let mut file = PolicyFile::new(&path, "one");
    assert_eq!(file.look(), None);
    // The same text, written anew, is no change.
    std::fs::rename(&path, place.path().join("old")).unwrap();
    std::fs::write(&path, "one").unwrap();
    assert_eq!(file.look(), None);
    std::fs::write(&path, "two").unwrap();
    assert_eq!(file.look(), Some("changed"));
    std::fs::write(&path, "three").unwrap();
    assert_eq!(file.look(), None);
    std::fs::remove_file(&path).unwrap();
    assert_eq!([file.look(), file.look()], [Some("deleted"), None]);
    // One that was changed before the first look.
    std::fs::write(&path, "two").unwrap();
    assert_eq!(PolicyFile::new(&path, "one").look(), Some("changed"));
}
