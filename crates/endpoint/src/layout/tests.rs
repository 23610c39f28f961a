use super::*;
use crate::{Account, Directories, ModelCommand};
use policy::{KeySource, Policy, Upstream};
use schema::Token;

fn spec(place: &Path) -> SessionSpec {
    for folder in ["home/project", "network-home/project", "documents", "state/bailiwick"] {
        std::fs::create_dir_all(place.join(folder)).unwrap();
    }
    SessionSpec {
        policy: Policy::parse("pilot", policy::builtin("pilot").unwrap()).unwrap(),
        policy_file: None,
        purpose: None,
        account: Account { name: Token::lossy("maria"), home: Some(place.join("home")) },
        home: Some(place.join("network-home")),
        command: vec!["sh".into(), "-c".into(), "true".into()],
        workspace: place.join("home/project"),
        stage: false,
        progress: |_, _| {},
        documents: vec![place.join("documents")],
        programs: Vec::new(),
        environment: vec![("OPENAI_API_KEY".into(), "mine".into())],
        search_path: "/usr/bin:/bin".into(),
        locale: vec![("LANG".into(), "C.UTF-8".into())],
        directories: Directories { state: place.join("state/bailiwick") },
        model_command: ModelCommand { program: "/bin/false".into(), arguments: Vec::new(), environment: Vec::new() },
    }
}

fn program() -> Program {
    Program::find("sh".as_ref(), "/usr/bin:/bin".as_ref()).unwrap()
}

#[test]
fn folders_that_show_too_much_are_refused() {
    let keep = tempfile::tempdir().unwrap();
    let place = std::fs::canonicalize(keep.path()).unwrap();
    let refused = |change: &dyn Fn(&mut SessionSpec)| {
        let mut spec = spec(&place);
        change(&mut spec);
        Folders::resolve(&spec, &program()).is_err()
    };
    for path in [
        place.join("home"),
        place.clone(),
        PathBuf::from("/"),
        PathBuf::from("/etc"),
        place.join("state"),
        place.join("missing"),
        place.join("network-home"),
    ] {
        assert!(refused(&|spec| spec.workspace.clone_from(&path)), "{}", path.display());
        assert!(refused(&|spec| spec.documents = vec![path.clone()]), "{}", path.display());
    }
    assert!(refused(&|spec| spec.workspace = place.join("state/bailiwick")));
    assert!(refused(&|spec| spec.documents = vec![place.join("home/project")]));
    assert!(refused(&|spec| spec.programs = vec![place.join("home")]));
    std::os::unix::fs::symlink(place.join("home"), place.join("link")).unwrap();
    assert!(refused(&|spec| spec.workspace = place.join("link")));
}

#[test]
fn what_an_agent_wrote_in_the_workspace_shows_no_other_folder() {
    let keep = tempfile::tempdir().unwrap();
    let place = std::fs::canonicalize(keep.path()).unwrap();
    let mut spec = spec(&place);
    let workspace = place.join("home/project");
    let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, workspace.join(name)).unwrap();
    for folder in ["other", "project-papers", "home/project/papers", "home/project/real"] {
        std::fs::create_dir_all(place.join(folder)).unwrap();
    }
    link(&place.join("other"), "link");
    link(&place, "up");
    link(Path::new("papers"), "near");
    std::os::unix::fs::symlink(workspace.join("link"), place.join("hop")).unwrap();
    for (path, is_shown) in [
        (workspace.join("link"), false),
        (workspace.join("up/other"), false),
        (workspace.join("real/../up/other"), false),
        (place.join("hop"), false),
        (workspace.join("near"), true),
        (workspace.join("papers"), true),
        (workspace.join("../../project-papers"), true),
        (place.join("other"), true),
    ] {
        spec.documents = vec![path.clone()];
        assert_eq!(Folders::resolve(&spec, &program()).is_ok(), is_shown, "{}", path.display());
    }
}

