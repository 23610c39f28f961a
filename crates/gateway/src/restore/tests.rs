use super::*;
use crate::dialect::Endpoint;
use dlp::{Detectors, MaskReport};
use proptest::prelude::*;

const MAIL: &str = "petra.probe@example.org";

/// A vault that has replaced these values, and their placeholders.
fn vault(values: &[&str]) -> (Vault, Vec<String>) {
    let mut vault = Vault::new([3; 32]);
    let detectors = Detectors::standard();
    let masked = |value: &&str| vault.mask(value, &detectors, &mut MaskReport::default()).unwrap().into_owned();
    let placeholders: Vec<String> = values.iter().map(masked).collect();
    assert!(placeholders.iter().all(|placeholder| placeholder.starts_with("BW_")), "{placeholders:?}");
    (vault, placeholders)
}

fn expected(endpoint: Endpoint, stream: bool) -> Expected {
    Expected { endpoint, stream, text_is_json: false }
}

/// One event of the dialect for a piece of its text.
fn text_event(endpoint: Endpoint, piece: &str) -> String {
    let piece = serde_json::to_string(piece).unwrap();
    match endpoint.dialect() {
        Dialect::OpenAi => format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{piece}}},\"finish_reason\":null}}]}}\n\n"),
        Dialect::Anthropic => format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":{piece}}}}}\n\n"
        ),
    }
}

fn end_events(endpoint: Endpoint) -> &'static str {
    match endpoint.dialect() {
        Dialect::OpenAi => "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        Dialect::Anthropic => {
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
        }
    }
}

/// What an agent puts together from the events.
fn read(endpoint: Endpoint, out: &[u8]) -> String {
    let mut text = String::new();
    for line in std::str::from_utf8(out).unwrap().lines().filter_map(|line| line.strip_prefix("data: ")) {
        let Ok(event) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let piece = match endpoint.dialect() {
            Dialect::OpenAi => &event["choices"][0]["delta"]["content"],
            Dialect::Anthropic => &event["delta"]["text"],
        };
        text.push_str(piece.as_str().unwrap_or_default());
    }
    text
}

/// Runs a stream in chunks of `size` bytes.
fn run(endpoint: Endpoint, vault: &Vault, events: &str, size: usize) -> (Vec<u8>, StreamEnd) {
    let mut stream = AnswerStream::new(expected(endpoint, true));
    let mut out = Vec::new();
    for chunk in events.as_bytes().chunks(size) {
        stream.push(vault, chunk, &mut out).unwrap();
    }
    let end = stream.finish(vault, &mut out);
    (out, end)
}

const BOTH: [Endpoint; 2] = [Endpoint::ChatCompletions, Endpoint::Messages];

#[test]
fn what_is_no_event_of_the_dialect_ends_the_stream() {
    let (vault, _) = vault(&[MAIL]);
    for bytes in [&b"data: {\n\n"[..], b"data: \xff\n\n", b"data: no\n\n"] {
        let mut stream = AnswerStream::new(expected(Endpoint::Messages, true));
        assert_eq!(stream.push(&vault, bytes, &mut Vec::new()), Err(RefusalCode::UpstreamMalformed));
        assert!(!stream.finish(&vault, &mut Vec::new()).complete);
    }
    assert!(answer(expected(Endpoint::Messages, false), b"<html>".to_vec(), &vault).is_err());
}

