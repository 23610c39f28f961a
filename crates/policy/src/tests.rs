use crate::{BUILTIN, Policy, SessionRules, builtin};

#[test]
fn every_builtin_profile_is_a_policy() {
    for name in BUILTIN {
        let text = builtin(name).expect("it is built in");
        let policy = Policy::parse(name, text).unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert_eq!(policy.profile().as_str(), name);
        assert_eq!(policy.digest_input(), text);
    }
}

#[test]
fn a_policy_that_does_not_say_guards_what_pilot_guards() {
    let silent = Policy::parse("silent", "version = 1\nprofile = \"p\"\n[session]\npurpose_required = false\n").unwrap();
    let pilot = Policy::parse("pilot", builtin("pilot").unwrap()).unwrap();
    assert_eq!(silent.session().files, pilot.session().files);
    assert!(!pilot.session().files.protected.is_empty() && !pilot.session().files.masked.is_empty());
}

#[test]
fn regulated_guards_at_least_what_pilot_guards() {
    let [pilot, regulated] = ["pilot", "regulated"].map(|name| Policy::parse(name, builtin(name).unwrap()).unwrap());
    let covers = |list: fn(&SessionRules) -> &Vec<schema::PathPattern>| {
        let (more, less) = (list(regulated.session()), list(pilot.session()));
        less.iter().all(|pattern| more.contains(pattern))
    };
    assert!(covers(|rules| &rules.files.protected));
    assert!(covers(|rules| &rules.files.hidden));
    assert!(covers(|rules| &rules.files.masked));
}
