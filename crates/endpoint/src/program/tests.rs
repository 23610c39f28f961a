use super::*;
use std::os::unix::fs::symlink;

fn executable(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = std::fs::canonicalize(folder.path()).unwrap();
    (folder, path)
}

#[test]
fn what_is_no_program_is_refused() {
    let (_keep, place) = place();
    std::fs::write(place.join("text"), "").unwrap();
    for name in [place.join("text").as_os_str(), place.as_os_str(), OsStr::new("no-such-program"), OsStr::new("")] {
        assert!(matches!(Program::find(name, place.as_os_str()), Err(Error::ProgramNotFound { .. })), "{}", name.display());
    }
}

#[test]
fn a_folder_on_the_path_that_is_relative_is_not_searched() {
    assert!(Program::find(OsStr::new("sh"), OsStr::new("usr/bin:.")).is_err());
}

#[test]
fn a_program_of_the_system_needs_nothing_more() {
    let program = Program::find(OsStr::new("sh"), OsStr::new("/usr/bin:/bin")).unwrap();
    assert!(program.trees.is_empty(), "{:?}", program.trees);
    assert_eq!(program.name().as_str(), "sh");
    assert_eq!(program.measure().sha256.unwrap().as_str().len(), 64);
}

#[test]
fn a_node_package_brings_the_outermost_modules_folder() {
    let (_keep, place) = place();
    let script = place.join("node_modules/tool/node_modules/inner/cli.sh");
    executable(&script, "#!/bin/sh\n");
    std::fs::create_dir_all(place.join("bin")).unwrap();
    symlink(&script, place.join("bin/tool")).unwrap();
    let program = Program::find(OsStr::new("tool"), place.join("bin").as_os_str()).unwrap();
    assert!(program.trees.contains(&place.join("node_modules")), "{:?}", program.trees);
    assert!(!program.trees.contains(&place));
}

#[test]
fn a_python_environment_brings_itself_and_its_base() {
    let (_keep, place) = place();
    executable(&place.join("base/bin/python3.11"), "");
    std::fs::create_dir_all(place.join("base/lib/python3.11")).unwrap();
    std::fs::create_dir_all(place.join("env/bin")).unwrap();
    symlink(place.join("base/bin/python3.11"), place.join("env/bin/python")).unwrap();
    std::fs::write(place.join("env/pyvenv.cfg"), format!("home = {}\n", place.join("base/bin").display())).unwrap();
    executable(&place.join("env/bin/agent"), &format!("#!{}\n", place.join("env/bin/python").display()));
    let program = Program::find(place.join("env/bin/agent").as_os_str(), OsStr::new("")).unwrap();
    let expected: BTreeSet<PathBuf> = ["env", "base/bin", "base/lib"].map(|part| place.join(part)).into_iter().collect();
    assert_eq!(program.trees, expected);
    assert_eq!(program.path, place.join("env/bin/agent"));
}

#[test]
fn a_single_file_brings_only_itself() {
    let (_keep, place) = place();
    executable(&place.join("tool"), "#!/bin/sh\n");
    std::fs::write(place.join("private"), "").unwrap();
    let program = Program::find(place.join("tool").as_os_str(), OsStr::new("")).unwrap();
    assert_eq!(program.trees, [place.join("tool")].into_iter().collect());
}

#[test]
fn a_program_that_was_replaced_or_written_after_it_was_measured_is_seen() {
    let (_keep, place) = place();
    let path = place.join("tool");
    executable(&path, "#!/bin/sh\n");
    let program = Program::find(path.as_os_str(), OsStr::new("")).unwrap();
    let measured = program.measure();
    assert!(program.is_still(&measured));
    executable(&place.join("other"), "#!/bin/sh\n");
    std::fs::rename(place.join("other"), &path).unwrap();
    assert!(!program.is_still(&measured));
    let measured = program.measure();
    std::fs::write(&path, "#!/bin/ls\n").unwrap();
    assert!(!program.is_still(&measured));
    let measured = program.measure();
    std::fs::remove_file(&path).unwrap();
    assert!(!program.is_still(&measured));
}
