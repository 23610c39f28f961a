use super::*;
use proptest::prelude::*;

fn shown(content: &str) -> String {
    String::from_utf8(settings(content.as_bytes())).unwrap()
}

#[test]
fn names_stay_and_values_do_not() {
    let content = "# TOKEN=old-secret\nTOKEN=secret\nexport KEY = \"a secret\"\n  lower.case-name='x'\nNOTHING\n=secret\n\nEMPTY=\n";
    let expected =
        "TOKEN=masked-by-bailiwick\nexport KEY=masked-by-bailiwick\nlower.case-name=masked-by-bailiwick\nEMPTY=masked-by-bailiwick\n";
    assert_eq!(shown(content), expected);
}

#[test]
fn a_value_of_several_lines_shows_none_of_them() {
    for quote in ['"', '\'', '`'] {
        let content = format!("A={quote}first\nSECRET=second\nthird{quote}\nB=x\n");
        assert_eq!(shown(&content), "A=masked-by-bailiwick\nB=masked-by-bailiwick\n");
    }
    // One that is never closed shows nothing more.
    assert_eq!(shown("A=\"first\nSECRET=second\n"), "A=masked-by-bailiwick\n");
}

#[test]
fn where_readers_could_differ_nothing_more_is_shown() {
    let unclear = ["\"a\\\"b\nQUJDRA=c\"", "'a\\'", "a\\", "it's", "\"a\"\"b", "\"a\" \\", "a\"b\nQUJDRA=c\""];
    for value in unclear {
        assert_eq!(shown(&format!("A={value}\nQUJDREVGR0g=\nB=x\n")), "A=masked-by-bailiwick\n", "{value}");
    }
}

#[test]
fn the_end_of_something_encoded_is_no_name() {
    for encoded in ["QUJDREVGR0hJSktMTU5PUFFSU1Q\nQUJDREVGR0g=", "QUJDREVGRw=="] {
        assert_eq!(shown(&format!("A=x\n{encoded}\n\nEMPTY=\n")), "A=masked-by-bailiwick\nEMPTY=masked-by-bailiwick\n", "{encoded}");
    }
}

proptest! {
    /// A value may hold anything: no reader's line of it is taken for a name.
    #[test]
    fn no_value_is_shown(values in proptest::collection::vec("[a-z=\"\\\\' \n#]{0,12}", 1..5)) {
        let escaped = |value: &String| value.replace('\\', "\\\\").replace('"', "\\\"");
        let content = values.iter().enumerate().map(|(place, value)| format!("NAME{place}=\"{}\"\n", escaped(value))).collect::<Vec<_>>().concat();
        let expected = (0..values.len()).map(|place| format!("NAME{place}=masked-by-bailiwick\n")).collect::<Vec<_>>().concat();
        let shown = shown(&content);
        prop_assert!(expected.starts_with(&shown), "{content:?} shows {shown:?}");
    }
}

#[test]
fn what_is_no_name_is_left_out() {
    assert_eq!(shown("a secret sentence = yes\nQUJD+/=\n\u{e9}=x\n"), "");
    assert_eq!(shown(&format!("{}=x", "A".repeat(NAME_BYTES_MAX + 1))), "");
}

#[test]
fn a_key_is_told_and_not_shown() {
    let key = b"A=x\n-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
    assert!(has_key(key));
    assert_eq!(one_line(key), format!("masked by Bailiwick: a key or certificate of {} bytes\n", key.len()).into_bytes());
    for (name, settings) in [(".env", true), (".env.local", true), ("prod.env", true), (".envrc", false), ("id_rsa", false)] {
        assert_eq!(is_settings(name), settings, "{name}");
    }
}
