use super::*;
use proptest::prelude::*;

fn guards(list: &[(&str, GuardKind)]) -> Guards {
    let guard = |(pattern, kind): &(&str, GuardKind)| Guard {
        folder: "/project".into(),
        pattern: PathPattern::parse(pattern).unwrap(),
        kind: *kind,
    };
    Guards::new(&list.iter().map(guard).collect::<Vec<_>>())
}

#[test]
fn the_strongest_guard_counts() {
    let guards = guards(&[
        ("**/.git/hooks", GuardKind::Protected),
        ("**/.env", GuardKind::Masked),
        ("private", GuardKind::Hidden),
        ("**/*.key", GuardKind::Masked),
    ]);
    for (path, expected) in [
        ("/project", Standing::Free),
        ("/project/src/main.rs", Standing::Free),
        ("/project2/.env", Standing::Free),
        ("/etc/.env", Standing::Free),
        ("/project/.git", Standing::Leads),
        ("/project/a/.GIT", Standing::Leads),
        ("/project/a/.Git/HOOKS/x", Standing::Guarded(GuardKind::Protected)),
        ("/project/.env", Standing::Guarded(GuardKind::Masked)),
        ("/project/a/b/.ENV/x", Standing::Guarded(GuardKind::Masked)),
        ("/project/Private/.env", Standing::Guarded(GuardKind::Hidden)),
        ("/project/a/private", Standing::Free),
        ("/project/a/GIT~1/hooks", Standing::Guarded(GuardKind::Protected)),
        ("/project/a/GIT~1/HEAD", Standing::Free),
        ("/project/a/tls.KEY", Standing::Guarded(GuardKind::Masked)),
    ] {
        assert_eq!(guards.standing(Path::new(path)), expected, "{path}");
    }
    assert!(Guards::new(&[]).is_empty() && !guards.is_empty());
}

const PATTERNS: &[&str] =
    &["a", "**/a", "a/b", "**/a/b", "a*", "**/*b", "*/b", "**/b/*/a", "a/*/c", "**/.c", "a/b/c", "**/abc.d", "**/a*c/b", "abcdefg"];
const NAMES: &[&str] = &["a", "b", "c", "A", ".c", "abc", "ab", "abc.d", "ABC.D", "a~1", "abcdef~1", "b.", "x", "a:b"];

proptest! {
    /// Guards are found by their first names, so that most paths cost nothing; each by itself must say the same.
    #[test]
    fn all_guards_together_are_as_strict_as_the_strictest_alone(
        list in proptest::collection::vec((prop::sample::select(PATTERNS), 0..3_usize, any::<bool>()), 0..8),
        names in proptest::collection::vec(prop::sample::select(NAMES), 0..5),
    ) {
        let guard = |(pattern, kind, below): (&str, usize, bool)| Guard {
            folder: if below { "/project/a".into() } else { "/project".into() },
            pattern: PathPattern::parse(pattern).unwrap(),
            kind: [GuardKind::Protected, GuardKind::Masked, GuardKind::Hidden][kind],
        };
        let list: Vec<Guard> = list.into_iter().map(guard).collect();
        let path: PathBuf = [PathBuf::from("/project")].into_iter().chain(names.iter().map(PathBuf::from)).collect();
        let alone = list.iter().filter_map(|guard| {
            let rest = path.strip_prefix(&guard.folder).ok()?;
            let names: Vec<String> = rest.iter().map(|name| fold_name(name.as_bytes())).collect();
            Some(match guard.pattern.relation(&names) {
                Relation::Apart => Standing::Free,
                Relation::Leads => Standing::Leads,
                Relation::Covered => Standing::Guarded(guard.kind),
            })
        });
        prop_assert_eq!(Guards::new(&list).standing(&path), alone.max().unwrap_or(Standing::Free), "{:?}", path);
    }

    /// Nothing becomes the agent's by lying deeper.
    #[test]
    fn what_lies_below_is_guarded_no_less(
        list in proptest::collection::vec((prop::sample::select(PATTERNS), 0..3_usize), 1..6),
        names in proptest::collection::vec(prop::sample::select(NAMES), 1..5),
        below in prop::sample::select(NAMES),
    ) {
        let kinds = [GuardKind::Protected, GuardKind::Masked, GuardKind::Hidden];
        let guards = guards(&list.iter().map(|(pattern, kind)| (*pattern, kinds[*kind])).collect::<Vec<_>>());
        let path: PathBuf = [PathBuf::from("/project")].into_iter().chain(names.iter().map(PathBuf::from)).collect();
        if let Standing::Guarded(kind) = guards.standing(&path) {
            prop_assert!(guards.standing(&path.join(below)) >= Standing::Guarded(kind), "{:?}", path);
        }
    }
}
