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
    assert_eq!([after(0, 1), after(0, 10), after(0, 500)], [10, 100, 1000]);
}

#[test]
fn a_crowd_ends_a_session_only_if_it_stays() {
    let start = Instant::now();
    // Looks, a quarter of a second apart, and how many of them find the session at its bound; none, if it is not ended.
    let ends_after = |keeper: Keeper, is_crowded: &dyn Fn(u64) -> bool| {
        let (mut crowd, mut next, mut refused) = (Crowd::new(64, keeper, start), Period::default(), 0);
        (1..200_u64).find(|number| {
            refused += u64::from(is_crowded(*number));
            let tasks = if is_crowded(*number) { 63 } else { 40 };
            let usage = Usage { tasks, processes_refused: refused, ..Usage::default() };
            let found = crowd.look(&usage, start + Duration::from_millis(250 * number), &mut next);
            assert_eq!(found.was_refused, is_crowded(*number), "{number}");
            found.is_too_long
        })
    };
    for keeper in [Keeper::CgroupV1, Keeper::Watcher] {
        assert_eq!(ends_after(keeper, &|_| true), Some(20));
        assert_eq!(ends_after(keeper, &|number| number < 20), None);
        assert_eq!(ends_after(keeper, &|number| number % 2 == 0), None);
        // Letting up now and then buys little.
        assert_eq!(ends_after(keeper, &|number| number % 4 != 0), Some(38));
    }
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
