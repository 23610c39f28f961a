//! Calls to make of a list: for each line one that it allows, and its neighbours, which it does not.

use super::list::{Entry, Kind, Rule, Test};

/// Longest list of neighbours of one test.
const NEIGHBOURS_MAX: usize = 64;
/// What no call takes for a descriptor, an address or a size.
const NOTHING: u64 = u64::MAX;

/// A call with arguments.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) arguments: [u64; 6],
}

/// One harmless call for each allowance of a line: for a line with tests, one for each value.
pub(crate) fn allowed(entry: &Entry) -> Vec<Attempt> {
    let attempt = |arguments| Attempt { name: entry.name.clone(), arguments };
    match &entry.rule {
        Rule::When(alternatives, _) | Rule::Change(alternatives) if !alternatives.is_empty() => {
            let mut list = Vec::new();
            for tests in alternatives {
                for (place, test) in tests.iter().enumerate() {
                    let values: &[u32] = if test.kind == Kind::Is { &test.values } else { &[0] };
                    for value in values {
                        let mut arguments = holding(tests);
                        put(&mut arguments, &tests[place], *value);
                        list.push(attempt(arguments));
                        // The kernel does not look at the other half, and neither does the filter.
                        if test.kind != Kind::Null {
                            arguments[test.argument as usize] |= 1 << 32;
                            list.push(attempt(arguments));
                        }
                    }
                }
            }
            list.retain(|attempt| holds(alternatives, attempt.arguments));
            list
        }
        // Without flags: some ask for what the warden refuses.
        Rule::Word("Make") => vec![attempt([NOTHING, 0, 0, 0, 0, 0])],
        Rule::Open(Some(flags)) => {
            let mut path = [NOTHING; 6];
            path[*flags as usize] = 0;
            vec![attempt(path)]
        }
        Rule::Word(_) | Rule::Open(None) | Rule::When(..) | Rule::Change(_) => vec![attempt([NOTHING; 6])],
    }
}

/// The same call with arguments beside the allowed ones.
pub(crate) fn neighbours(entry: &Entry) -> Vec<Attempt> {
    let (Rule::When(alternatives, _) | Rule::Change(alternatives)) = &entry.rule else { return Vec::new() };
    let mut list = Vec::new();
    for tests in alternatives {
        for test in tests {
            for (place, value) in beside(test).into_iter().enumerate() {
                let mut arguments = holding(tests);
                put(&mut arguments, test, value);
                list.push(arguments);
                if place == 0 {
                    arguments[test.argument as usize] |= 1 << 32;
                    list.push(arguments);
                }
            }
        }
    }
    list.retain(|arguments| !holds(alternatives, *arguments));
    list.into_iter().map(|arguments| Attempt { name: entry.name.clone(), arguments }).collect()
}

/// Arguments for which every test holds.
fn holding(tests: &[Test]) -> [u64; 6] {
    let mut arguments = [NOTHING; 6];
    for test in tests {
        let value = if test.kind == Kind::Is { test.values[0] } else { 0 };
        put(&mut arguments, test, value);
    }
    arguments
}

fn put(arguments: &mut [u64; 6], test: &Test, value: u32) {
    arguments[test.argument as usize] = u64::from(value);
}

fn beside(test: &Test) -> Vec<u32> {
    let mut values: Vec<u32> = match test.kind {
        Kind::Null => vec![1],
        Kind::Is => test.values.iter().flat_map(|value| [value.wrapping_add(1), value.wrapping_sub(1), value | 1 << 31]).collect(),
    };
    values.extend((0..32).filter(|_| test.kind == Kind::Is).map(|bit| test.values[0] ^ 1 << bit));
    values.sort_unstable();
    values.dedup();
    values.truncate(NEIGHBOURS_MAX);
    values
}

/// Whether a line lets the arguments through.
fn holds(alternatives: &[Vec<Test>], arguments: [u64; 6]) -> bool {
    let low = |argument: u32| u32::try_from(arguments[argument as usize] & u64::from(u32::MAX)).unwrap();
    let one = |test: &Test| match test.kind {
        Kind::Is => test.values.contains(&(low(test.argument) & test.mask)),
        Kind::Null => arguments[test.argument as usize] == 0,
    };
    alternatives.iter().any(|tests| tests.iter().all(one))
}
