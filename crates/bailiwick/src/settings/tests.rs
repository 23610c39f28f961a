use super::*;

fn settings(variables: &[(&str, &str)]) -> Settings {
    Settings::new(variables.iter().map(|(name, value)| (name.into(), value.into())).collect(), "/usr/bin/bailiwick".into())
}

#[test]
fn relative_and_empty_folders_are_ignored() {
    let of = |state| settings(&[("HOME", "/home/maria"), ("XDG_STATE_HOME", state)]).directories.state;
    assert_eq!(of("state"), PathBuf::from("/home/maria/.local/state/bailiwick"));
    assert_eq!(of(""), PathBuf::from("/home/maria/.local/state/bailiwick"));
    assert_eq!(of("/srv/state"), PathBuf::from("/srv/state/bailiwick"));
}

#[test]
fn sessions_inherit_only_how_things_look() {
    let settings = settings(&[
        ("HOME", "/nowhere"),
        ("LANG", "de_DE.UTF-8"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("TERM", "xterm"),
        ("LD_PRELOAD", "/x.so"),
    ]);
    let names: Vec<_> = settings.locale.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(names, ["TERM", "LANG"]);
    assert!(settings.model.is_none());
}
