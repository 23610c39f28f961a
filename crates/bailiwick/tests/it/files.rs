use crate::place::{Place, stdout};

#[test]
fn nothing_outside_is_read_or_written_and_the_attempts_are_on_record() {
    let place = Place::new();
    let elsewhere = place.path("elsewhere");
    std::fs::write(elsewhere.join("id_ed25519"), "PRIVATE").unwrap();
    std::os::unix::fs::symlink(elsewhere.join("id_ed25519"), place.path("workspace").join("link")).unwrap();
    let outside = elsewhere.display();
    let script = format!(
        "exec 2>&1; cat /home/somebody/.ssh/id_ed25519; cat {outside}/id_ed25519; cat link; echo x > {outside}/new; echo x > /etc/cron.d/bailiwick-it; echo x >> {outside}/id_ed25519; ln {outside}/id_ed25519 hard; cat /proc/1/root{outside}/id_ed25519; true"
    );
    let output = place.run(&["--upstream", "echo"], &script);
    assert!(!stdout(&output).contains("PRIVATE"));
    assert_eq!(std::fs::read_to_string(elsewhere.join("id_ed25519")).unwrap(), "PRIVATE");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 1);
    assert!(!std::path::Path::new("/etc/cron.d/bailiwick-it").exists());
    assert!(place.acts_of("file_refused").len() >= 2, "{:?}", place.acts());
    // A path never stands in the record, only its keyed digest.
    assert!(!format!("{:?}", place.acts()).contains("id_ed25519"));
    assert!(place.verifies());
}

