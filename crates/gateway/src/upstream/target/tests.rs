use super::*;

fn upstream(argument: &str) -> policy::Upstream {
    policy::Upstream::parse_argument(argument).unwrap()
}

#[test]
fn a_model_file_without_its_process_is_refused() {
    let model = upstream("on_prem:local=file:/models/m.gguf");
    assert!(matches!(Target::of(&model, None), Err(Error::NoModel { .. })));
    let target = Target::of(&model, Some(&"/run/model.sock".into())).unwrap();
    assert_eq!(target.way, Way::Unix("/run/model.sock".into()));
}

#[test]
fn base_paths_join_with_and_without_v1() {
    for (argument, uri) in [
        ("anthropic=https://api.example.com", "https://api.example.com/v1/messages"),
        ("anthropic=https://api.example.com/v1/", "https://api.example.com/v1/messages"),
        ("anthropic=https://api.example.com:8443/proxy/v1", "https://api.example.com:8443/proxy/v1/messages"),
        ("anthropic=http://127.0.0.1:9", "http://127.0.0.1:9/v1/messages"),
        ("anthropic=http://[::1]:9/x", "http://[::1]:9/x/v1/messages"),
        ("on_prem:local=unix:/run/model.sock", "http://localhost/v1/messages"),
    ] {
        assert_eq!(Target::of(&upstream(argument), None).unwrap().uri("/v1/messages").unwrap(), uri);
    }
}

#[test]
fn only_a_name_of_this_machine_counts_as_loopback() {
    let way = |argument: &str| Target::of(&upstream(argument), None).unwrap().way;
    assert_eq!(way("openai=http://[::1]:9"), Way::Tcp { host: "::1".to_owned(), port: 9, loopback: true });
    let remote = Way::Tcp { host: "127.0.0.1.example.com".to_owned(), port: 443, loopback: false };
    assert_eq!(way("openai=https://127.0.0.1.example.com"), remote);
}
