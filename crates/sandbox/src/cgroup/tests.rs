use super::hierarchy::{Controller, Hierarchy, find_in};
use super::*;

fn unified_tree() -> tempfile::TempDir {
    let top = tempfile::tempdir().unwrap();
    for (group, passed_on) in [("", "cpu memory pids"), ("app.slice", "memory pids\n"), ("app.slice/shell.scope", "")] {
        std::fs::create_dir_all(top.path().join(group)).unwrap();
        std::fs::write(top.path().join(group).join("cgroup.subtree_control"), passed_on).unwrap();
    }
    top
}

fn mount(top: &Path, root: &str) -> String {
    format!("34 24 0:30 {root} {} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n", top.display())
}

#[test]
fn without_a_hierarchy_there_is_no_group() {
    assert_eq!(find_in("24 1 8:1 / / rw - ext4 /dev/root rw\n", "0::/\n"), []);
    assert_eq!(find_in("broken\n- - -\n 1 2 - cgroup2\n", "broken"), []);
}

#[test]
fn the_nearest_group_that_passes_controllers_on_is_taken() {
    let top = unified_tree();
    let found = find_in(&mount(top.path(), "/"), "0::/app.slice/shell.scope\n");
    let controllers = vec![Controller::Pids, Controller::Memory];
    assert_eq!(found, [Hierarchy { folder: top.path().join("app.slice"), controllers, is_unified: true }]);
}

#[test]
fn a_group_that_passes_nothing_on_is_not_taken() {
    let top = unified_tree();
    for group in ["", "app.slice"] {
        std::fs::write(top.path().join(group).join("cgroup.subtree_control"), "cpu\n").unwrap();
    }
    assert_eq!(find_in(&mount(top.path(), "/"), "0::/app.slice/shell.scope\n"), []);
}

#[test]
fn a_path_outside_the_mounted_part_is_not_followed() {
    let top = unified_tree();
    assert_eq!(find_in(&mount(top.path(), "/docker/one"), "0::/docker/two\n"), []);
    assert_eq!(find_in(&mount(top.path(), "/"), "0::/../../app.slice\n"), []);
    assert_eq!(find_in(&mount(top.path(), "/docker/one"), "0::/docker/one\n").len(), 1);
}

#[test]
fn controllers_of_their_own_hierarchies_are_found_each_once() {
    let top = tempfile::tempdir().unwrap();
    let line = |name: &str| {
        std::fs::create_dir_all(top.path().join(name)).unwrap();
        format!("34 24 0:30 / {0}/{name} rw - cgroup cgroup rw,{name}\n", top.path().display())
    };
    let mounts = [line("pids"), line("memory"), line("pids"), line("freezer")].concat();
    let found = find_in(&mounts, "8:pids:/\n4:memory:/\n3:freezer:/\n0::/\n");
    assert_eq!(found.iter().map(|one| one.controllers.clone()).collect::<Vec<_>>(), [vec![Controller::Pids], vec![Controller::Memory]]);
    assert!(found.iter().all(|one| !one.is_unified));
}

#[test]
fn only_groups_without_a_living_owner_are_removed() {
    let parent = tempfile::tempdir().unwrap();
    let folders = ["bailiwick-living", "bailiwick-stale", "another"].map(|name| parent.path().join(name));
    for folder in &folders {
        std::fs::create_dir(folder).unwrap();
    }
    let held = lock(&folders[0]).unwrap();
    remove_stale(parent.path());
    assert_eq!(folders.each_ref().map(|folder| folder.exists()), [true, false, true]);
    drop(held);
    remove_stale(parent.path());
    assert_eq!(folders.each_ref().map(|folder| folder.exists()), [false, false, true]);
}

#[test]
fn a_gauge_without_files_bounds_nothing() {
    assert!(!Gauge::default().bounds_processes(0, u64::MAX));
    assert!(!Gauge::default().bounds_memory(u64::MAX));
}

#[test]
fn an_unbounded_or_uncounted_group_is_no_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        std::fs::write(folder.path().join(name), content).unwrap();
        File::open(folder.path().join(name)).unwrap()
    };
    let gauge = |bound: &str, current: &str| Gauge { processes: Some((file("max", bound), file("current", current))), memory: None };
    assert!(gauge("64\n", "3\n").bounds_processes(3, 64));
    assert!(!gauge("max\n", "3\n").bounds_processes(3, 64));
    assert!(!gauge("65\n", "3\n").bounds_processes(3, 64));
    assert!(!gauge("64\n", "2\n").bounds_processes(3, 64));
}

#[test]
fn what_the_kernel_counted_is_read_by_its_whole_name() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("counts");
    let of = |text: &str, name: &str| {
        std::fs::write(&path, text).unwrap();
        count(&File::open(&path).unwrap(), name)
    };
    let unified = "low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 7\n";
    assert_eq!([of(unified, "max"), of(unified, "oom_kill"), of(unified, "none")], [3, 2, 0]);
    assert_eq!(of("oom_kill_disable 0\nunder_oom 1\noom_kill 5\n", "oom_kill"), 5);
    assert_eq!(of("usage_usec 7000123\nuser_usec 5\n", "usage_usec"), 7_000_123);
    assert_eq!(of("", "max"), 0);
}