#[test]
fn documents_are_read_only_and_reading_them_is_on_record() {
    let place = Place::new();
    let documents = place.path("documents");
    std::fs::write(documents.join("kyc.txt"), "words").unwrap();
    let folder = documents.display();
    let script = format!(
        "exec 2>&1; cat {folder}/kyc.txt; echo x > {folder}/kyc.txt; rm {folder}/kyc.txt; touch {folder}/new; mv {folder}/kyc.txt .; echo; echo done > result"
    );
    let output = place.run(&["--upstream", "echo"], &script);
    assert!(stdout(&output).starts_with("words"));
    assert_eq!(std::fs::read_to_string(documents.join("kyc.txt")).unwrap(), "words");
    assert_eq!(std::fs::read_dir(&documents).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(place.path("workspace").join("result")).unwrap(), "done\n");
    let report = place.bailiwick(&["evidence", "report", "--json", "--names", documents.to_str().unwrap()]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
    let names: Vec<_> = report["files_read"].as_array().unwrap().iter().filter_map(|file| file["name"].as_str()).collect();
    assert!(names.contains(&documents.join("kyc.txt").to_str().unwrap()), "{names:?}");
    assert_eq!(report["file_observation"], "seccomp-addfd");
}

#[test]
fn what_was_read_before_a_call_stands_with_the_call() {
    let place = Place::new();
    std::fs::write(place.path("documents").join("a.txt"), "a").unwrap();
    let ask = r#"perl -e 'use Socket; socket(S, AF_INET, 1, 0); connect(S, pack_sockaddr_in(4180, inet_aton("127.0.0.1"))); my $b = q({"model":"m","messages":[{"role":"user","content":"hello"}]}); syswrite(S, "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:4180\r\nconnection: close\r\ncontent-length: " . length($b) . "\r\n\r\n$b"); while (sysread(S, my $got, 4096)) {}'"#;
    let script = format!("cat {}/a.txt; {ask}; {ask}", place.path("documents").display());
    place.run(&["--upstream", "echo"], &script);
    let calls = place.acts_of("llm_call");
    assert_eq!(calls.len(), 2, "{:?}", place.acts());
    assert!(!calls[0]["file_reads"].as_array().unwrap().is_empty());
    // perl was read before; nothing new was read for the second call.
    assert!(calls[1]["file_reads"].as_array().unwrap().len() < calls[0]["file_reads"].as_array().unwrap().len());
    assert_eq!(calls[0]["verdict"], "ok");
}

/// Git, on the host, for a workspace.
fn git(place: &Place, args: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    command.args(["-c", "user.name=n", "-c", "user.email=n@bank.example", "-c", "safe.directory=*"]).args(args);
    let output = command.current_dir(place.path("workspace")).env("HOME", place.path("elsewhere")).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    stdout(&output)
}

#[test]
fn work_on_a_repository_goes_on_and_its_hooks_and_settings_stay() {
    let place = Place::new();
    let workspace = place.path("workspace");
    git(&place, &["init", "--quiet"]);
    std::fs::write(workspace.join("file"), "one\n").unwrap();
    git(&place, &["add", "."]);
    git(&place, &["commit", "--quiet", "-m", "one"]);
    let config = std::fs::read(workspace.join(".git/config")).unwrap();
    let hooks = std::fs::read_dir(workspace.join(".git/hooks")).unwrap().count();
    let script = "exec 2>&1; git checkout -q -b topic && echo two >> file && git commit -qam two && echo three >> file && git stash -q && git stash pop -q \
        && git checkout -q file && git gc -q && git tag t && git branch other && git branch -d other && mkdir d && git mv file d/file && git commit -qm moved && echo worked; \
        git config core.hooksPath evil || echo config refused; git init -q sub || echo init refused; git init -q /tmp/own && git -C /tmp/own config a.b c && echo own worked; \
        echo x > .git/hooks/pre-commit; mkdir .vscode; echo x > .VSCode; mkdir -p .claude/hooks; echo x > .envrc; echo x > .mcp.json; mv .git g; ln -s /tmp/own/.git d/.git; cp -r /tmp/own d/own; true";
    let output = place.run(&["--upstream", "echo"], script);
    let said = stdout(&output);
    for line in ["worked", "config refused", "init refused", "own worked"] {
        assert!(said.lines().any(|one| one == line), "{line}: {said}");
    }
    assert_eq!(git(&place, &["log", "--format=%an %s", "topic"]), "agent moved\nagent two\nn one\n");
    git(&place, &["fsck", "--strict"]);
    assert_eq!(std::fs::read(workspace.join(".git/config")).unwrap(), config);
    assert_eq!(std::fs::read_dir(workspace.join(".git/hooks")).unwrap().count(), hooks);
    for name in [
        ".vscode",
        ".VSCode",
        ".claude/hooks",
        ".envrc",
        ".mcp.json",
        "g",
        "d/.git",
        "sub/.git/config",
        "d/own/.git/config",
        "d/own/.git/hooks",
    ] {
        assert!(workspace.join(name).symlink_metadata().is_err(), "{name}");
    }
    assert!(place.acts_of("file_refused").iter().filter(|act| act["path_class"] == "workspace" && act["errno"] == "EACCES").count() >= 8);
    assert!(place.verifies());
}

#[test]
fn secrets_of_the_workspace_are_masked() {
    let place = Place::new();
    let workspace = place.path("workspace");
    std::fs::create_dir(workspace.join("app")).unwrap();
    std::fs::write(workspace.join("app/.env"), "export TOKEN=\"SECRET-VALUE\"\nPLAIN=SECRET-TOO\n").unwrap();
    std::fs::write(workspace.join("app/.env.example"), "TOKEN=example\n").unwrap();
    std::fs::write(workspace.join("id_ed25519"), "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET-KEY\n").unwrap();
    let script = "exec 2>&1; cat app/.env app/.env.example id_ed25519; cat app/.env > copy; cat copy; ln id_ed25519 k; mv id_ed25519 k; echo x >> app/.env; rm app/.env; mv app moved; \
        cat moved/.env k; grep -r SECRET . ; . ./app/.env; echo $TOKEN; true";
    let said = stdout(&place.run(&["--upstream", "echo"], script));
    assert!(
        said.starts_with("export TOKEN=masked-by-bailiwick\nPLAIN=masked-by-bailiwick\nTOKEN=example\nmasked by Bailiwick: a key"),
        "{said}"
    );
    assert!(!said.contains("SECRET"), "{said}");
    assert_eq!(std::fs::read_to_string(workspace.join("app/.env")).unwrap(), "export TOKEN=\"SECRET-VALUE\"\nPLAIN=SECRET-TOO\n");
    assert!(std::fs::read_to_string(workspace.join("id_ed25519")).unwrap().contains("SECRET-KEY"));
    assert!(!std::fs::read_to_string(workspace.join("copy")).unwrap().contains("SECRET"));
}

#[test]
fn changed_names_are_on_record() {
    let place = Place::new();
    let script = "echo x > one; mv one two; ln two three; ln -s two four; chmod 700 two; rm three; mv nonesuch x 2>/dev/null; true";
    place.run(&["--upstream", "echo"], script);
    let changes: Vec<_> = place.acts_of("file_changed").iter().map(|act| act["change"].as_str().unwrap().to_owned()).collect();
    assert_eq!(changes, ["renamed_away", "renamed_here", "linked", "linked", "attributes", "removed"]);
    assert!(place.acts_of("file_changed").iter().all(|act| act["path_class"] == "workspace"));
    assert!(!format!("{:?}", place.acts()).contains("three"));
    assert!(place.verifies());
}
