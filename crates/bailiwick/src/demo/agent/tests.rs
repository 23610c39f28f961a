use super::*;

#[test]
fn a_stream_that_breaks_off_is_no_answer() {
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"ab\"}}]}\n\n";
    assert_eq!(streamed(event), None);
    assert_eq!(streamed(&format!("{event}{event}data: [DONE]\n\n")).as_deref(), Some("abab"));
    assert_eq!(whole("{}"), None);
    assert_eq!(whole(r#"{"choices":[{"message":{"content":"x"}}]}"#).as_deref(), Some("x"));
}

#[test]
fn half_a_line_of_an_answer_that_was_cut_off_is_dropped() {
    assert_eq!(whole_lines("one\ntwo BW_DE"), "one");
    assert_eq!(whole_lines("only one"), "only one");
}
