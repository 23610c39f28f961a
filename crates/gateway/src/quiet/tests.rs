use std::process::Command;

#[test]
fn a_crash_does_not_quote_what_it_stumbled_over() {
    let test = std::env::current_exe().unwrap();
    let output = Command::new(test).args(["--ignored", "--nocapture", "--exact", "quiet::tests::crash"]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("the gateway crashed at") && !said.contains("planted"), "{said}");
}

#[test]
#[ignore = "runs inside of a_crash_does_not_quote_what_it_stumbled_over"]
fn crash() {
    let crashed = std::thread::spawn(|| {
        super::this_thread();
        let text = "planted \u{fc}".to_owned();
        text.split_at(9).0.len()
    });
    assert!(crashed.join().is_err());
}
