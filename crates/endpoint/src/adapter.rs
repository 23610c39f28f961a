//! Points agents and SDKs at the gateway: base URLs, keys that prove nothing, proxy and certificate variables.

use std::ffi::OsString;
use std::path::Path;

/// The gateway's port on the session's loopback.
pub const GATEWAY_PORT: u16 = 4180;
/// The door's proxy port on the session's loopback.
pub const PROXY_PORT: u16 = 4181;
/// The key that agents insist on having. Identity is the session's own listener, so it opens nothing.
const DUMMY_KEY: &str = "bailiwick-session";
/// The system's certificates, for programs that bring none of their own.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Variables for every session: which agent runs does not matter, and an agent may start another.
pub(crate) fn variables() -> Vec<(OsString, OsString)> {
    let gateway = format!("http://127.0.0.1:{GATEWAY_PORT}");
    let openai = format!("{gateway}/v1");
    let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
    let near = "127.0.0.1,localhost,::1";
    let mut list: Vec<(&str, &str)> = vec![
        // OpenAI SDKs, and what LiteLLM (aider, mini-swe-agent) reads.
        ("OPENAI_BASE_URL", &openai),
        ("OPENAI_API_BASE", &openai),
        ("OPENAI_API_KEY", DUMMY_KEY),
        // Anthropic SDKs and Claude Code.
        ("ANTHROPIC_BASE_URL", &gateway),
        ("ANTHROPIC_API_KEY", DUMMY_KEY),
        // The gateway is near; everything else goes to the door, which answers in words.
        ("HTTP_PROXY", &proxy),
        ("HTTPS_PROXY", &proxy),
        ("ALL_PROXY", &proxy),
        ("NO_PROXY", near),
        ("http_proxy", &proxy),
        ("https_proxy", &proxy),
        ("all_proxy", &proxy),
        ("no_proxy", near),
        // What would only be refused at the door: updates, telemetry, error reports.
        ("DISABLE_AUTOUPDATER", "1"),
        ("DISABLE_TELEMETRY", "1"),
        ("DISABLE_ERROR_REPORTING", "1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        ("AIDER_ANALYTICS", "false"),
        ("AIDER_CHECK_UPDATE", "false"),
        ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
        // Agents that ask whether somebody else already holds them.
        ("IS_SANDBOX", "1"),
    ];
    if Path::new(CERTIFICATES).is_file() {
        list.extend([("SSL_CERT_FILE", CERTIFICATES), ("NODE_EXTRA_CA_CERTS", CERTIFICATES), ("REQUESTS_CA_BUNDLE", CERTIFICATES)]);
    }
    list.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}
