use super::*;

fn guards(list: &[(&str, GuardKind)]) -> Guards {
    let guard =
        |(pattern, kind): &(&str, GuardKind)| Guard { folder: "/work".into(), pattern: PathPattern::parse(pattern).unwrap(), kind: *kind };
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
        ("/work", Standing::Free),
        ("/work/src/main.rs", Standing::Free),
        ("/work2/.env", Standing::Free),
        ("/etc/.env", Standing::Free),
        ("/work/.git", Standing::Leads),
        ("/work/a/.GIT", Standing::Leads),
        ("/work/a/.Git/HOOKS/x", Standing::Guarded(GuardKind::Protected)),
        ("/work/.env", Standing::Guarded(GuardKind::Masked)),
        ("/work/a/b/.ENV/x", Standing::Guarded(GuardKind::Masked)),
        ("/work/Private/.env", Standing::Guarded(GuardKind::Hidden)),
        ("/work/a/private", Standing::Free),
        ("/work/a/tls.KEY", Standing::Guarded(GuardKind::Masked)),
    ] {
        assert_eq!(guards.standing(Path::new(path)), expected, "{path}");
    }
    assert!(Guards::new(&[]).is_empty() && !guards.is_empty());
}
