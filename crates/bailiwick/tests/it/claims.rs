//! A workspace belongs to one session at a time.

use crate::place::{Place, stderr, stdout};
use crate::processes::{sleeping, until_gone};
use std::process::{Child, Output};

fn assert_in_use(output: &Output, holder: &str) {
    let said = stderr(output);
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(125), ""), "{said}");
    assert!(said.contains("session.workspace_in_use: ") && said.contains(holder) && said.contains("--stage"), "{said}");
}

/// The id of the only session on record.
fn id(place: &Place) -> String {
    place.log().file_name().unwrap().to_str().unwrap().to_owned()
}

fn end(mut child: Child, mark: &str) {
    child.kill().unwrap();
    child.wait().unwrap();
    until_gone(mark);
}

#[test]
fn a_second_session_in_a_workspace_or_one_around_or_inside_it_is_refused_and_told_who_holds_it() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("workspace").join("inner/deep")).unwrap();
    std::os::unix::fs::symlink(place.path("workspace").join("inner/deep"), place.path("elsewhere").join("way")).unwrap();
    let mark = format!("87{}", std::process::id());
    let inner = place.path("workspace").join("inner");
    let mut first =
        place.bailiwick(&["run", "--workspace", inner.to_str().unwrap(), "--", "sh", "-c", &format!("echo up; exec sleep {mark}")]);
    let mut first = first.stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(first.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
    let holder = id(&place);
    for folder in ["workspace", "workspace/inner", "workspace/inner/deep", "elsewhere/way"] {
        for options in [&[][..], &["--stage"]] {
            let folder = place.path(folder);
            let workspace = ["run", "--workspace", folder.to_str().unwrap()];
            let output = place.bailiwick(&[&workspace, options, &["--", "echo", "ran"]].concat()).output().unwrap();
            assert_in_use(&output, &holder);
        }
    }
    // One beside it is free.
    let output = place.bailiwick(&["run", "--workspace", place.path("documents").to_str().unwrap(), "--", "echo", "ran"]).output().unwrap();
    assert_eq!(stdout(&output), "ran\n", "{}", stderr(&output));
    // A session that was killed holds nothing.
    end(first, &mark);
    assert_eq!(stdout(&place.run(&[], "echo ran")), "ran\n");
    assert_eq!(std::fs::read_dir(place.path("state").join("bailiwick/workspaces")).unwrap().count(), 1);
}

#[test]
fn a_rollback_waits_for_the_session_that_works_there() {
    let place = Place::new();
    std::fs::write(place.path("workspace").join("file"), "before").unwrap();
    assert!(place.run(&[], "echo after > file").status.success());
    let kept = id(&place);
    let mark = format!("88{}", std::process::id());
    let child = sleeping(&place, &mark);
    let rollback = || place.bailiwick(&["session", "rollback", "--yes", &kept]).output().unwrap();
    let output = rollback();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("session.workspace_in_use"), "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(place.path("workspace").join("file")).unwrap(), "after\n");
    end(child, &mark);
    assert!(rollback().status.success());
    assert_eq!(std::fs::read_to_string(place.path("workspace").join("file")).unwrap(), "before");
}

#[test]
fn staged_sessions_share_a_workspace_and_a_commit_waits_for_all_of_them() {
    let place = Place::new();
    if !place.run(&["--stage", "--keep"], "true").status.success() {
        println!("skipped: no overlay can be laid here");
        return;
    }
    let mark = format!("89{}", std::process::id());
    let mut first = place.session(&["--stage", "--keep"], &format!("echo up; exec sleep {mark}"));
    let mut first = first.stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Read::read_exact(first.stdout.as_mut().unwrap(), &mut [0; 3]).unwrap();
    let second = place.run(&["--stage", "--commit"], "echo new > file");
    assert!(stderr(&second).contains("session.workspace_in_use") && stderr(&second).contains("session commit"), "{}", stderr(&second));
    assert!(!place.path("workspace").join("file").exists());
    end(first, &mark);
    let said = stderr(&second);
    let waiting = said.split_whitespace().skip_while(|word| *word != "commit").nth(1).unwrap().to_owned();
    assert!(place.bailiwick(&["session", "commit", "--yes", &waiting]).output().unwrap().status.success());
    assert!(place.path("workspace").join("file").exists());
}
