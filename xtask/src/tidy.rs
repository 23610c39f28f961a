//! The rules of the house, each a function from what the repository holds to what is wrong with it.
mod conduct;
mod functions;
mod hygiene;
mod packages;
mod report;
mod repository;
mod rooms;
mod shape;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use report::Report;
pub(crate) use repository::Repository;

/// Every rule, in the order in which its meters are printed.
const RULES: &[fn(&Repository, &mut Report)] = &[
    shape::file_sizes,
    functions::long_functions,
    functions::identical_bodies,
    rooms::dependency_table,
    rooms::library_walls,
    rooms::depth,
    shape::largest_share,
    shape::test_ratio,
    shape::names,
    conduct::unit_tests_apart,
    conduct::unsafe_stays_home,
    conduct::no_panics,
    conduct::crate_docs,
    conduct::lints_are_inherited,
    packages::budgets,
    packages::duplicates,
    packages::licences,
    packages::sources,
    packages::justifications,
    packages::weakening,
    hygiene::machine_paths,
    hygiene::registry_hosts,
    hygiene::figures,
];

/// Runs every rule.
pub(crate) fn check(repository: &Repository) -> Report {
    let mut report = Report::default();
    for rule in RULES {
        rule(repository, &mut report);
    }
    report
}
