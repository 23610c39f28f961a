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
