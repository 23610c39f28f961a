//! Every kind of value × every place of a request × every spelling that JSON allows × both dialects × whole and streamed: none reaches the
//! upstream, all come back.
use crate::agent::post;
use crate::dialect::{Dialect, placeholders};
use crate::gateway_under_test::{Gateway, anthropic, openai};
use crate::upstream::Upstream;
use serde_json::{Value, json};

const LETTERS: &str = "Qw3ErT7yU9iOp2AsD5fGhJ8kLz4XcV6bNm1qWe0RtYuI3oPaS7dFgH9jKlZ2xCvB5nM8Qw4ErT6yU1iOp0AsDfGh3JkLz7XcVbN9mQ";
const HEX: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const UPPER: &str = "Q7RSTUVWX2YZ3456ABCDEFGH";

/// A text that holds a value, and the value.
struct Planted {
    text: String,
    value: String,
}

fn plain(value: &str) -> Planted {
    Planted { text: value.to_owned(), value: value.to_owned() }
}

fn planted() -> Vec<Planted> {
    let mut all: Vec<Planted> = [
        "petra.probe@example.org",
        "+49 30 901820",
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "4111111111111111",
        "4539-1488-0343-6467",
        "421-79-1418",
        "WL 50 23 90 B",
        "28134719515",
        "271118392682292",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIAsynthetic\n-----END EC PRIVATE KEY-----",
    ]
    .map(plain)
    .into();
    for (prefix, body, length) in [
        ("AKIA", UPPER, 16),
        ("ghp_", LETTERS, 36),
        ("github_pat_", LETTERS, 82),
        ("glpat-", LETTERS, 20),
        ("xoxb-", LETTERS, 40),
        ("sk_live_", LETTERS, 24),
        ("sk-ant-api03-", LETTERS, 90),
        ("sk-proj-", LETTERS, 60),
        ("AIza", LETTERS, 35),
        ("npm_", LETTERS, 36),
        ("pypi-AgEI", LETTERS, 80),
        ("hf_", LETTERS, 34),
        ("dop_v1_", HEX, 64),
        ("shpat_", HEX, 32),
        ("dckr_pat_", LETTERS, 27),
    ] {
        all.push(plain(&format!("{prefix}{}", &body[..length])));
    }
    for (text, value) in [("password = \"hunter2-Xk9\"", "hunter2-Xk9"), ("postgres://app:s3cr3tpw@db/x", "s3cr3tpw")] {
        all.push(Planted { text: text.to_owned(), value: value.to_owned() });
    }
    all
}

/// How a text is spelled in JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spelling {
    Plain,
    /// Every character as `\u00XX`.
    Escaped,
    /// In a JSON text in a JSON text.
    Nested,
    /// As above, and escaped inside.
    NestedEscaped,
    /// As a name in an object.
    Key,
}

impl Spelling {
    const ALL: [Self; 5] = [Self::Plain, Self::Escaped, Self::Nested, Self::NestedEscaped, Self::Key];

    fn write(self, text: &str) -> String {
        match self {
            Self::Plain => json!(text).to_string(),
            Self::Escaped => escaped(text),
            Self::Nested => json!(json!({"note": json!([text]).to_string()}).to_string()).to_string(),
            Self::NestedEscaped => json!(format!("{{\"note\":{}}}", escaped(text))).to_string(),
            Self::Key => json!({text: 1}).to_string(),
        }
    }
}

fn escaped(text: &str) -> String {
    let characters: Vec<String> = text.chars().map(|character| format!("\\u{:04x}", u32::from(character))).collect();
    format!("\"{}\"", characters.concat())
}

