use super::*;
use schema::RefusalCode::{Malformed, TooLarge, UnknownEndpoint, UnknownShape};

fn parse(endpoint: Endpoint, fields: &str) -> Result<Body, RefusalCode> {
    Body::parse(endpoint, format!("{{\"model\":\"m\",{fields}}}").into_bytes())
}

fn is_refused(endpoint: Endpoint, code: RefusalCode, bodies: &[&str]) {
    for fields in bodies {
        assert_eq!(parse(endpoint, fields).err(), Some(code), "{fields}");
    }
}

/// Accepted; opaque or not.
fn is_taken(endpoint: Endpoint, opaque: bool, bodies: &[&str]) {
    for fields in bodies {
        let body = parse(endpoint, fields).unwrap_or_else(|code| panic!("{code}: {fields}"));
        assert_eq!(body.opaque(), opaque, "{fields}");
    }
}

fn content(endpoint: Endpoint, code: Result<bool, RefusalCode>, parts: &[&str]) {
    for part in parts {
        let fields = format!(r#""messages":[{{"role":"user","content":[{part}]}}]"#);
        assert_eq!(parse(endpoint, &fields).map(|body| body.opaque()), code, "{part}");
    }
}

const CHAT: Endpoint = Endpoint::ChatCompletions;
const MESSAGES: Endpoint = Endpoint::Messages;

#[test]
fn bodies_that_are_not_their_dialects_are_malformed() {
    for endpoint in [CHAT, MESSAGES, Endpoint::CountTokens] {
        for body in ["", "[]", "1", "{}", r#"{"messages":[]}"#, r#"{"model":1,"messages":[]}"#, r#"{"model":"","messages":[]}"#] {
            assert_eq!(Body::parse(endpoint, body.into()).err(), Some(Malformed), "{body}");
        }
        is_refused(
            endpoint,
            Malformed,
            &[
                r#""messages":{}"#,
                r#""messages":[1]"#,
                r#""messages":[{}]"#,
                r#""messages":[{"role":1,"content":"x"}]"#,
                r#""messages":[{"role":"user","content":1}]"#,
                r#""messages":[{"role":"user","content":{"text":"x"}}]"#,
                r#""messages":[{"role":"user","content":["x"]}]"#,
                r#""messages":[],"stream":"true""#,
                r#""messages":[],"tools":{}"#,
                r#""messages":[],"tools":["x"]"#,
                r#""messages":[],"messages":[]"#,
            ],
        );
        let large = vec![b' '; schema::bounds::REQUEST_BODY_BYTES_MAX + 1];
        assert_eq!(Body::parse(endpoint, large).err(), Some(TooLarge));
    }
    is_refused(MESSAGES, Malformed, &[r#""messages":[],"tools":[{"type":1,"name":"t"}]"#, r#""messages":[],"system":1"#]);
    assert_eq!(parse(Endpoint::Models, r#""messages":[]"#).err(), Some(UnknownEndpoint));
}

#[test]
fn names_that_a_careless_reader_takes_for_others_are_refused() {
    for endpoint in [CHAT, MESSAGES] {
        is_refused(
            endpoint,
            UnknownShape,
            &[
                r#""messages":[],"Tools":[]"#,
                r#""messages":[],"\u017ftream":true"#,
                r#""messages":[],"MODEL":"other""#,
                r#""messages":[{"role":"user","Content":"x"}]"#,
                r#""messages":[{"role":"user","content":[{"type":"text","Text":"x"}]}]"#,
            ],
        );
    }
}

#[test]
fn content_that_only_the_vendor_could_fetch_is_refused() {
    content(
        CHAT,
        Err(UnknownShape),
        &[
            r#"{"type":"image_url","image_url":{"url":"https://example.com/a.png?q=words"}}"#,
            r#"{"type":"file","file":{"file_id":"f1"}}"#,
            r#"{"type":"file","file":{"file_url":"https://example.com"}}"#,
            r#"{"type":"text","text":"x","file":{"file_id":"f1"}}"#,
            r#"{"type":"video_url"}"#,
            r#"{"text":"no type"}"#,
        ],
    );
    is_refused(
        CHAT,
        UnknownShape,
        &[
            r#""messages":[],"web_search_options":{}"#,
            r#""messages":[],"previous_response_id":"r1""#,
            r#""messages":[],"tools":[{"type":"web_search"}]"#,
            r#""messages":[],"tools":[{"function":{"name":"f"}}]"#,
            r#""messages":[{"role":"assistant","audio":{"id":"a1"}}]"#,
        ],
    );
    content(
        MESSAGES,
        Err(UnknownShape),
        &[
            r#"{"type":"image","source":{"type":"url","url":"https://example.com/a.png"}}"#,
            r#"{"type":"document","source":{"type":"file","file_id":"f1"}}"#,
            r#"{"type":"image","source":{"type":"base64","data":"QUJD","url":"https://example.com"}}"#,
            r#"{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"u"}}]}}"#,
            r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"container_upload","file_id":"f"}]}"#,
            r#"{"type":"text","text":"x","source":{"type":"url","url":"u"}}"#,
            r#"{"type":"server_tool_use","name":"web_search"}"#,
            r#"{"text":"no type"}"#,
        ],
    );
    is_refused(
        MESSAGES,
        UnknownShape,
        &[
            r#""messages":[],"mcp_servers":[{"type":"url","url":"https://example.com"}]"#,
            r#""messages":[],"container":{"id":"c"}"#,
            r#""messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]"#,
            r#""messages":[],"tools":[{"type":"code_execution_20250825","name":"code_execution"}]"#,
        ],
    );
}

#[test]
fn blocks_nested_beyond_the_bound_are_refused() {
    let nest = |depth: usize| {
        let open = r#"{"type":"tool_result","tool_use_id":"t","content":["#.repeat(depth);
        format!(r#""messages":[{{"role":"user","content":[{open}{{"type":"text","text":"x"}}{}]}}]"#, "]}".repeat(depth))
    };
    is_taken(MESSAGES, false, &[&nest(3)]);
    is_refused(MESSAGES, UnknownShape, &[&nest(4), &nest(20)]);
}

#[test]
fn what_cannot_be_looked_into_is_opaque() {
    content(
        CHAT,
        Ok(true),
        &[
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD","detail":"low"}}"#,
            r#"{"type":"input_audio","input_audio":{"data":"QUJD","format":"wav"}}"#,
            r#"{"type":"file","file":{"file_data":"QUJD","filename":"a.pdf"}}"#,
        ],
    );
    content(
        MESSAGES,
        Ok(true),
        &[
            r#"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}}"#,
            r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}}"#,
            r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"image","source":{"type":"base64","data":"QUJD"}}]}"#,
        ],
    );
}

