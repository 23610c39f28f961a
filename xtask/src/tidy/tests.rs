use super::repository::{Dependency, File, Package, packages};
use super::{Report, Repository, check, packages as package_rules};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

type Rule = fn(&Repository, &mut Report);

fn repository(files: &[(&str, &str)]) -> Repository {
    let files = files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
    Repository::of(files).expect("fixtures are Rust")
}

fn found(rule: Rule, repository: &Repository) -> Vec<String> {
    let mut report = Report::default();
    rule(repository, &mut report);
    report.findings.iter().map(|finding| format!("{}: [{}] {}", finding.place, finding.rule, finding.message)).collect()
}

/// The rule finds exactly one breach in `wrong` and none in `right`.
fn tells_apart(rule: Rule, wrong: &[(&str, &str)], right: &[(&str, &str)]) {
    let breaches = found(rule, &repository(wrong));
    assert_eq!(breaches.len(), 1, "one breach in {wrong:?}: {breaches:#?}");
    let breaches = found(rule, &repository(right));
    assert!(breaches.is_empty(), "no breach in {right:?}: {breaches:#?}");
}

fn lines(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, index| {
        let _ = writeln!(text, "let _v{index} = {index};");
        text
    })
}

fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
    let dependencies = dependencies.iter().map(|(name, is_dev)| Dependency { name: (*name).to_owned(), is_dev: *is_dev }).collect();
    Package { name: name.to_owned(), version: "1.0.0".to_owned(), licence: Some("MIT".to_owned()), source: None, dependencies }
}

fn external(name: &str, version: &str) -> Package {
    let source = Some("registry+https://github.com/rust-lang/crates.io-index".to_owned());
    Package { version: version.to_owned(), source, ..package(name, &[]) }
}

fn of_packages(list: &[Package]) -> Repository {
    let deny = "[licenses]\nallow = [\"MIT\"]\n[bans]\nskip = [{ crate = \"twice\" }]\n";
    Repository { packages: list.to_vec(), ..repository(&[("deny.toml", deny)]) }
}

/// `cargo test` keeps the house in order.
#[test]
fn this_repository_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let report = check(&Repository::read(root).expect("git and cargo answer"));
    assert!(report.findings.is_empty(), "{}", report.text());
}

#[test]
fn a_long_file_is_found() {
    let text = |count| format!("fn f() {{\n{}}}\n", lines(count));
    tells_apart(super::shape::file_sizes, &[("crates/a/tests/it/a.rs", &text(799))], &[("crates/a/tests/it/a.rs", &text(798))]);
    tells_apart(super::shape::file_sizes, &[("crates/a/src/a.rs", &text(449))], &[("crates/a/src/a.rs", &text(448))]);
}

#[test]
fn a_long_function_is_found() {
    let text = |count| format!("fn f() {{\n{}}}\n", lines(count));
    tells_apart(super::functions::long_functions, &[("crates/a/src/a.rs", &text(71))], &[("crates/a/src/a.rs", &text(70))]);
}

#[test]
fn a_copied_body_is_found_whatever_its_layout() {
    let first = format!("fn f() {{\n{}}}\n", lines(6));
    let copy = format!("impl A {{ fn g(&self) {{\n// a comment\n{}}} }}\n", lines(6).replace(" = ", "   =  "));
    let other = first.replace("= 5", "= 6");
    tells_apart(
        super::functions::identical_bodies,
        &[("crates/a/src/a.rs", &first), ("crates/b/src/b.rs", &copy)],
        &[("crates/a/src/a.rs", &first), ("crates/b/src/b.rs", &other)],
    );
}

#[test]
fn names_that_say_nothing_are_found() {
    tells_apart(super::shape::names, &[("crates/a/src/utils.rs", "")], &[("crates/a/src/utilisation.rs", "")]);
    tells_apart(super::shape::names, &[("crates/core/src/a.rs", "")], &[("crates/a/src/a.rs", "// mod core\n")]);
    tells_apart(super::shape::names, &[("crates/a/src/a.rs", "mod helpers {}")], &[("crates/a/src/a.rs", "mod plan {}")]);
}

