use policy::document::{Key, Presence, Section, Shape};
use policy::{DOCUMENT, Policy, WALLS, reference};

#[test]
fn the_printed_reference_is_the_one_in_the_docs() {
    let kept = include_str!("../../../../docs/reference/policy.md");
    assert_eq!(kept, reference(), "run `cargo run -p policy --example reference > docs/reference/policy.md`");
}

#[test]
fn defaults_in_the_reference_are_the_readers_defaults() {
    let minimal = "version = 1\nprofile = \"p\"\n[[purpose]]\nid = \"x\"\n";
    let mut spelled = "version = 1\nprofile = \"p\"\npurpose = [{ id = \"x\" }]\n".to_owned();
    for (path, key) in defaults("", &DOCUMENT) {
        let Presence::Default(value) = key.presence else { continue };
        spelled.extend([path.as_str(), key.name, " = ", value, "\n"]);
    }
    assert!(spelled.contains("session.limits.memory_bytes_max"), "the defaults were found: {spelled}");
    let short = Policy::parse("minimal", minimal).expect("it is right");
    let long = Policy::parse("spelled", &spelled).unwrap_or_else(|errors| panic!("{errors:#?}"));
    // Whether the rule about programs is there is told apart, since its absence is warned of.
    let (mut short, long) = (short.session().clone(), long.session());
    assert!(!short.programs.is_stated && long.programs.is_stated);
    short.programs.is_stated = true;
    assert_eq!(&short, long);
}

/// Keys with a default in tables that stand alone.
fn defaults(path: &str, section: &'static Section) -> Vec<(String, &'static Key)> {
    let mut found = Vec::new();
    for key in section.keys {
        if let Shape::Table(below) = key.shape {
            found.extend(defaults(&format!("{path}{}.", key.name), below));
        } else {
            found.push((path.to_owned(), key));
        }
    }
    found
}

#[test]
fn walls_are_named_once() {
    let mut names = WALLS.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), WALLS.len());
}
