use crate::{run, text};

#[test]
fn nothing_of_the_host_is_read_or_written_outside_the_plan() {
    let secret = tempfile::tempdir().unwrap();
    let key = secret.path().join("id_ed25519");
    std::fs::write(&key, "PRIVATE").unwrap();
    let path = key.display();
    let output = run(&[], &format!("exec 2>&1; cat {path}; echo x > {path}; cat /proc/1/root{path}; cat /proc/self/root{path}; true"));
    assert!(!text(&output).contains("PRIVATE"));
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "PRIVATE");
}

#[test]
fn shared_folders_of_the_host_stay_apart() {
    let name = format!("bailiwick-test-{}", std::process::id());
    let output =
        run(&[], &format!("touch /tmp/{name} /dev/shm/{name} /home/agent/{name} && ls /tmp; touch /usr/{name} /{name} /etc/{name}"));
    assert_eq!(text(&output), format!("{name}\n"));
    for folder in ["/tmp", "/dev/shm", "/usr", "/", "/etc"] {
        assert!(!std::path::Path::new(folder).join(&name).exists(), "{folder}");
    }
}

#[test]
fn a_read_only_mount_is_read_only_and_a_link_out_of_it_leads_nowhere() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "PRIVATE").unwrap();
    let documents = tempfile::tempdir().unwrap();
    std::fs::write(documents.path().join("paper"), "words").unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), documents.path().join("link")).unwrap();
    let folder = documents.path().display();
    let output = run(
        &[&format!("ro={folder}")],
        &format!(
            "exec 2>&1; cat {folder}/link; echo x > {folder}/paper; rm {folder}/paper; chmod 777 {folder}/paper; touch {folder}/new; cat {folder}/paper"
        ),
    );
    assert!(text(&output).ends_with("words"));
    assert!(!text(&output).contains("PRIVATE"));
    assert_eq!(std::fs::read_to_string(documents.path().join("paper")).unwrap(), "words");
    assert_eq!(std::fs::read_dir(documents.path()).unwrap().count(), 2);
}

#[test]
fn a_writable_mount_is_written() {
    let workspace = tempfile::tempdir().unwrap();
    let folder = workspace.path().display();
    let output = run(&[&format!("rw={folder}")], &format!("echo done > {folder}/result"));
    assert!(output.status.success());
    assert_eq!(std::fs::read_to_string(workspace.path().join("result")).unwrap(), "done\n");
}

#[test]
fn kernel_settings_and_devices_of_the_host_are_not_changed() {
    let mode = || std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata("/dev/null").unwrap().permissions());
    let before = (std::fs::read("/proc/sys/kernel/core_pattern").unwrap(), mode());
    run(&[], "echo x > /proc/sys/kernel/core_pattern; chmod 600 /dev/null; echo 1 > /proc/sysrq-trigger");
    assert_eq!((std::fs::read("/proc/sys/kernel/core_pattern").unwrap(), mode()), before);
}
