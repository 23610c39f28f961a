use super::form;
use crate::plan::Calls;
use crate::seccomp::{Rule, Table};

#[test]
fn every_call_that_changes_something_has_a_form_and_no_other() {
    let formed: Vec<i64> = form::numbers().collect();
    let table = Table::new(&Calls::default()).unwrap();
    for number in 0..1024_i32 {
        let is_change = matches!(table.rule(number), Some(Rule::Change(_)));
        assert_eq!(is_change, formed.contains(&i64::from(number)), "{number}");
    }
    let mut once = formed.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), formed.len());
}