#[test]
fn a_crate_that_is_most_of_the_product_is_found() {
    let small = lines(10).replace("let _v", "const V").replace(" = ", ": u8 = ");
    let large = small.repeat(4);
    let rooms: Vec<String> = ('a'..='g').map(|name| format!("crates/{name}/src/lib.rs")).collect();
    let with_first = |first: &str| {
        let files = rooms.iter().enumerate().map(|(index, path)| (path.as_str(), if index == 0 { first } else { small.as_str() }));
        found(super::shape::largest_share, &repository(&files.collect::<Vec<_>>())).len()
    };
    assert_eq!(with_first(&large), 1);
    assert_eq!(with_first(&small), 0);
}

#[test]
fn tests_that_fall_behind_are_found_and_a_floor_that_lags_too() {
    let product = ("crates/a/src/a.rs", "fn f() {}\n\n\n\n\n\n\n\n\n\n");
    let test = ("crates/a/tests/it/main.rs", "fn f() {}\n\n\n\n\n");
    let with = |floor| [product, test, ("xtask/test-ratio.txt", floor)];
    tells_apart(super::shape::test_ratio, &with("51\n"), &with("50\n"));
    tells_apart(super::shape::test_ratio, &with("40\n"), &with("41\n"));
    tells_apart(super::shape::test_ratio, &[product, test], &with("50"));
}

#[test]
fn a_room_that_knows_another_it_should_not_is_found() {
    let table = super::rooms::dependency_table;
    let schema = package("schema", &[]);
    for (room, refused) in [("policy", "dlp"), ("gateway", "sandbox"), ("audit", "policy"), ("model", "gateway"), ("schema", "policy")] {
        for is_dev in [false, true] {
            let list = [package(room, &[(refused, is_dev)]), package(refused, &[])];
            assert_eq!(found(table, &of_packages(&list)).len(), 1, "{room} on {refused}");
        }
    }
    let verifier = |is_dev| [package("audit", &[("evidence", is_dev)]), package("evidence", &[])];
    assert_eq!(found(table, &of_packages(&verifier(false))).len(), 1, "the verifier shares no code with the writer");
    assert!(found(table, &of_packages(&verifier(true))).is_empty(), "its tests use the writer");
    let right = [schema, package("policy", &[("schema", false), ("toml", false)]), package("bailiwick", &[("policy", false)])];
    assert!(found(table, &of_packages(&right)).is_empty());
    assert_eq!(found(table, &of_packages(&[package("cellar", &[])])).len(), 1, "a room that is not in the table");
}

#[test]
fn a_library_that_breaks_a_room_is_found() {
    let rule = super::rooms::library_walls;
    assert_eq!(found(rule, &of_packages(&[package("sandbox", &[("tokio", false)])])).len(), 1);
    assert!(found(rule, &of_packages(&[package("sandbox", &[("tokio", true), ("libc", false)])])).is_empty());
}

#[test]
fn a_deep_chain_of_rooms_is_found() {
    let chain = |count: usize| {
        let name = |index: usize| format!("room{index}");
        let list: Vec<Package> = (0..=count).map(|index| package(&name(index), &[(&name(index + 1), false)])).collect();
        of_packages(&list)
    };
    assert_eq!(found(super::rooms::depth, &chain(5)).len(), 1);
    assert!(found(super::rooms::depth, &chain(4)).is_empty());
}

#[test]
fn unit_tests_beside_the_product_are_found() {
    let rule = super::conduct::unit_tests_apart;
    tells_apart(
        rule,
        &[("crates/a/src/a.rs", "#[cfg(test)]\nmod tests { }\n")],
        &[("crates/a/src/a.rs", "#[cfg(test)]\nmod tests;\n"), ("crates/a/src/a/tests.rs", "#[test]\nfn f() {}\n")],
    );
    for test in ["#[test]\nfn f() {}\n", "#[tokio::test]\nasync fn f() {}\n"] {
        tells_apart(rule, &[("crates/a/src/a.rs", test)], &[("crates/a/tests/it/a.rs", test)]);
    }
}

