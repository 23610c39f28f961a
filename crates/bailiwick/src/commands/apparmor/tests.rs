use super::*;

#[test]
fn a_place_that_reads_as_a_pattern_is_refused() {
    for place in [
        "/opt/{a,b}/bailiwick",
        "/opt/*/bailiwick",
        "/opt/\"x/bailiwick",
        "/opt/a\nuserns,/bailiwick",
        "/opt/@{HOME}/bailiwick",
        "bailiwick",
    ] {
        assert!(profile_for(Path::new(place)).is_err(), "{place}");
    }
}

#[test]
fn the_profile_names_the_program_and_allows_namespaces() {
    assert_eq!(profile_for(Path::new("/usr/bin/bailiwick")).unwrap(), PROFILE);
    let elsewhere = profile_for(Path::new("/home/maria/my tools/bailiwick")).unwrap();
    assert!(elsewhere.contains("profile bailiwick \"/home/maria/my tools/bailiwick\" flags=(unconfined) {\n  userns,\n"), "{elsewhere}");
    assert!(!elsewhere.contains(USUAL));
}