#[test]
fn a_program_in_the_workspace_brings_nothing_from_elsewhere_but_python() {
    let keep = tempfile::tempdir().unwrap();
    let place = std::fs::canonicalize(keep.path()).unwrap();
    let mut spec = spec(&place);
    let executable = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    let workspace = place.join("home/project");
    let (deploy, python) = (place.join("other/bin/deploy"), place.join("base/bin/python3.11"));
    executable(&deploy, "#!/bin/sh\n");
    executable(&python, "");
    std::fs::create_dir_all(place.join("base/lib/python3.11")).unwrap();
    executable(&workspace.join("script"), &format!("#!{}\n", deploy.display()));
    executable(&workspace.join("by-env"), &format!("#!/usr/bin/env {}\n", deploy.display()));
    executable(&workspace.join("python-script"), &format!("#!{}\n", python.display()));
    executable(&workspace.join("plain"), "#!/bin/sh\n");
    std::os::unix::fs::symlink(&deploy, workspace.join("link")).unwrap();
    for (name, is_shown) in [("script", false), ("by-env", false), ("link", false), ("python-script", true), ("plain", true)] {
        let program = Program::find(workspace.join(name).as_os_str(), "/usr/bin:/bin".as_ref()).unwrap();
        assert_eq!(Folders::resolve(&spec, &program).is_ok(), is_shown, "{name}");
    }
    spec.programs = vec![place.join("other/bin")];
    let program = Program::find(workspace.join("script").as_os_str(), "/usr/bin:/bin".as_ref()).unwrap();
    assert!(Folders::resolve(&spec, &program).is_ok());
}

#[test]
fn documents_inside_of_the_workspace_are_laid_after_it_and_read_only() {
    let keep = tempfile::tempdir().unwrap();
    let place = std::fs::canonicalize(keep.path()).unwrap();
    let mut spec = spec(&place);
    std::fs::create_dir(place.join("home/project/papers")).unwrap();
    spec.documents = vec![place.join("home/project/papers")];
    let mounts = Folders::resolve(&spec, &program()).unwrap().mounts();
    let last: Vec<_> = mounts.iter().rev().take(2).map(|mount| (mount.target.clone(), mount.access)).collect();
    assert_eq!(last, [(place.join("home/project/papers"), Access::ReadOnly), (place.join("home/project"), Access::ReadWrite)]);
}

#[test]
fn the_environment_holds_only_what_is_named() {
    let keep = tempfile::tempdir().unwrap();
    let spec = spec(&std::fs::canonicalize(keep.path()).unwrap());
    let list = environment(&spec, &program(), &SessionId::from_random([1; 16]));
    let of = |name: &str| list.iter().filter(|(key, _)| key == name).map(|(_, value)| value.to_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(of("OPENAI_API_KEY"), ["mine"]);
    assert_eq!(of("ANTHROPIC_BASE_URL"), ["http://127.0.0.1:4180"]);
    assert_eq!(of("HOME"), [HOME]);
    assert!(of("CARGO_MANIFEST_DIR").is_empty());
}

#[test]
fn an_upstreams_key_is_never_shown_to_the_agent() {
    let keep = tempfile::tempdir().unwrap();
    let place = std::fs::canonicalize(keep.path()).unwrap();
    let with_key = |key: KeySource| {
        let mut spec = spec(&place);
        let upstream = Upstream::parse_argument("openai=https://models.example/v1").unwrap().with_key(key);
        spec.policy = spec.policy.with_user_upstream(upstream).unwrap();
        Folders::resolve(&spec, &program())
    };
    std::fs::create_dir_all(place.join("elsewhere")).unwrap();
    for folder in ["home/project", "documents", "elsewhere"] {
        std::fs::create_dir_all(place.join(folder)).unwrap();
        std::fs::write(place.join(folder).join("key"), "x").unwrap();
    }
    std::os::unix::fs::symlink(place.join("home/project/key"), place.join("elsewhere/link")).unwrap();
    for path in ["home/project/key", "documents/key", "elsewhere/link"] {
        assert!(matches!(with_key(KeySource::File(place.join(path))), Err(Error::Path { .. })), "{path}");
    }
    assert!(with_key(KeySource::File(place.join("elsewhere/key"))).is_ok());
    // The agent is given OPENAI_API_KEY by this user.
    assert!(matches!(with_key(KeySource::Variable("OPENAI_API_KEY".into())), Err(Error::KeyShown { .. })));
    assert!(with_key(KeySource::Variable("VENDOR_KEY".into())).is_ok());
}
