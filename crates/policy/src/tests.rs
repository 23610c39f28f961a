use crate::{BUILTIN, Policy, builtin};

#[test]
fn every_builtin_profile_is_a_policy() {
    for name in BUILTIN {
        let text = builtin(name).expect("it is built in");
        let policy = Policy::parse(name, text).unwrap_or_else(|errors| panic!("{errors:#?}"));
        assert_eq!(policy.profile().as_str(), name);
        assert_eq!(policy.digest_input(), text);
    }
}