#[test]
fn unsafe_outside_its_rooms_is_found() {
    let text = "fn f() { unsafe { g() } }";
    tells_apart(super::conduct::unsafe_stays_home, &[("crates/policy/src/a.rs", text)], &[("crates/sandbox/src/a.rs", text)]);
    tells_apart(super::conduct::unsafe_stays_home, &[("tests/escape/src/a.rs", text)], &[("tests/escape/src/sys.rs", text)]);
    tells_apart(super::conduct::unsafe_stays_home, &[("xtask/src/a.rs", text)], &[("xtask/src/a.rs", "// unsafe\n")]);
}

#[test]
fn panics_in_shipped_code_are_found() {
    let rule = super::conduct::no_panics;
    for text in [
        "fn f() { a.unwrap(); }",
        "fn f() { a.expect(\"b\"); }",
        "fn f() { format!(\"{}\", a.unwrap()); }",
        "fn f() { panic!(\"b\") }",
        "fn f() { unreachable!() }",
    ] {
        tells_apart(rule, &[("crates/a/src/a.rs", text)], &[("crates/a/src/a/tests.rs", text)]);
    }
    let proven = "#[expect(clippy::expect_used, reason = \"proven\")]\nfn f() { a.expect(\"b\"); }\n";
    let elsewhere = format!("{proven}fn g() {{ a.expect(\"b\"); }}\n");
    tells_apart(rule, &[("crates/a/src/a.rs", &elsewhere)], &[("crates/a/src/a.rs", proven)]);
    tells_apart(rule, &[("crates/a/src/a.rs", "fn f() { a.unwrap() }")], &[("crates/a/src/a.rs", "fn f() { a.unwrap_or(0) }")]);
}

#[test]
fn a_crate_without_docs_and_one_without_lints_are_found() {
    tells_apart(super::conduct::crate_docs, &[("crates/a/src/lib.rs", "mod a;")], &[("crates/a/src/lib.rs", "//! What it is.\nmod a;")]);
    tells_apart(
        super::conduct::lints_are_inherited,
        &[("crates/a/Cargo.toml", "[package]\n")],
        &[("crates/a/Cargo.toml", "[package]\n[lints]\nworkspace = true\n"), ("Cargo.toml", "")],
    );
}

#[test]
fn too_many_packages_are_found() {
    let many = |count| (0..count).map(|index| external(&format!("p{index}"), "1.0.0")).collect::<Vec<_>>();
    assert_eq!(found(package_rules::budgets, &of_packages(&many(601))).len(), 1);
    assert!(found(package_rules::budgets, &of_packages(&many(600))).is_empty());
    let tree = |count: usize| {
        let names: BTreeSet<String> = (0..count).map(|index| format!("p{index}")).collect();
        Repository { trees: [("sandbox".to_owned(), names)].into(), ..Repository::default() }
    };
    assert_eq!(found(package_rules::budgets, &tree(26)).len(), 1);
    assert!(found(package_rules::budgets, &tree(25)).is_empty());
}

#[test]
fn duplicates_are_found_when_the_list_is_short_and_when_it_is_long() {
    let rule = package_rules::duplicates;
    let twice = [external("twice", "1.0.0"), external("twice", "2.0.0")];
    let more = [&twice[..], &[external("more", "1.0.0"), external("more", "2.0.0")]].concat();
    assert!(found(rule, &of_packages(&twice)).is_empty());
    assert_eq!(found(rule, &of_packages(&more)).len(), 1, "not listed");
    assert_eq!(found(rule, &of_packages(&twice[..1])).len(), 1, "listed in vain");
    assert_eq!(found(rule, &repository(&[])).len(), 1, "no list");
}

#[test]
fn licences_outside_the_list_are_found() {
    let rule = package_rules::licences;
    let with = |licence: Option<&str>| of_packages(&[Package { licence: licence.map(str::to_owned), ..external("a", "1.0.0") }]);
    for licence in [None, Some("GPL-3.0-only"), Some("MIT AND GPL-3.0-only"), Some("(MIT"), Some("MIT MIT"), Some(""), Some("MIT WITH x")] {
        assert_eq!(found(rule, &with(licence)).len(), 1, "{licence:?}");
    }
    for licence in ["MIT", "GPL-3.0-only OR MIT", "Apache-2.0/MIT", "(GPL-3.0-only OR MIT) AND MIT"] {
        assert!(found(rule, &with(Some(licence))).is_empty(), "{licence}");
    }
    let allowed = ["Apache-2.0 WITH LLVM-exception".to_owned()].into();
    assert!(package_rules::permits("GPL-2.0 OR Apache-2.0 WITH LLVM-exception", &allowed));
    assert!(!package_rules::permits("Apache-2.0", &allowed));
}

