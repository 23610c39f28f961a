//! Every key of the document, by its own table: what the reference promises is what the reader does.

use policy::document::{Diagnostic, Key, LIST_ITEMS_MAX, NAME_BYTES_MAX, Presence, Section, Shape};
use policy::{DOCUMENT, Policy};

/// A key and where it stands.
struct Place {
    /// What opens its table, such as `[session.limits]`, with what that table needs beside.
    head: String,
    key: &'static Key,
}

/// Every key that holds a value, with the tables above it.
fn places(head: &str, path: &str, section: &'static Section) -> Vec<Place> {
    let mut found = Vec::new();
    for key in section.keys {
        let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        if let Shape::Table(below) = key.shape {
            found.extend(places(&format!("[{path}]\n"), &path, below));
        } else if let Shape::Tables { section: below, .. } = key.shape {
            found.extend(places(&format!("[[{path}]]\n"), &path, below));
        } else if let Shape::Named { names, section: below } = key.shape {
            let path = format!("{path}.{}", names.first().expect("a name"));
            found.extend(places(&format!("[{path}]\n"), &path, below));
        } else {
            found.push(Place { head: head.to_owned(), key });
        }
    }
    found
}

fn all() -> Vec<Place> {
    let places = places("", "", &DOCUMENT);
    assert!(places.len() > 50, "the tables were found");
    places
}

impl Place {
    /// What is said of this value on its own line.
    fn complaints(&self, value: &str) -> Vec<Diagnostic> {
        let text = format!("{}{} = {value}\n", self.head, self.key.name);
        let line = text.lines().count();
        let errors = Policy::parse("bounds.toml", &text).expect_err("the document lacks its version");
        errors.into_iter().filter(|error| error.line == line && error.message.contains(&format!("`{}`", self.key.name))).collect()
    }
}

#[test]
fn every_key_refuses_a_value_of_another_type() {
    for place in all() {
        for value in ["1979-05-27", "{ x = 1 }", "0.5", "[[1]]"] {
            let complaints = place.complaints(value);
            assert!(!complaints.is_empty(), "{}{} = {value}", place.head, place.key.name);
            let text = complaints.iter().map(|one| one.message.as_str()).collect::<Vec<_>>().join("\n");
            assert!(text.contains("must be"), "no advice: {text}");
        }
    }
}

#[test]
fn every_bound_holds_to_the_last_number() {
    let mut tried = 0;
    for place in all() {
        let (Shape::Integer { least, most } | Shape::Bytes { least, most }) = place.key.shape else { continue };
        tried += 1;
        let is_right = |value: &str| place.complaints(value).is_empty();
        for value in [least, most] {
            assert!(is_right(&value.to_string()), "{} = {value}", place.key.name);
        }
        for value in [Some(most + 1), least.checked_sub(1)].into_iter().flatten() {
            assert!(!is_right(&value.to_string()), "{} = {value}", place.key.name);
        }
        for value in ["-1", "18446744073709551616", "-9223372036854775808", "\"1e3\"", "\"\"", "true"] {
            assert!(!is_right(value), "{} = {value}", place.key.name);
        }
        if let Shape::Bytes { .. } = place.key.shape {
            assert!(is_right(&format!("\"{most} B\"")));
            for value in ["16777217 TiB", "18446744073709551615 KiB", "-1 GiB", "1 GB", "1 gib", "GiB", "1 GiB GiB", "0x1 GiB", "1.5 GiB"] {
                assert!(!is_right(&format!("\"{value}\"")), "{} = {value}", place.key.name);
            }
        }
    }
    assert!(tried > 15, "{tried}");
}

#[test]
fn every_list_is_bounded_and_has_nothing_twice() {
    for place in all() {
        let Shape::List(item) = place.key.shape else { continue };
        let value = if let Shape::OneOf(values) = item { values.first().expect("a word") } else { "a" };
        let twice = place.complaints(&format!("[\"{value}\", \"{value}\"]"));
        assert!(twice.iter().any(|error| error.message.contains("twice")), "{}", place.key.name);
        if matches!(item, Shape::OneOf(_)) {
            assert!(!place.complaints("[\"no such word\"]").is_empty(), "{}", place.key.name);
            continue;
        }
        let list = |count: usize| format!("{:?}", (0..count).map(|number| format!("n{number}")).collect::<Vec<_>>());
        assert_eq!(place.complaints(&list(LIST_ITEMS_MAX)), [], "{}", place.key.name);
        assert_eq!(place.complaints(&list(LIST_ITEMS_MAX + 1)).len(), 1, "{}", place.key.name);
    }
}

#[test]
fn every_text_is_held_to_its_alphabet() {
    let long = "n".repeat(NAME_BYTES_MAX + 1);
    for place in all() {
        let (right, wrong): (&str, Vec<&str>) = if let Shape::Name = place.key.shape {
            ("a-name", vec!["", "two words", "\u{e9}", &long])
        } else if let Shape::Path = place.key.shape {
            ("/a/path", vec!["", "a/path", "~/path", "/with\\u0000nul"])
        } else if let Shape::Variable = place.key.shape {
            ("A_NAME", vec!["", "a_name", "1A", "A-B", "A=B"])
        } else if let Shape::OneOf(values) = place.key.shape {
            (values.first().expect("a word"), vec!["", "no such word"])
        } else {
            continue;
        };
        let quoted = |value: &str| format!("\"{value}\"");
        assert_eq!(place.complaints(&quoted(right)), [], "{}", place.key.name);
        for value in wrong {
            assert!(!place.complaints(&quoted(value)).is_empty(), "{} = {value:?}", place.key.name);
        }
    }
}

#[test]
fn a_mistyped_key_is_refused_in_every_table_and_the_right_one_named() {
    for place in all() {
        let name = format!("{}x", place.key.name);
        let text = format!("{}{name} = 1\n", place.head);
        let errors = Policy::parse("bounds.toml", &text).expect_err("an unknown key");
        let unknown = errors.iter().find(|error| error.message.contains(&format!("unknown key `{name}`")));
        let meant = format!("did you mean `{}`?", place.key.name);
        assert!(unknown.is_some_and(|error| error.message.contains(&meant)), "{text}{errors:#?}");
    }
}

#[test]
fn an_example_is_right_where_it_stands() {
    for place in all() {
        // One that says what a policy may do with a secret, or with other keys, is wrong in an empty table, but not by its form.
        let form = |error: &Diagnostic| error.message.contains("must be");
        assert!(!place.complaints(place.key.example).iter().any(form), "{}{} = {}", place.head, place.key.name, place.key.example);
        if let Presence::Default(value) = place.key.presence {
            assert_eq!(place.complaints(value), [], "{}{} = {value}", place.head, place.key.name);
        }
    }
}
