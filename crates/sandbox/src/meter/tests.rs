use super::*;

const STAT: &str = "17 (a b) R) S 1 17 17 0 -1 4194304 10 0 0 0 250 50 7 3 20 0 4 0 9000 12345678 321 18446744073709551615 1 1";

#[test]
fn a_name_with_brackets_hides_nothing() {
    let stat = Stat { threads: 4, resident_pages: 321, ticks: 300, ticks_of_children: 10, start: 9000 };
    assert_eq!(Stat::parse(STAT), Some(stat));
    assert_eq!(Stat::parse(&STAT.replace("(a b) R)", "(1) 2 3 4) R 5)")), Some(stat));
    for broken in ["", "17", "17 (x) ", "17 (x) S 1 2 3"] {
        assert_eq!(Stat::parse(broken), None, "{broken}");
    }
}

#[test]
fn what_is_shared_counts_once_where_it_can_be_told() {
    let rollup = "x [rollup]\nRss:  900 kB\nPss:  500 kB\nPss_Anon:  300 kB\nPss_File:  190 kB\nPss_Shmem:  10 kB\nSwapPss:  4 kB\n";
    assert_eq!(Held::proportional(rollup), Some(Held { own: 304 * 1024, shared: 10 * 1024 }));
    assert_eq!(Held::proportional(""), None);
    let status = "VmRSS:\t 9 kB\nRssAnon:\t 5 kB\nRssShmem:\t 2 kB\nVmSwap:\t 1 kB\n";
    assert_eq!(Held::resident(status), Some(Held { own: 6 * 1024, shared: 2 * 1024 }));
    // A process of the kernel, or one that has ended, holds nothing of its own.
    assert_eq!(Held::resident("Name:\tx\nState:\tZ (zombie)\n"), None);
}

#[test]
fn what_the_machine_shares_and_swaps_more_than_before_is_told() {
    let machine =
        |shmem: u32, free: u32| Machine::parse(&format!("MemTotal: 9 kB\nSwapTotal:  100 kB\nSwapFree:  {free} kB\nShmem:  {shmem} kB\n"));
    assert_eq!(machine(30, 90).grown_since(machine(10, 100)), 30 * 1024);
    assert_eq!(machine(10, 100).grown_since(machine(30, 90)), 0);
    assert_eq!(Machine::parse(""), Machine::default());
}

#[test]
fn memory_in_a_file_without_a_name_is_seen_once() {
    let processes = rustix::fs::open(c"/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let own = vec![rustix::process::getpid().as_raw_nonzero().get()];
    let device = unlinked::memory_device().unwrap();
    let before = unlinked::opened_bytes(&processes, &own, device).unwrap();
    let hidden = std::fs::File::from(rustix::fs::memfd_create(c"hidden", rustix::fs::MemfdFlags::CLOEXEC).unwrap());
    std::io::Write::write_all(&mut &hidden, &vec![1; 3 << 20]).unwrap();
    let _again = hidden.try_clone().unwrap();
    assert_eq!(unlinked::opened_bytes(&processes, &own, device), Some(before + (3 << 20)));
}

#[test]
fn a_meter_sees_processes_their_memory_and_their_time() {
    // As the warden passes it on.
    let processes = rustix::fs::open(c"/proc", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let mut meter = Meter::new(&processes, vec![("/tmp".into(), std::fs::File::open("/").unwrap().into())], None).unwrap();
    assert_eq!(meter.keeper(), Keeper::Watcher);
    let usage = meter.look().unwrap();
    assert!(usage.tasks > 1 && usage.memory_bytes_most > 1 << 20, "{usage:?}");
    assert!(meter.memory_exceeds(1 << 20).unwrap());
    assert!(!meter.memory_exceeds(1 << 50).unwrap());
    assert_eq!(meter.areas().len(), 1);
    assert!(meter.areas()[0].used_bytes > 0 && !meter.areas()[0].is_full);
}

#[test]
fn time_that_was_seen_is_not_forgotten_with_its_process() {
    let place = tempfile::tempdir().unwrap();
    let put = |pid: &str, ticks: &str| {
        std::fs::create_dir_all(place.path().join(pid)).unwrap();
        std::fs::write(place.path().join(pid).join("stat"), STAT.replace("250 50", &format!("{ticks} 0"))).unwrap();
    };
    let open = || rustix::fs::open(place.path(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let mut meter = Meter::new(&open(), Vec::new(), None).unwrap();
    meter.ticks_per_second = 1;
    put("17", "100");
    assert_eq!(meter.look().unwrap().cpu_seconds, 110);
    put("18", "40");
    assert_eq!(meter.look().unwrap().cpu_seconds, 160);
    std::fs::remove_dir_all(place.path().join("17")).unwrap();
    put("18", "50");
    assert_eq!(meter.look().unwrap().cpu_seconds, 150);
}

#[test]
fn shared_memory_is_as_long_as_its_mappings_reach() {
    let line = "7f00-9f00 rw-s 00001000 00:01 4711                       /dev/zero (deleted)";
    assert_eq!(unlinked::shared(line, "00:01"), Some((4711, 0x3000)));
    for other in [&line.replace("rw-s", "rw-p"), &line.replace("00:01", "fe:00"), "", "7f00-9f00 rw-s"] {
        assert_eq!(unlinked::shared(other, "00:01"), None, "{other}");
    }
}
