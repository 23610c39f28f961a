use super::{Document, Error, Kind, decode, encode};

fn refused(text: &str) -> Error {
    match Document::parse_text(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error,
    }
}

#[test]
fn refuses_what_the_grammar_does_not_have() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "{]",
        "[}",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "1 2",
        "nul",
        "True",
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "Infinity",
        "\"",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"\n\"",
        "\"\u{1}\"",
        "\"\0\"",
        "// c\n1",
        "[1]x",
        "\u{feff}{}",
        "\u{a0}1",
        "{\"a\":1 \"b\":2}",
        "{\"a\" 1}",
        "[,1]",
        "[\"a\":1]",
    ] {
        assert!(matches!(refused(text), Error::Syntax { .. }), "{text}");
    }
}

#[test]
fn refuses_bytes_that_are_not_utf_8() {
    for bytes in [&b"\"\xff\""[..], b"\"\xc0\x80\"", b"\"\xed\xa0\x80\"", b"\xef\xbb\xbf{}", b"\xff\xfe{\0}\0"] {
        assert!(Document::parse(bytes).is_err());
    }
}

#[test]
fn refuses_lone_surrogates() {
    for text in
        [r#""\ud800""#, r#""\udc00""#, r#""\ud800x""#, r#""\ud800\n""#, r#""\ud800\ud800""#, r#""\udc00\ud800""#, r#""\ud83d\u0041""#]
    {
        assert!(matches!(refused(text), Error::Surrogate { .. }), "{text}");
    }
    assert!(matches!(refused(r#""\ud800\u12""#), Error::Syntax { .. }));
}

#[test]
fn refuses_a_key_that_comes_twice_however_it_is_spelled() {
    let many: String = (0..40).flat_map(|number| ["\"k".to_owned(), number.to_string(), "\":1,".to_owned()]).collect();
    for text in [
        r#"{"a":1,"a":1}"#.to_owned(),
        r#"{"a":1,"\u0061":2}"#.to_owned(),
        r#"{"\u0061":1,"a":2}"#.to_owned(),
        r#"{"x":{"a":[{"b":1,"c":2,"b":3}]}}"#.to_owned(),
        format!("{{{many}\"k39\":2}}"),
        format!("{{{many}\"k0\":2}}"),
        format!("{{{many}\"\\u006b0\":2}}"),
    ] {
        assert!(matches!(refused(&text), Error::DuplicateKey { .. }), "{text}");
    }
    assert!(Document::parse_text(&format!("{{{many}\"a\":{{\"k0\":1}}}}")).is_ok());
    assert!(Document::parse_text(r#"[{"a":1},{"a":1},{"A":1,"a":1}]"#).is_ok());
}

#[test]
fn refuses_nesting_beyond_the_bound() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(matches!(refused(&nested(129)), Error::Depth { at: 128 }));
    assert!(matches!(refused(&"[".repeat(100_000)), Error::Depth { .. }));
    assert!(matches!(refused(&"{\"a\":".repeat(100_000)), Error::Depth { .. }));
    assert!(Document::parse_text(&nested(128)).is_ok());
}

#[test]
fn walks_values_of_every_kind() {
    let text = " {\"a\" : [1, -2.5e+3,true,false , null, \"x\\u00e9\\ud83d\\ude00\\n\"],\"\":{},\"b\":[]} ";
    let document = Document::parse_text(text).unwrap();
    let root = document.root();
    assert_eq!(root.kind(), Kind::Object);
    let kinds: Vec<Kind> = root.get("a").unwrap().items().map(super::Node::kind).collect();
    assert_eq!(kinds, [Kind::Number, Kind::Number, Kind::True, Kind::False, Kind::Null, Kind::String]);
    assert_eq!(root.get("a").unwrap().items().last().unwrap().text().unwrap(), "xé😀\n");
    assert_eq!(root.get("a").unwrap().items().nth(1).unwrap().raw(), "-2.5e+3");
    assert!(root.get("").unwrap().is_empty() && root.get("b").unwrap().is_empty() && root.get("c").is_none());
    assert_eq!(root.get("b").unwrap().key().unwrap(), "b");
    assert_eq!(root.raw(), text.trim());
}

#[test]
fn takes_huge_numbers_as_they_stand() {
    let digits = "9".repeat(100_000);
    let document = Document::parse_text(&digits).unwrap();
    assert_eq!(document.root().raw(), digits);
    assert_eq!(document.root().integer(), None);
}

#[test]
fn rewriting_nothing_gives_nothing_and_rewriting_one_value_keeps_the_rest() {
    let text = "{ \"k\\u0065y\" : \"v\\/1\",\r\n \"n\":1.50E+2 , \"z\":\"v2\" }";
    let document = Document::parse_text(text).unwrap();
    assert!(document.rewrite::<()>(&mut |_| Ok(None)).unwrap().is_none());
    let changed = document.rewrite::<()>(&mut |node| Ok(node.is("v2").then(|| "\"\\\n\u{1}é".to_owned()))).unwrap().unwrap();
    assert_eq!(changed, "{ \"k\\u0065y\" : \"v\\/1\",\r\n \"n\":1.50E+2 , \"z\":\"\\\"\\\\\\n\\u0001é\" }");
    assert!(document.rewrite(&mut |_| Err(())).is_err());
}

#[test]
fn decoding_never_fails_on_text_that_no_scanner_saw() {
    for (inner, decoded) in
        [("\\", "\\"), ("\\u", "\\u"), ("\\u00", "\\u00"), ("\\ud800", "\\ud800"), ("\\q\\n", "\\q\n"), ("é\\té", "é\té")]
    {
        assert_eq!(decode(inner), decoded);
    }
}

proptest::proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(content in "\\PC*|[\\x00-\\x7f]*") {
        let mut text = String::new();
        encode(&content, &mut text);
        let document = Document::parse_text(&text).unwrap();
        proptest::prop_assert_eq!(document.root().text().unwrap(), content);
    }

    #[test]
    fn accepts_what_an_independent_reader_writes_and_reads(bytes in "[\\[\\]{}:,\"a0-9.eE\\\\u \\-+truefalsn]{0,24}") {
        let ours = Document::parse_text(&bytes);
        let theirs = serde_json::from_str::<serde_json::Value>(&bytes);
        match (&ours, &theirs) {
            (Ok(_), Err(error)) => proptest::prop_assert!(error.to_string().contains("number out of range"), "{}", bytes),
            (Err(Error::Syntax { .. }), Ok(_)) => proptest::prop_assert!(false, "{}", bytes),
            _ => {}
        }
    }
}
