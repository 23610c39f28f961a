use super::{debian, of};
use crate::Program;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn program(path: &Path, text: &str) -> Program {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Program::find(path.as_os_str(), OsStr::new("/usr/bin:/bin")).unwrap()
}

#[test]
fn nothing_tells_the_version_of_a_bare_program() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(of(&program(&place.path().join("bin/agent"), "#!/bin/sh\n")).as_str(), "unknown");
}

#[test]
fn an_npm_package_tells_its_version() {
    let place = tempfile::tempdir().unwrap();
    let agent = program(&place.path().join("node_modules/agent/bin/cli.js"), "#!/bin/sh\n");
    std::fs::write(place.path().join("node_modules/agent/package.json"), r#"{"name":"agent","version":"2.1.330"}"#).unwrap();
    assert_eq!(of(&agent).as_str(), "2.1.330");
}

#[test]
fn a_python_distribution_tells_its_version_by_the_script_that_it_installed() {
    let place = tempfile::tempdir().unwrap();
    let agent = program(&place.path().join("bin/aider"), "#!/bin/sh\n");
    let site = place.path().join("lib/python3.11/site-packages");
    for (folder, script, version) in [("other-1.0.dist-info", "other", "1.0"), ("aider_chat-0.86.2.dist-info", "aider", "0.86.2")] {
        std::fs::create_dir_all(site.join(folder)).unwrap();
        std::fs::write(site.join(folder).join("entry_points.txt"), format!("[console_scripts]\n{script} = a.b:main\n")).unwrap();
        std::fs::write(site.join(folder).join("METADATA"), format!("Metadata-Version: 2.1\nVersion: {version}\n\nVersion: 9\n")).unwrap();
    }
    assert_eq!(of(&agent).as_str(), "0.86.2");
}

#[test]
fn a_link_to_what_waits_or_acts_when_it_is_opened_tells_nothing() {
    let place = tempfile::tempdir().unwrap();
    let agent = program(&place.path().join("node_modules/agent/bin/cli.js"), "#!/bin/sh\n");
    let (fifo, file) = (place.path().join("fifo"), place.path().join("node_modules/agent/package.json"));
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0).unwrap();
    // Nobody writes into it: whoever opens it to read waits for ever.
    std::os::unix::fs::symlink(&fifo, &file).unwrap();
    assert_eq!(of(&agent).as_str(), "unknown");
}

#[test]
fn an_environment_of_pipx_tells_the_version_through_its_link() {
    let place = tempfile::tempdir().unwrap();
    let environment = place.path().join("pipx/venvs/aider-chat");
    let script = program(&environment.join("bin/aider"), "#!/bin/sh\n").path;
    let folder = environment.join("lib/python3.12/site-packages/aider_chat-0.86.2.dist-info");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("entry_points.txt"), "[console_scripts]\naider = a.b:main\n").unwrap();
    std::fs::write(folder.join("METADATA"), "Version: 0.86.2\n\n").unwrap();
    std::fs::create_dir(place.path().join("bin")).unwrap();
    std::os::unix::fs::symlink(script, place.path().join("bin/aider")).unwrap();
    let linked = Program::find(place.path().join("bin/aider").as_os_str(), OsStr::new("")).unwrap();
    assert_eq!(of(&linked).as_str(), "0.86.2");
}

#[test]
fn an_installed_crate_tells_its_version_by_its_programs() {
    let place = tempfile::tempdir().unwrap();
    let agent = program(&place.path().join("bin/ox"), "#!/bin/sh\n");
    let text = r#"{"installs":{"other 9.0.0 (registry+x)":{"bins":["other"]},"ox-agent 1.4.2 (registry+x)":{"bins":["fox","ox"]}}}"#;
    std::fs::write(place.path().join(".crates2.json"), text).unwrap();
    assert_eq!(of(&agent).as_str(), "1.4.2");
    std::fs::write(place.path().join(".crates2.json"), "{").unwrap();
    assert_eq!(of(&agent).as_str(), "unknown");
}

#[test]
fn a_debian_package_tells_its_version_only_if_it_holds_the_program() {
    let place = tempfile::tempdir().unwrap();
    let database = place.path();
    std::fs::create_dir(database.join("info")).unwrap();
    let status = "Package: agents\nStatus: install ok installed\nVersion: 9\n\nPackage: agent\nStatus: deinstall ok config-files\nVersion: 8\n\n\
        Package: agent\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.39-0+deb12u1~x\n";
    std::fs::write(database.join("status"), status).unwrap();
    let version = |path: &str| debian(Path::new(path), database);
    assert_eq!(version("/usr/bin/agent"), None);
    std::fs::write(database.join("info/agent:amd64.list"), "/.\n/bin\n/bin/agent\n").unwrap();
    assert_eq!(version("/usr/bin/agent").as_deref(), Some("1:2.39-0+deb12u1~x"));
    // Another file of that name is not the package's.
    assert_eq!(version("/usr/local/bin/agent"), None);
    assert_eq!(version("/usr/bin/agents"), None);
}
