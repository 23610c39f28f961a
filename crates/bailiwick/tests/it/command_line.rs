use crate::place::{Place, stderr, stdout};

#[test]
fn every_error_of_a_policy_is_listed_with_its_line() {
    let place = Place::new();
    let file = place.path("elsewhere").join("wrong.toml");
    std::fs::write(
        &file,
        "version = 1\nprofil = \"x\"\n[session]\ntrust_minimum = \"nobody\"\n[classes.personal]\nboundaries = [\"mars\"]\n",
    )
    .unwrap();
    let name = file.to_str().unwrap();
    let output = place.bailiwick(&["policy", "check", name]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for line in [2, 4, 6] {
        assert!(stderr(&output).contains(&format!("{name}:{line}:")), "{}", stderr(&output));
    }
    let output = place.bailiwick(&["policy", "check", "--json", name]).output().unwrap();
    let checked: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["valid"], false);
    assert!(checked["errors"].as_array().unwrap().len() >= 3);
}

#[test]
fn built_in_profiles_are_valid_and_can_be_printed() {
    let place = Place::new();
    for profile in ["pilot", "regulated"] {
        assert!(place.bailiwick(&["policy", "check", profile]).output().unwrap().status.success());
        assert!(stdout(&place.bailiwick(&["policy", "show", profile]).output().unwrap()).contains(&format!("profile = \"{profile}\"")));
    }
}

#[test]
fn a_dry_run_starts_nothing() {
    let place = Place::new();
    let output = place.bailiwick(&["run", "--dry-run", "--upstream", "echo", "--", "sh"]).output().unwrap();
    assert!(output.status.success());
    assert!(stdout(&output).contains("nothing was started"));
    assert_eq!(std::fs::read_dir(place.path("state")).unwrap().count(), 0);
}

#[test]
fn the_doctor_says_whether_sessions_can_start() {
    let place = Place::new();
    let output = place.bailiwick(&["doctor", "--json"]).output().unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(findings["walls"].as_array().unwrap().len(), 16);
    assert_eq!(output.status.code(), Some(i32::from(findings["sessions_can_start"] != true)));
}

#[test]
fn completions_and_man_pages_are_made() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&place.bailiwick(&["completions", shell]).output().unwrap()).contains("evidence"));
    }
    let folder = place.path("elsewhere").join("man");
    assert!(place.bailiwick(&["man", folder.to_str().unwrap()]).output().unwrap().status.success());
    assert!(folder.join("bailiwick-run.1").exists());
}

#[test]
fn a_standalone_gateway_refuses_who_shows_no_token() {
    let place = Place::new();
    let config = place.path("elsewhere").join("gateway.toml");
    std::fs::write(&config, "version = 1\nlisten = \"0.0.0.0:80\"\n").unwrap();
    let output = place.bailiwick(&["gateway", "--check", "--config", config.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("gateway.toml:2:"), "{}", stderr(&output));
}
