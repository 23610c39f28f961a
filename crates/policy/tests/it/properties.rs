use crate::calls::{Content, decided, subject};
use policy::{Decision, Policy};
use proptest::prelude::*;
use schema::{Boundary, DataClass, DataClasses, Trust};

/// A policy with any rule for any class and a few upstreams anywhere.
fn policies() -> impl Strategy<Value = Policy> {
    let boundaries = || proptest::sample::subsequence(Boundary::ALL.to_vec(), 0..=4);
    let rule = (proptest::option::of(boundaries()), proptest::option::of(Just("eu")));
    let upstream =
        (proptest::sample::select(Boundary::ALL.to_vec()), proptest::option::of(proptest::sample::select(vec!["eu", "us"])), any::<bool>());
    (boundaries(), proptest::collection::vec(rule, 8), proptest::collection::vec(upstream, 0..5)).prop_map(|(general, rules, upstreams)| {
        let mut text = format!("version = 1\nprofile = \"p\"\n[session]\ntrust_minimum = \"self\"\npurpose_required = false\n[classes.general]\nboundaries = {}\n", list(&general));
        for (class, (boundaries, region)) in DataClass::ALL.into_iter().zip(rules) {
            let Some(boundaries) = boundaries.filter(|_| class != DataClass::Credential) else { continue };
            text.extend([format!("[classes.{}]\nboundaries = {}\n", class.name(), list(&boundaries))]);
            text.extend(region.map(|region| format!("regions = [\"{region}\"]\n")));
        }
        for (number, (boundary, region, pseudonymised)) in upstreams.into_iter().enumerate() {
            let boundary = boundary.name();
            text.extend([format!("[[upstream]]\nname = \"u{number}\"\nkind = \"echo\"\nboundary = \"{boundary}\"\naccepts_pseudonymised = {pseudonymised}\n")]);
            text.extend(region.map(|region| format!("region = \"{region}\"\n")));
        }
        Policy::parse("generated", &text).unwrap_or_else(|errors| panic!("{text}\n{errors:#?}"))
    })
}

fn list(boundaries: &[Boundary]) -> String {
    format!("{:?}", boundaries.iter().map(|boundary| boundary.name()).collect::<Vec<_>>())
}

fn classes() -> impl Strategy<Value = DataClasses> {
    proptest::sample::subsequence(DataClass::ALL.to_vec(), 0..=8).prop_map(|classes| classes.into_iter().collect())
}

/// Place of the route among the upstreams; `None` if refused.
fn place(policy: &Policy, left: DataClasses, masked: usize) -> Option<usize> {
    match decided(policy, &subject(Trust::SelfKept, None), Content { left, masked }) {
        Decision::Allow(cleared) | Decision::Redact(cleared) => policy.upstreams().iter().position(|upstream| upstream == cleared.route()),
        Decision::Hold(_) | Decision::Deny(_) => None,
    }
}

proptest! {
    #[test]
    fn an_unmasked_credential_goes_nowhere(policy in policies(), classes in classes(), masked in 0_usize..3) {
        prop_assert_eq!(place(&policy, classes.union(DataClasses::only(DataClass::Credential)), masked), None);
    }

    /// The first upstream that accepts more classes also accepts fewer, so it never comes earlier.
    #[test]
    fn another_class_never_widens_the_routes(policy in policies(), classes in classes(), more in classes(), masked in 0_usize..3) {
        if let Some(with_more) = place(&policy, classes.union(more), masked) {
            let without = place(&policy, classes, masked);
            prop_assert!(without.is_some_and(|without| without <= with_more), "{without:?} but with more classes {with_more}");
        }
    }

    #[test]
    fn masking_less_never_widens_the_routes(policy in policies(), classes in classes()) {
        if let Some(unmasked) = place(&policy, classes, 0) {
            prop_assert!(place(&policy, classes, 1).is_some_and(|masked| masked <= unmasked));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_places(text in "(?s)[a-z\\[\\]=\"'\n #.{},0-9é]{0,200}") {
        if let Err(errors) = Policy::parse("any", &text) {
            prop_assert!(!errors.is_empty() && errors.iter().all(|error| error.line >= 1 && error.column >= 1));
        }
    }
}
