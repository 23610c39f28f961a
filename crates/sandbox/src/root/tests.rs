use super::*;
use crate::plan::{Calls, Limits, Network, Overlay, PrivateArea, Stdio, SyntheticFile};
use crate::{Guard, GuardKind, Programs};
use schema::PathPattern;

fn plan() -> Plan {
    Plan {
        program: "/bin/sh".into(),
        args: Vec::new(),
        env: Vec::new(),
        cwd: "/project".into(),
        mounts: vec![Mount { source: std::env::temp_dir(), target: "/project".into(), access: Access::ReadWrite }],
        files: Vec::new(),
        private: vec![PrivateArea { path: "/tmp".into(), size_bytes_max: 1 << 20 }],
        limits: Limits::default(),
        network: Network::Isolated,
        stdio: [Stdio::Null; 3],
        pass: Vec::new(),
        observe_files: true,
        calls: Calls::default(),
        programs: Programs::default(),
        danger_allow_missing: Vec::new(),
        guards: Vec::new(),
        overlays: Vec::new(),
        probe_period: None,
        #[cfg(feature = "danger-weaken")]
        danger_weakened: crate::Weakened::default(),
    }
}

fn guard(folder: &str) -> Guard {
    Guard { folder: folder.into(), pattern: PathPattern::parse("**/.env").unwrap(), kind: GuardKind::Masked }
}

/// Which problem a plan has after a change; none if it is right.
fn problem(change: impl FnOnce(&mut Plan)) -> Option<&'static str> {
    let mut plan = plan();
    change(&mut plan);
    match check(&plan) {
        Ok(()) => None,
        Err(Error::Plan { problem, .. }) => Some(problem),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_path_inside_is_absolute_and_goes_nowhere_up() {
    assert_eq!(problem(|_| ()), None);
    for path in ["project", "", "/project/../etc", "/..", "./x"] {
        let wrong = Some("a path inside must be absolute and have no ..");
        assert_eq!(problem(|plan| plan.program = path.into()), wrong, "{path}");
        assert_eq!(problem(|plan| plan.cwd = path.into()), wrong, "{path}");
        assert_eq!(problem(|plan| plan.mounts[0].target = path.into()), wrong, "{path}");
        assert_eq!(problem(|plan| plan.private[0].path = path.into()), wrong, "{path}");
        assert_eq!(problem(|plan| plan.files.push(SyntheticFile { path: path.into(), content: Vec::new() })), wrong, "{path}");
    }
}

#[test]
fn the_hosts_kernel_file_systems_are_never_shown() {
    let link = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/proc/self", link.path().join("link")).unwrap();
    for source in ["/", "/proc", "/proc/self", "/sys/kernel", "/dev", "/dev/null", link.path().join("link").to_str().unwrap()] {
        let found = problem(|plan| plan.mounts[0].source = source.into());
        assert_eq!(found, Some("a mount may not hold the host's /proc, /sys or /dev"), "{source}");
    }
    for target in ["/", "/proc", "/proc/1", "/dev", "/dev/shm/x"] {
        let found = problem(|plan| plan.mounts[0].target = target.into());
        assert_eq!(found, Some("a mount may not stand at /, /proc or /dev"), "{target}");
    }
    // Names that only begin alike are others.
    assert_eq!(problem(|plan| plan.mounts[0].target = "/process".into()), None);
}

#[test]
fn a_source_that_is_not_there_is_an_error_with_its_path() {
    let mut plan = plan();
    plan.mounts[0].source = "/nowhere/at/all".into();
    let error = check(&plan).unwrap_err();
    assert!(matches!(&error, Error::Path { path, .. } if path == Path::new("/nowhere/at/all")), "{error}");
}

#[test]
fn guards_that_could_not_hold_refuse_the_plan() {
    assert_eq!(problem(|plan| plan.guards = vec![guard("/project")]), None);
    let unobserved = problem(|plan| (plan.guards, plan.observe_files) = (vec![guard("/project")], false));
    assert_eq!(unobserved, Some("paths can be guarded only where files are observed"));
    for folder in ["/", "/projects", "/project/below"] {
        assert_eq!(problem(|plan| plan.guards = vec![guard(folder)]), Some("paths can be guarded below a mount only"), "{folder}");
    }
    assert_eq!(problem(|plan| plan.guards = vec![guard("/project"); GUARDS_MAX]), None);
    assert_eq!(problem(|plan| plan.guards = vec![guard("/project"); GUARDS_MAX + 1]), Some("there are too many guarded paths"));
}

#[test]
fn an_overlay_stands_on_a_writable_mount_only() {
    let overlay = |target: &str| Overlay { target: target.into(), upper: "/upper".into(), work: "/work".into() };
    let refused = Some("an overlay needs a writable mount at its place");
    assert_eq!(problem(|plan| plan.overlays = vec![overlay("/project")]), None);
    assert_eq!(problem(|plan| plan.overlays = vec![overlay("/elsewhere")]), refused);
    let read_only = problem(|plan| (plan.overlays, plan.mounts[0].access) = (vec![overlay("/project")], Access::ReadOnly));
    assert_eq!(read_only, refused);
}

#[test]
fn the_descriptors_of_all_areas_fit_into_one_message() {
    let areas = |count: usize| (0..count).map(|number| PrivateArea { path: format!("/area{number}").into(), size_bytes_max: 1 }).collect();
    assert_eq!(problem(|plan| plan.private = areas(AREAS_MAX)), None);
    assert_eq!(problem(|plan| plan.private = areas(AREAS_MAX + 1)), Some("there are too many private areas"));
}

#[test]
fn a_source_that_was_replaced_since_it_was_looked_at_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let pinned = Pinned::pin(&Mount { source: folder.clone(), target: "/project".into(), access: Access::ReadOnly }).unwrap();
    assert!(pinned.open().is_ok() && pinned.is_folder);
    std::fs::rename(&folder, place.path().join("moved")).unwrap();
    assert!(matches!(pinned.open(), Err(Error::Path { .. })));
    std::fs::create_dir(&folder).unwrap();
    assert!(matches!(pinned.open(), Err(Error::Plan { .. })));
    // The same folder by another way is still the same.
    std::fs::remove_dir(&folder).unwrap();
    std::os::unix::fs::symlink(place.path().join("moved"), &folder).unwrap();
    assert!(pinned.open().is_ok());
}
