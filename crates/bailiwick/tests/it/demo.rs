use crate::place::{Place, stderr};

#[test]
fn the_demo_finds_everything_as_it_should_be() {
    let place = Place::new();
    let output = place.bailiwick(&["demo", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}\n{}", stderr(&output), crate::place::stdout(&output));
    let story: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(story["model"].as_str().unwrap().starts_with("echo"), "{}", story["model"]);
    assert!(story["attempts"].as_array().unwrap().len() >= 12);
    assert!(story["attempts"].as_array().unwrap().iter().all(|attempt| attempt["succeeded"] == false));
    let redacted = &story["reports"][0]["redacted"];
    for kind in ["iban", "card", "email", "phone", "api_key", "de_steuer_id"] {
        assert!(redacted[kind].as_u64() >= Some(1), "{kind} in {redacted}");
    }
    // Twice in a row.
    assert!(place.bailiwick(&["demo"]).output().unwrap().status.success());
}

#[test]
fn a_folder_that_is_there_is_not_taken() {
    let place = Place::new();
    let taken = place.path("documents");
    assert_eq!(place.bailiwick(&["demo", "--keep", taken.to_str().unwrap()]).output().unwrap().status.code(), Some(3));
}
