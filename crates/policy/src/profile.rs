/// Names of the built-in profiles.
pub const BUILTIN: [&str; 2] = ["pilot", "regulated"];

/// The text of a built-in profile: a policy file like any other.
pub fn builtin(name: &str) -> Option<&'static str> {
    match name {
        "pilot" => Some(include_str!("../profiles/pilot.toml")),
        "regulated" => Some(include_str!("../profiles/regulated.toml")),
        _ => None,
    }
}

/// The reference of policy files in Markdown, printed from the tables that the reader checks against.
pub fn reference() -> String {
    let head = "# Policy files\n\nPrinted by `cargo run -p policy --example reference` from the tables that the reader checks against; \
        a test keeps the two equal.\n\nUnknown keys are refused, and everything that is wrong is reported at once with file, line and column. Sizes are whole \
        numbers of bytes or text such as `\"4 GiB\"`. Rule ids in refusals and in the evidence are the policy's name and the place of the rule, for \
        example `pilot/classes.personal`. The built-in profiles `pilot` and `regulated` are files of this kind.\n\n\
        `--upstream [BOUNDARY[@REGION]:]KIND=URL` names an upstream on the command line, where the policy accepts it. A local model that Bailiwick \
        runs itself (`local=file:/path`) counts as `on_prem`, everything else as `third_party` unless the user says otherwise.\n\n";
    format!("{head}{}", crate::document::reference(&crate::DOCUMENT))
}