#[test]
fn an_error_event_or_a_missing_end_is_not_complete() {
    let (vault, _) = vault(&[MAIL]);
    for (endpoint, events) in [
        (
            Endpoint::Messages,
            "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
        (Endpoint::ChatCompletions, "data: {\"error\":{\"message\":\"x\"}}\n\ndata: [DONE]\n\n"),
        (Endpoint::ChatCompletions, "data: {\"choices\":[]}\n\n"),
        (Endpoint::Messages, ""),
    ] {
        assert!(!run(endpoint, &vault, events, 7).1.complete, "{events}");
    }
}

#[test]
fn a_placeholder_split_at_every_place_comes_back_whole() {
    let (vault, placeholders) = vault(&[MAIL]);
    let text = format!("to {} and B", placeholders[0]);
    for endpoint in BOTH {
        for split in 0..=text.len() {
            for second in [split, (split + 3).min(text.len()), text.len()] {
                let (head, tail) = text.split_at(second);
                let (one, two) = head.split_at(split);
                let pieces = [one, two, tail];
                let events: String = pieces.iter().map(|piece| text_event(endpoint, piece)).collect::<String>() + end_events(endpoint);
                for size in [1, 5, events.len()] {
                    let (out, end) = run(endpoint, &vault, &events, size);
                    assert_eq!(read(endpoint, &out), format!("to {MAIL} and B"), "{split} {second} {size}");
                    assert_eq!((end.complete, end.values_restored), (true, 1));
                }
            }
        }
    }
}

#[test]
fn interleaved_tool_calls_do_not_mix() {
    let (vault, placeholders) = vault(&[MAIL, "DE89370400440532013000"]);
    let (one, two) = (&placeholders[0], &placeholders[1]);
    let event = |index: usize, piece: &str| {
        let arguments = serde_json::to_string(piece).unwrap();
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"tool_calls\":[{{\"index\":{index},\"function\":{{\"arguments\":{arguments}}}}}]}}}}]}}\n\n"
        )
    };
    let (one_head, one_tail) = one.split_at(5);
    let (two_head, two_tail) = two.split_at(9);
    let events = [
        event(0, &format!("{{\"a\":\"{one_head}")),
        event(1, &format!("{{\"b\":\"{two_head}")),
        event(0, &format!("{one_tail}\"}}")),
        event(1, &format!("{two_tail}\"}}")),
        end_events(Endpoint::ChatCompletions).to_owned(),
    ];
    let (out, _) = run(Endpoint::ChatCompletions, &vault, &events.concat(), 11);
    let mut arguments = [String::new(), String::new()];
    for line in std::str::from_utf8(&out).unwrap().lines().filter_map(|line| line.strip_prefix("data: {")) {
        let event: serde_json::Value = serde_json::from_str(&format!("{{{line}")).unwrap();
        let call = &event["choices"][0]["delta"]["tool_calls"][0];
        if let (Some(index), Some(piece)) = (call["index"].as_u64(), call["function"]["arguments"].as_str()) {
            arguments[usize::try_from(index).unwrap()].push_str(piece);
        }
    }
    assert_eq!(arguments, [format!("{{\"a\":\"{MAIL}\"}}"), "{\"b\":\"DE89370400440532013000\"}".to_owned()]);
}

#[test]
fn values_that_need_escaping_keep_arguments_valid() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S\n-----END PRIVATE KEY-----";
    let (vault, placeholders) = vault(&[key]);
    let arguments = serde_json::to_string(&format!("{{\"key\":\"{}\"}}", placeholders[0])).unwrap();
    let body = format!("{{\"choices\":[{{\"message\":{{\"tool_calls\":[{{\"function\":{{\"arguments\":{arguments}}}}}]}}}}]}}");
    let restored = answer(expected(Endpoint::ChatCompletions, false), body.into_bytes(), &vault).unwrap();
    let whole: serde_json::Value = serde_json::from_slice(&restored.bytes).unwrap();
    let arguments = whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(arguments).unwrap()["key"], key);
    assert_eq!(restored.values_restored, 1);
}

#[test]
fn without_placeholders_every_byte_stays() {
    let (vault, _) = vault(&[MAIL]);
    let events = ": ping\n\nevent: x\r\ndata: {\"type\":\"ping\" }\r\n\r\n".to_owned()
        + &text_event(Endpoint::Messages, "hello")
        + end_events(Endpoint::Messages);
    assert_eq!(String::from_utf8(run(Endpoint::Messages, &vault, &events, 3).0).unwrap(), events);
    let body = b"{ \"choices\" : [ ] }".to_vec();
    assert_eq!(answer(expected(Endpoint::ChatCompletions, false), body.clone(), &vault).unwrap().bytes, body);
}

#[test]
fn tokens_are_read_in_both_dialects() {
    let (vault, _) = vault(&[MAIL]);
    let body = br#"{"usage":{"prompt_tokens":7,"completion_tokens":9}}"#.to_vec();
    let usage = answer(expected(Endpoint::ChatCompletions, false), body, &vault).unwrap().usage;
    assert_eq!(usage, Usage { tokens_in: Some(7), tokens_out: Some(9) });
    let events = "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":2,\"output_tokens\":1}}}\n\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":9}}\n\n";
    let usage = run(Endpoint::Messages, &vault, events, 50).1.usage;
    assert_eq!(usage, Usage { tokens_in: Some(7), tokens_out: Some(9) });
    let usage = answer(expected(Endpoint::CountTokens, false), br#"{"input_tokens":3}"#.to_vec(), &vault).unwrap().usage;
    assert_eq!(usage.tokens_in, Some(3));
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_text(cuts in prop::collection::vec(0usize..60, 0..12), size in 1usize..40, anthropic: bool) {
        let endpoint = if anthropic { Endpoint::Messages } else { Endpoint::ChatCompletions };
        let (vault, placeholders) = vault(&[MAIL, "DE89370400440532013000"]);
        let text = format!("B{}BW_ {} BW_X_1 ü{}", placeholders[0], placeholders[1], placeholders[0]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| text.floor_char_boundary(cut.min(text.len()))).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let events: String = cuts.windows(2).map(|cut| text_event(endpoint, text.get(cut[0]..cut[1]).unwrap())).collect::<String>() + end_events(endpoint);
        let whole = vault.restore(&text).0.into_owned();
        let (out, end) = run(endpoint, &vault, &events, size);
        prop_assert_eq!(read(endpoint, &out), whole);
        prop_assert!(end.complete);
    }
}
