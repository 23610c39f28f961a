use super::*;

const GOOD: &str = r#"version = 1
listen = "127.0.0.1:4180"
profile = "pilot"
evidence_directory = "/var/lib/bailiwick/evidence"
keys_directory = "/var/lib/bailiwick/keys"

[[clients]]
agent = "ci-bot"
user = "build"
token_env = "CI_TOKEN"
"#;

fn complaints(text: &str) -> Vec<String> {
    StandaloneFile::parse("gateway.toml", text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_is_wrong_is_said_at_once_with_its_line() {
    let text = GOOD
        .replace("127.0.0.1:4180", "0.0.0.0:4180")
        .replace("\"pilot\"", "\"nosuch\"")
        .replace("token_env = \"CI_TOKEN\"", "token = \"inline-secret\"");
    let found = complaints(&text);
    let all = found.join("\n");
    for start in ["gateway.toml:2:", "gateway.toml:3:", "gateway.toml:10:"] {
        assert!(found.iter().any(|line| line.starts_with(start)), "{start} in {all}");
    }
    assert!(!all.contains("inline-secret"), "{all}");
}

#[test]
fn addresses_that_others_reach_are_refused() {
    for address in ["0.0.0.0:1", "[::]:1", "10.0.0.1:80", "localhost", "unix:relative", "127.0.0.1"] {
        assert!(!complaints(&GOOD.replace("127.0.0.1:4180", address)).is_empty(), "{address}");
    }
}

#[test]
fn a_missing_policy_client_or_token_is_refused() {
    assert!(complaints(&GOOD.replace("profile = \"pilot\"\n", "")).join("").contains("policy is missing"));
    assert!(complaints(GOOD.split("[[clients]]").next().unwrap()).join("").contains("clients"));
    assert!(complaints(&GOOD.replace("token_env = \"CI_TOKEN\"", "")).join("").contains("token is missing"));
    assert!(complaints(&format!("{GOOD}token_file = \"/t\"")).join("").contains("not both"));
    assert!(complaints(&GOOD.replace("profile", "policy_file = \"/p\"\nprofile")).join("").contains("not both"));
}

#[test]
fn a_complete_file_is_read() {
    let file = StandaloneFile::parse("gateway.toml", GOOD).unwrap();
    assert_eq!(file.listen, Listen::Tcp("127.0.0.1:4180".parse().unwrap()));
    assert_eq!(file.policy, PolicySource::Profile("pilot".to_owned()));
    let client = file.clients[0].clone();
    assert_eq!(client.token, KeySource::Variable("CI_TOKEN".to_owned()));
    let session = SessionId::parse("ses-1").unwrap();
    let loaded = client.load(session.clone(), Trust::SelfKept, &|_| Some("0123456789abcdef0123456789abcdef".into())).unwrap();
    assert_eq!((loaded.subject().agent_id.as_str(), &loaded.subject().session_id), ("ci-bot", &session));
    let unix = StandaloneFile::parse("g", &GOOD.replace("127.0.0.1:4180", "unix:/run/b.sock")).unwrap();
    assert_eq!(unix.listen, Listen::Unix("/run/b.sock".into()));
}
