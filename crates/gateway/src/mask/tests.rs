use crate::dialect::{Body, Endpoint};
use dlp::{Detectors, Vault, inspect};
use proptest::prelude::*;

const CARD: &str = "4111111111111111";
const IBAN: &str = "DE89370400440532013000";
const MAIL: &str = "erika.mustermann@firma.example";

fn masked(endpoint: Endpoint, body: &str) -> String {
    let body = Body::parse(endpoint, body.as_bytes().to_vec()).unwrap_or_else(|code| panic!("{code}: {body}"));
    let mut vault = Vault::new([3; 32]);
    let inspected = inspect(body, &mut vault, &Detectors::standard()).unwrap();
    String::from_utf8(inspected.into_parts().0.into_bytes()).unwrap()
}

/// Decodes every string, as often as it is JSON, so that no escape hides anything.
fn flat(value: &serde_json::Value, out: &mut String) {
    match value {
        serde_json::Value::String(text) => {
            out.push_str(text);
            out.push('\n');
            if let Ok(inner) = serde_json::from_str(text) {
                flat(&inner, out);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| flat(item, out)),
        serde_json::Value::Object(members) => members.iter().for_each(|(key, value)| {
            out.push_str(key);
            out.push('\n');
            flat(value, out);
        }),
        serde_json::Value::Number(number) => {
            out.push_str(&number.to_string());
            out.push('\n');
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) => {}
    }
}

fn escaped(value: &str) -> String {
    value.chars().flat_map(|character| ["\\u00".to_owned(), format!("{:02x}", u32::from(character))]).collect()
}

#[test]
fn no_planted_value_leaves_from_any_place_of_either_dialect() {
    let openai = [
        r#""messages":[{"role":"system","content":"V"},{"role":"user","content":[{"type":"text","text":"x V"}]}]"#,
        r#""messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":\"V\",\"V\":[1,{\"b\":\"x\\nV\"}]}"}}]}]"#,
        r#""messages":[{"role":"tool","tool_call_id":"c","content":"{\"rows\":[{\"deep\":\"{\\\"v\\\":\\\"V\\\"}\"}]}"}]"#,
        r#""messages":[],"tools":[{"type":"function","function":{"name":"f","description":"V","parameters":{"properties":{"V":{"enum":["V"]}}}}}]"#,
        r#""messages":[{"role":"user","content":"x","unknown":{"V":["V"]}}],"unknown":{"deep":[["V"]]},"V":1"#,
    ];
    let anthropic = [
        r#""system":"V","messages":[{"role":"user","content":"V"}]"#,
        r#""system":[{"type":"text","text":"V"}],"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{"V":{"a":["V"]}}}]}]"#,
        r#""messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"{\"a\":\"V\"}"}]}]}]"#,
        r#""messages":[],"tools":[{"name":"f","description":"V","input_schema":{"properties":{"V":{"default":"V"}}}}],"metadata":{"user_id":"V"}"#,
        r#""messages":[{"role":"user","content":[{"type":"document","title":"V","source":{"type":"text","media_type":"text/plain","data":"V"}}]}]"#,
    ];
    let cases = openai.iter().map(|body| (Endpoint::ChatCompletions, body));
    let cases = cases.chain(anthropic.iter().flat_map(|body| [(Endpoint::Messages, body), (Endpoint::CountTokens, body)]));
    for (endpoint, template) in cases {
        for value in [CARD, IBAN, MAIL] {
            for spelled in [value.to_owned(), escaped(value)] {
                for stream in ["true", "false"] {
                    let body = format!("{{\"model\":\"m\",\"stream\":{stream},{}}}", template.replace('V', &spelled));
                    let out = masked(endpoint, &body);
                    let mut text = String::new();
                    flat(&serde_json::from_str(&out).unwrap(), &mut text);
                    assert!(!text.contains(value), "{value} in {out}");
                    assert!(text.contains("BW_"), "{out}");
                }
            }
        }
    }
}

#[test]
fn escapes_inside_of_strings_hide_nothing() {
    for hidden in [escaped(CARD), escaped(CARD).replace('\\', "\\\\"), format!("{{\"a\":\"{}\"}} and more", escaped(CARD))] {
        let mut content = String::new();
        crate::json::encode(&hidden, &mut content);
        let out = masked(Endpoint::Messages, &format!(r#"{{"model":"m","messages":[{{"role":"user","content":{content}}}]}}"#));
        assert!(out.contains("BW_CARD"), "{out}");
    }
}

#[test]
fn numbers_that_hold_a_card_become_a_string() {
    for number in [CARD, "-4111111111111111", "4111111111111111.0", "4.111111111111111e15", "41111111111111110e-1"] {
        let out = masked(Endpoint::Messages, &format!(r#"{{"model":"m","messages":[],"x":[{number}],"max_tokens":1024}}"#));
        assert!(out.contains(r#""x":["BW_CARD_1_"#) && out.contains(r#""max_tokens":1024"#), "{number}: {out}");
    }
}

#[test]
fn what_holds_nothing_passes_byte_for_byte() {
    let signature = "ErUBCkYIBRgCIkA".repeat(40);
    let body = format!(
        "{{ \"model\" : \"m\",\r\n\"messages\":[{{\"role\":\"assistant\",\"content\":[{{\"type\":\"thinking\",\"thinking\":\"h\\u00e9\\/\",\"signature\":\"{signature}==\"}}]}}],\"n\":1.50E+2}}"
    );
    assert_eq!(masked(Endpoint::Messages, &body), body);
}

/// JSON texts of any structure that hold the card, the IBAN and the address in strings and keys, spelled plainly or behind escapes, and
/// in JSON texts inside of strings.
fn any_json() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![CARD, IBAN, MAIL, "harmless", ""]);
    let around = prop::sample::select(vec!["", " ", ": ", "\n", "\"", "\\", "ü", "{", "["]);
    // A value with a letter right beside it is none: serial numbers and hashes look so.
    let string = (around.clone(), value, around, any::<bool>()).prop_map(|(before, value, after, escape)| {
        let text = format!("{before}{value}{after}");
        if escape { format!("\"{}\"", escaped_utf16(&text)) } else { serde_json::to_string(&text).unwrap() }
    });
    let leaf = prop_oneof![4 => string.clone(), 1 => Just("17".to_owned()), 1 => Just(CARD.to_owned()), 1 => Just("null".to_owned())];
    leaf.prop_recursive(5, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            // One member each, since a key twice is refused.
            (string.clone(), inner.clone()).prop_map(|(key, value)| format!("{{{key}:{value}}}")),
            inner.prop_map(|text| serde_json::to_string(&text).unwrap()),
        ]
    })
}

fn escaped_utf16(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat()
}

proptest! {
    #[test]
    fn no_structure_hides_a_value(json in any_json()) {
        let out = masked(Endpoint::Messages, &format!("{{\"model\":\"m\",\"messages\":[],\"x\":{json}}}"));
        let mut text = out.clone();
        flat(&serde_json::from_str(&out).unwrap(), &mut text);
        for value in [CARD, IBAN, MAIL] {
            prop_assert!(!text.contains(value), "{} in {}", value, out);
        }
    }
}
