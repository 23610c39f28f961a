use super::*;

#[test]
fn the_hosts_own_bound_is_never_written() {
    let before = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap();
    assert!(!bound_process_numbers(1));
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap(), before);
}

#[test]
fn releases_are_read_or_are_too_old() {
    for (text, release) in [("6.18.44-fc", (6, 18)), ("5.4", (5, 4)), ("6.14-rc1", (6, 14)), ("", (0, 0)), ("next", (0, 0))] {
        assert_eq!(kernel::release_of(text), release, "{text}");
    }
}

#[test]
fn no_limit_is_above_the_plans() {
    let limits = Limits { open_files_max: 7, processes_max: 3, ..Limits::default() };
    let table = table(&limits);
    let of = |wanted: Resource| table.iter().find(|(resource, _)| *resource == wanted).and_then(|(_, limit)| limit.maximum);
    assert_eq!([of(Resource::Nofile), of(Resource::Nproc), of(Resource::Core)], [Some(7), Some(3), Some(1)]);
}

#[test]
fn a_handler_that_the_limit_does_not_keep_away_is_a_missing_wall() {
    for pattern in [&b"@/run/dumps"[..], b"@@/run/dumps\n", b" @/run/dumps"] {
        assert!([None, Some(0), Some(1)].into_iter().all(|most| leak(pattern, most).is_some()), "{pattern:?}");
    }
    let piped = b"|/usr/lib/systemd/systemd-coredump %P\n";
    assert!(leak(piped, Some(0)).is_some_and(|found| found.contains("ulimit -Hc")));
    assert_eq!([leak(piped, Some(1)), leak(piped, Some(4096)), leak(piped, None)], [None; 3]);
    for file in [&b"core\n"[..], b"/var/crash/%e|@", b""] {
        assert_eq!([leak(file, Some(0)), leak(file, None)], [None; 2], "{file:?}");
    }
}
