use super::*;

#[test]
fn a_stream_that_breaks_off_is_no_answer() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"ab\"}}]}\n\n";
    assert_eq!(streamed(event), None);
    assert_eq!(streamed(&format!("{event}{event}data: [DONE]\n\n")).as_deref(), Some("abab"));
    assert_eq!(whole("{}"), None);
    assert_eq!(whole(r#"{"choices":[{"message":{"content":"x"}}]}"#).as_deref(), Some("x"));
}
