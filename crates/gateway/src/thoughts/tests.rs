use super::*;
use crate::json::Document;

fn thoughts(content: &str) -> Vec<ThoughtDigest> {
    thoughts_of(Document::parse(content.as_bytes()).unwrap().root()).map(|(digest, _)| digest).collect()
}

#[test]
fn another_text_or_signature_is_another_thought() {
    let known = thoughts(r#"[{"type":"thinking","thinking":"ab","signature":"c"}]"#);
    for other in [
        r#"[{"type":"thinking","thinking":"a","signature":"bc"}]"#,
        r#"[{"type":"thinking","thinking":"abc","signature":"c"}]"#,
        r#"[{"type":"thinking","thinking":"ab","signature":"d"}]"#,
        r#"[{"type":"thinking","thinking":"ab"}]"#,
        r#"[{"type":"redacted_thinking","thinking":"ab","signature":"c"}]"#,
        r#"[{"type":"redacted_thinking","data":"ab"}]"#,
    ] {
        assert_ne!(thoughts(other), known, "{other}");
    }
    assert_eq!(thoughts(r#"[{"signature":"\u0063","thinking":"a\u0062","type":"thinking"}]"#), known);
    assert_eq!(thoughts(r#"[{"type":"text","text":"ab"},{"thinking":"ab","signature":"c"},"x"]"#), Vec::<ThoughtDigest>::new());
}

#[test]
fn a_stream_gives_the_thought_that_the_agent_puts_together() {
    let mut stream = ThoughtStream::default();
    let mut take = |event: &str| stream.take(Document::parse(event.as_bytes()).unwrap().root());
    assert!(!take(r#"{"type":"message_start","message":{}}"#));
    assert!(!take(r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#));
    assert!(!take(r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"no thought was opened"}}"#));
    assert!(take(r#"{"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"","signature":""}}"#));
    assert!(take(r#"{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"a"}}"#));
    assert!(take(r#"{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"b"}}"#));
    assert!(take(r#"{"type":"content_block_delta","index":1,"delta":{"type":"signature_delta","signature":"c"}}"#));
    assert!(take(r#"{"type":"content_block_stop","index":1}"#));
    assert!(!take(r#"{"type":"content_block_stop","index":1}"#));
    assert!(take(r#"{"type":"content_block_start","index":2,"content_block":{"type":"redacted_thinking","data":"x"}}"#));
    assert!(take(r#"{"type":"content_block_stop","index":2}"#));
    let whole = thoughts(r#"[{"type":"thinking","thinking":"ab","signature":"c"},{"type":"redacted_thinking","data":"x"}]"#);
    assert_eq!(stream.drain(), whole);
    assert_eq!(stream.drain(), Vec::<ThoughtDigest>::new());
}

#[test]
fn what_passes_the_bound_is_not_remembered() {
    let mut known = Thoughts::default();
    let many: Vec<ThoughtDigest> = (0..=THOUGHTS_MAX as u64).map(|number| digest("", &number.to_string(), "", "")).collect();
    known.remember(&many);
    assert_eq!(many.iter().filter(|thought| known.knows(thought)).count(), THOUGHTS_MAX);
}
