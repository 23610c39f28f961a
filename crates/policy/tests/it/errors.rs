use policy::Policy;

/// Every error of a thoroughly wrong policy, in the file's order. To accept a changed message, copy the output over the file.
#[test]
fn all_errors_are_reported_at_once_with_their_places() {
    let errors = Policy::parse("wrong.toml", include_str!("documents/wrong.toml")).expect_err("nearly every line is wrong");
    let lines = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n") + "\n";
    assert_eq!(lines, include_str!("documents/wrong.txt"), "now:\n{lines}");
    assert!(!lines.contains("sk-not-a-real-key"), "a secret in a wrong place is never repeated");
}
