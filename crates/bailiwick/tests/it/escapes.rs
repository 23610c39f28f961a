//! What an agent could prepare for the user or the next session; `docs/reference/escapes.md` lists which test stands for which class.

use crate::place::{Place, stderr, stdout, with_argument};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

#[test]
fn a_host_socket_in_the_workspace_or_the_documents_receives_nothing_and_the_attempt_is_on_record() {
    let place = Place::new();
    let sockets = ["workspace/engine.sock", "documents/engine.sock"].map(|name| place.path(name));
    let listeners = sockets.each_ref().map(|path| UnixListener::bind(path).unwrap());
    let connect =
        r#"use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, pack_sockaddr_un($_)) ? "connected\n" : "refused\n" for @ARGV"#;
    let script = format!("perl -e '{connect}' {} engine.sock {}", sockets[0].display(), sockets[1].display());
    assert_eq!(stdout(&place.run(&["--upstream", "echo"], &script)), "refused\n".repeat(3));
    for listener in listeners {
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    }
    let refused = place.acts_of("file_refused");
    for class in ["workspace", "documents"] {
        assert!(refused.iter().any(|act| act.to_string().contains(class)), "{class}: {refused:?}");
    }
}

#[test]
fn a_link_that_an_agent_left_does_not_widen_the_next_session() {
    let place = Place::new();
    std::fs::write(place.path("elsewhere").join("secret"), "PRIVATE").unwrap();
    let elsewhere = place.path("elsewhere");
    place.run(&["--upstream", "echo"], &format!("ln -s {} papers", elsewhere.display()));
    assert!(place.path("workspace/papers").is_symlink());
    let script = format!("cat papers/secret {}/secret", elsewhere.display());
    let output = place.run(&["--upstream", "echo", "--docs", "papers"], &script);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(125), ""));
    assert!(stderr(&output).contains("a link in the workspace"), "{}", stderr(&output));
    // Not shown unless asked for by its own path.
    assert_eq!(stdout(&place.run(&["--upstream", "echo"], &script)), "");
}

#[test]
fn a_script_that_an_agent_left_does_not_show_the_program_that_it_names() {
    let place = Place::new();
    let deploy = place.path("elsewhere").join("deploy.sh");
    std::fs::write(&deploy, "#!/bin/sh\n# PRIVATE\n").unwrap();
    std::fs::set_permissions(&deploy, PermissionsExt::from_mode(0o755)).unwrap();
    place.run(&["--upstream", "echo"], &format!("printf '#!{}\\n' > tool; chmod 755 tool", deploy.display()));
    let output = place.bailiwick(&["run", "--upstream", "echo", "--", "./tool"]).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("deploy.sh"), "{}", stderr(&output));
}

#[test]
fn a_folder_named_after_a_session_does_not_stand_for_its_record() {
    let place = Place::new();
    place.run(&["--upstream", "echo"], "mkdir $BAILIWICK_SESSION; echo forged > $BAILIWICK_SESSION/log.jsonl");
    let id = place.log().file_name().unwrap().to_str().unwrap().to_owned();
    assert!(place.path("workspace").join(&id).join("log.jsonl").exists());
    let output = place.bailiwick(&["evidence", "verify", &id]).output().unwrap();
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(place.bailiwick(&["evidence", "show", &id]).output().unwrap().status.success());
}

#[test]
fn hostile_names_stay_words_in_reports() {
    let place = Place::new();
    let script = r#"perl -e 'for my $name ("evil\e]0;owned\a\nFAKE", "raw\xff\xfe", "\xe2\x80\xaegnp.exe") { open(F, ">", $name) or die; print F "x"; open(F, "<", $name) or die } '"#;
    assert!(place.run(&["--upstream", "echo"], script).status.success());
    let workspace = place.path("workspace");
    for args in [&["evidence", "report", "--names"][..], &["evidence", "report", "--json", "--names"]] {
        let mut command = place.bailiwick(args);
        let said = command.arg(&workspace).output().unwrap().stdout;
        assert!(String::from_utf8_lossy(&said).contains("evil"));
        assert!(!said.contains(&0x1b) && !said.contains(&7));
        assert!(String::from_utf8_lossy(&said).lines().all(|line| !line.trim_start().starts_with("FAKE")));
        if !args.contains(&"--json") {
            assert!(!String::from_utf8_lossy(&said).contains('\u{202e}'), "{}", String::from_utf8_lossy(&said));
        }
    }
}

#[test]
fn what_a_session_uses_up_is_its_own() {
    let place = Place::new();
    // A private area full, every process number taken, many calls that wait: the record is whole, and the exit code the agent's.
    let mark = format!("83{}", std::process::id());
    let script = format!(
        "mkfifo /dev/shm/f; head -c 3000000000 /dev/zero > /run/full; perl -e 'for (1..2000) {{ my $child = fork; last unless defined $child; if (!$child) {{ open(F, \"<\", \"/dev/shm/f\"); exec \"sleep\", \"{mark}\" }} }} exit 0'; exit 7"
    );
    let output = place.run(&["--upstream", "echo"], &script);
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    assert_eq!(with_argument(&mark), 0);
    assert!(place.verifies());
}