/// Requests with `V` where a value stands; `O` where it may also be an object.
fn places(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::OpenAi => &[
            r#""messages":[{"role":"system","content":V}]"#,
            r#""messages":[{"role":"user","content":[{"type":"text","text":V}]}]"#,
            r#""messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"t","type":"function","function":{"name":"f","arguments":V}}]}]"#,
            r#""messages":[{"role":"tool","tool_call_id":"t","content":V}]"#,
            r#""messages":[],"tools":[{"type":"function","function":{"name":"f","description":V,"parameters":{"type":"object"}}}]"#,
            r#""messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":{"properties":{"p":{"default":O}}}}}]"#,
            r#""messages":[],"metadata":{"session":O},"user":"u""#,
            r#""messages":[],"user":V"#,
            r#""messages":[],"not_known_yet":[{"deep":O}]"#,
        ],
        Dialect::Anthropic => &[
            r#""system":V,"messages":[]"#,
            r#""system":[{"type":"text","text":V,"cache_control":{"type":"ephemeral"}}],"messages":[]"#,
            r#""messages":[{"role":"user","content":[{"type":"text","text":V}]}]"#,
            r#""messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"a":O}}]}]"#,
            r#""messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":V}]}]"#,
            r#""messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":V}]}]}]"#,
            r#""messages":[],"tools":[{"name":"f","description":V,"input_schema":{"type":"object"}}]"#,
            r#""messages":[],"tools":[{"name":"f","input_schema":{"properties":{"p":{"enum":[O]}}}}]"#,
            r#""messages":[],"metadata":{"user_id":V}"#,
            r#""messages":[],"context_management":{"edits":[{"type":"e","keep":O}]}"#,
        ],
    }
}

/// Everything that a reader of the body could find in it.
fn flatten(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => {
            out.push_str(text);
            out.push('\n');
            if let Ok(inner) = serde_json::from_str(text) {
                flatten(&inner, out);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| flatten(item, out)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            out.push_str(key);
            out.push('\n');
            flatten(value, out);
        }),
        Value::Number(number) => {
            out.push_str(&number.to_string());
            out.push('\n');
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn request(place: &str, written: &str, stream: bool) -> String {
    format!("{{\"model\":\"m\",\"max_tokens\":9,\"stream\":{stream},{}}}", place.replace(['V', 'O'], written))
}

/// One session, one call: what the upstream saw must hold none of the values, what the agent gets must hold them all.
fn crosses(dialect: Dialect, stream: bool, place: &str, written: &str, values: &[String]) {
    let upstream = Upstream::answering(move |body| {
        let words = placeholders(body).join(" ");
        if stream { dialect.streamed(&words, 5) } else { dialect.whole(&words) }
    });
    let gateway = Gateway::of_session(&[openai(upstream.address), anthropic(upstream.address)]);
    let reply = post(gateway.address, dialect.path(), &request(place, written, stream));
    assert_eq!(reply.status, 200, "{place}: {}", reply.body);
    let received = upstream.received();
    let mut seen = received[0].clone();
    flatten(&serde_json::from_str(received[0].split_once("\r\n\r\n").unwrap().1).unwrap(), &mut seen);
    for value in values {
        assert!(!seen.contains(value), "{dialect:?} {place} {written}: {value} reached the upstream");
    }
    let (text, arguments) = dialect.read(stream, &reply);
    let arguments = arguments["words"].as_str().unwrap();
    for value in values {
        assert!(text.contains(value) && arguments.contains(value), "{dialect:?} {place} {written}: {value} did not come back: {text}");
    }
}

#[test]
fn every_value_in_every_place_and_spelling() {
    let planted = planted();
    // One text with all of them, each on a line of its own.
    let text = planted.iter().map(|planted| planted.text.as_str()).collect::<Vec<_>>().join("\n\n");
    let values: Vec<String> = planted.iter().map(|planted| planted.value.clone()).collect();
    for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
        for place in places(dialect) {
            for spelling in Spelling::ALL.into_iter().filter(|spelling| *spelling != Spelling::Key || place.contains('O')) {
                let stream = (place.len() + spelling as usize).is_multiple_of(2);
                crosses(dialect, stream, place, &spelling.write(&text), &values);
            }
        }
    }
}

#[test]
fn every_value_alone_streamed_and_not() {
    for (number, planted) in planted().iter().enumerate() {
        for stream in [false, true] {
            let dialect = if (number % 2 == 0) == stream { Dialect::OpenAi } else { Dialect::Anthropic };
            for place in [places(dialect)[2], places(dialect)[3]] {
                crosses(dialect, stream, place, &Spelling::Plain.write(&planted.text), std::slice::from_ref(&planted.value));
            }
        }
    }
}

#[test]
fn numbers_hide_no_digits() {
    for (number, digits) in [("4111111111111111", "4111111111111111"), ("28134719515", "28134719515"), ("2.8134719515e10", "28134719515")] {
        for dialect in [Dialect::OpenAi, Dialect::Anthropic] {
            for place in places(dialect).iter().filter(|place| place.contains('O')) {
                crosses(dialect, false, place, &format!("[{number}]"), &[digits.to_owned()]);
            }
        }
    }
}
