use super::*;

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
