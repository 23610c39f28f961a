use super::*;

fn shown(content: &str) -> String {
    String::from_utf8(settings(content.as_bytes())).unwrap()
}

#[test]
fn names_stay_and_values_do_not() {
    let content = "# TOKEN=old-secret\nTOKEN=secret\nexport KEY = \"a secret\"\n  lower.case-name='x'\nNOTHING\n=secret\nEMPTY=\n";
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