#[test]
fn packages_from_elsewhere_are_found() {
    let wrong = Package { source: Some("git+https://example.org/a".to_owned()), ..external("a", "1.0.0") };
    assert_eq!(found(package_rules::sources, &of_packages(&[wrong])).len(), 1);
    assert!(found(package_rules::sources, &of_packages(&[external("a", "1.0.0")])).is_empty());
}

#[test]
fn dependencies_that_do_not_say_why_are_found() {
    let with = |line: &str| format!("[workspace.dependencies]\n{line}\n[profile.dev]\ndebug = 1\n");
    let right = with("a = { version = \"1\", default-features = false } # why\nb = { path = \"b\" }");
    for line in ["a = { version = \"1\", default-features = false }", "a = { version = \"1\" } # why", "a = \"1\""] {
        tells_apart(package_rules::justifications, &[("Cargo.toml", &with(line))], &[("Cargo.toml", &right)]);
    }
    let member = "[dev-dependencies]\na.workspace = true\nb = { workspace = true, features = [\"x\"] }\n";
    let wrong = format!("{member}c = {{ version = \"1\", default-features = false }}\n");
    tells_apart(package_rules::justifications, &[("crates/a/Cargo.toml", &wrong)], &[("crates/a/Cargo.toml", member)]);
}

#[test]
fn a_manifest_that_turns_on_what_takes_walls_away_is_found() {
    let made = ("crates/sandbox/Cargo.toml", "[features]\ndanger-weaken = []\n");
    for (path, text) in [
        ("crates/sandbox/Cargo.toml", "[features]\ndefault = [\"danger-weaken\"]\ndanger-weaken = []\n"),
        ("crates/endpoint/Cargo.toml", "sandbox = { workspace = true, features = [\"danger-weaken\"] }\n"),
        ("crates/a/Cargo.toml", "danger-weaken = []\n"),
    ] {
        tells_apart(package_rules::weakening, &[(path, text)], &[made]);
    }
}

#[test]
fn machine_paths_and_registry_hosts_are_found() {
    let path = concat!("see /", "work/a");
    tells_apart(super::hygiene::machine_paths, &[("docs/a.md", path)], &[("docs/a.md", "see crates/a/src/root/tree.rs, ~/work/a")]);
    let home = concat!("\"/", "root/.ssh\"");
    tells_apart(super::hygiene::machine_paths, &[("scripts/a", home)], &[("crates/a/tests/it/a.txt", home)]);
    let host = concat!("pip install --index", "-url x");
    tells_apart(super::hygiene::registry_hosts, &[("scripts/a", host)], &[("scripts/a", "pip install x"), ("crates/a/tests/it/a.rs", "")]);
}

#[test]
fn figures_without_their_command_are_found() {
    let rule = super::hygiene::figures;
    for figure in ["It starts in 12 ms.", "| 64 µs | x |", "It takes 3.5MB.", "(0.3 %)"] {
        let command = format!("# A\n{figure}\n\nMeasured with `make bench`.\n");
        let elsewhere = format!("# A\n{figure}\n# B\nMeasured with `make bench`.\n");
        tells_apart(rule, &[("docs/a.md", &elsewhere)], &[("docs/a.md", &command)]);
    }
    let harmless = "Bodies up to 8 MiB. Read RFC 8259, section 7. Rust 1.95, 2 cores, 70 lines.";
    tells_apart(rule, &[("README.md", "8 MiB")], &[("README.md", harmless), ("docs/reference/a.md", "8 MiB")]);
}

#[test]
fn metadata_that_is_not_understood_is_refused() {
    for text in ["", "{}", "{\"packages\": [{}]}"] {
        assert!(packages(text).is_err(), "{text}");
    }
}
