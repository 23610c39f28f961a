use super::*;

#[test]
fn a_wall_that_was_not_tried_is_not_available() {
    let walls = judge(&BTreeMap::from([(Wall::Landlock, Observation::Held), (Wall::Cgroup, Observation::Unused)]), &[]);
    assert_eq!(walls.iter().map(|status| status.wall).collect::<Vec<_>>(), Wall::ALL);
    assert_eq!(walls.iter().filter(|status| status.available).map(|status| status.wall).collect::<Vec<_>>(), [Wall::Landlock]);
}

#[test]
fn without_user_namespaces_nothing_is_available() {
    let walls = without(Wall::UserNamespace, "no space left");
    assert_eq!(walls.len(), Wall::ALL.len());
    assert!(walls.iter().all(|status| !status.available && !status.advice.is_empty()));
    assert!(walls.iter().all(|status| status.found.contains("user_namespace") || status.found.contains("no space left")));
}

#[test]
fn each_setting_that_refuses_namespaces_is_named() {
    let text = |value: &str| Some(value.to_owned());
    assert!(reasons(&Host::default()).is_empty());
    let open = Host {
        max_user_namespaces: text("63000"),
        unprivileged_clone: text("1"),
        apparmor_restriction: text("0"),
        apparmor_profile: None,
        process_status: text("Name:\tx\nSeccomp:\t0"),
    };
    assert!(reasons(&open).is_empty());
    let of = |host: Host| reasons(&host).join(";");
    assert!(of(Host { max_user_namespaces: text("0"), ..open.clone() }).contains("user.max_user_namespaces"));
    assert!(of(Host { unprivileged_clone: text("0"), ..open.clone() }).contains("kernel.unprivileged_userns_clone"));
    assert!(of(Host { apparmor_restriction: text("1"), ..open.clone() }).contains("apparmor_restrict_unprivileged_userns"));
    assert!(of(Host { process_status: text("Seccomp:\t2"), ..open }).contains("system call filter"));
}

#[test]
fn a_right_that_nothing_makes_good_is_a_missing_wall() {
    let held = BTreeMap::from([(Wall::Landlock, Observation::Held)]);
    let with = |holds| {
        let walls = judge(&held, &[StandIn { right: "truncate", wall: Wall::MinimalRoot, probes: &["cut_file"], holds }]);
        walls.into_iter().find(|status| status.wall == Wall::Landlock).unwrap()
    };
    assert!(with(true).available);
    assert!(!with(false).available);
    assert_eq!(with(false).found, "it has no truncate, and minimal_root does not make that good");
}
