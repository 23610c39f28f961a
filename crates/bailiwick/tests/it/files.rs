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
