use super::{NOTE_BYTES_MAX, Note, SIGNATURES_MAX};

const GOOD: &str = "one\ntwo\n\n\u{2014} name AAAAAQI=\n";

#[test]
fn any_other_form_is_refused() {
    let line = GOOD.split_once("\n\n").unwrap().1;
    for text in [
        "",
        "\n\n",
        "one\ntwo\n",
        "one\n\n",
        &GOOD.replace('\u{2014}', "-"),
        &GOOD.replace("name", ""),
        &GOOD.replace("name", "na+me"),
        &GOOD.replace(" AAAA", "  AAAA"),
        &GOOD.replace("AQI=", "AQJ="),
        &GOOD.replace("AAAAAQI=", "AAAAAA=="),
        &GOOD.replace("AAAAAQI=", "AAA="),
        &GOOD.replace("one", "o\rne"),
        GOOD.trim_end(),
        &format!("{GOOD}\n"),
        &format!("{GOOD}more\n"),
        &format!("one\n\n{}", line.repeat(SIGNATURES_MAX + 1)),
        &format!("{}{GOOD}", "x".repeat(NOTE_BYTES_MAX)),
    ] {
        assert!(Note::parse(text).is_none(), "{text:?}");
    }
}

#[test]
fn the_text_keeps_its_last_line_feed() {
    let twice = format!("{GOOD}{}", GOOD.split_once("\n\n").unwrap().1);
    let note = Note::parse(&twice).unwrap();
    assert_eq!((note.text, note.signatures.len()), ("one\ntwo\n", 2));
    let first = &note.signatures[0];
    assert_eq!((first.name, first.key_id, first.bytes.as_slice()), ("name", [0, 0, 0, 1], [2].as_slice()));
}