#[test]
fn what_agents_send_is_taken() {
    is_taken(
        CHAT,
        false,
        &[
            r#""messages":[]"#,
            r#""messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
            r#""messages":[{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"x"}]}]"#,
            r#""messages":[{"role":"assistant","content":[{"type":"refusal","refusal":"x"}]}]"#,
            r#""messages":[],"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"g"}}],"tool_choice":"auto""#,
            r#""messages":[],"prediction":{"type":"content","content":"x"},"response_format":{"type":"json_object"},"stream_options":{"include_usage":true}"#,
            r#""messages":[],"web_search_options":null,"stream":null,"tools":null,"temperature":0"#,
        ],
    );
    is_taken(
        MESSAGES,
        false,
        &[
            r#""max_tokens":1,"messages":[],"system":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]"#,
            r#""messages":[{"role":"system","content":"in between"},{"role":"user","content":"x"}]"#,
            r#""messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"tool_use","id":"t","name":"n","input":{}}]}]"#,
            r#""messages":[],"context_management":{"edits":[{"type":"e","keep":"all"}]},"output_config":{"effort":"medium"},"thinking":{"type":"adaptive"},"metadata":{"user_id":"{}"}"#,
            r#""messages":[],"tools":[{"name":"t","input_schema":{},"defer_loading":true},{"type":"custom","name":"u"},{"type":"bash_20250124","name":"bash"}]"#,
            r#""messages":[],"mcp_servers":[],"container":null"#,
            r#""messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","data":"x"}},{"type":"search_result","source":"a","content":[{"type":"text","text":"x"}]}]}]"#,
        ],
    );
}

#[test]
fn what_an_answer_will_look_like_is_known() {
    let expects = |endpoint, fields: &str| parse(endpoint, fields).unwrap().expects();
    assert_eq!(expects(CHAT, r#""messages":[]"#), Expected { endpoint: CHAT, stream: false, text_is_json: false });
    assert!(expects(CHAT, r#""messages":[],"stream":true"#).stream);
    for format in [r#""response_format":{"type":"json_object"}"#, r#""response_format":{"type":"json_schema","json_schema":{}}"#] {
        assert!(expects(CHAT, &format!(r#""messages":[],{format}"#)).text_is_json, "{format}");
    }
    for format in [r#""output_format":{"type":"json_schema"}"#, r#""output_config":{"format":{"type":"json_schema"}}"#] {
        assert!(expects(MESSAGES, &format!(r#""messages":[],{format}"#)).text_is_json, "{format}");
    }
    assert!(!expects(MESSAGES, r#""messages":[],"output_config":{"effort":"low"}"#).text_is_json);
}

#[test]
fn only_known_request_lines_are_served() {
    for (method, target) in [
        ("POST", ""),
        ("POST", "/"),
        ("GET", "/v1/messages"),
        ("post", "/v1/messages"),
        ("POST", "/v1/messages/"),
        ("POST", "/v1//messages"),
        ("POST", "/V1/messages"),
        ("POST", "/v1/messages?beta=true&x=words"),
        ("POST", "/v1/messages?BETA=true"),
        ("POST", "/v1/messages#beta"),
        ("POST", "/v1/%6dessages"),
        ("POST", "/v1/messages/batches"),
        ("POST", "/v1/responses"),
        ("POST", "/v1/files"),
        ("POST", "/api/hello"),
    ] {
        assert_eq!(Endpoint::of(method, target), Err(UnknownEndpoint), "{method} {target}");
    }
    for (method, target, endpoint) in [
        ("POST", "/v1/chat/completions", CHAT),
        ("POST", "/chat/completions", CHAT),
        ("POST", "/v1/messages?beta=true", MESSAGES),
        ("POST", "/v1/messages/count_tokens?beta=true", Endpoint::CountTokens),
        ("GET", "/v1/models", Endpoint::Models),
        ("GET", "/v1/models?limit=1000", Endpoint::Models),
        ("HEAD", "/", Endpoint::Probe),
        ("HEAD", "/api/hello", Endpoint::Probe),
    ] {
        assert_eq!(Endpoint::of(method, target), Ok(endpoint), "{method} {target}");
    }
}
