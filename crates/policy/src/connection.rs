use crate::Policy;
use crate::refusal::Refusal;
use schema::{RefusalCode, SessionId, Token};

/// What is known of a connection that an agent tries to open past the gateway.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionFacts<'a> {
    /// Whose session.
    pub session_id: &'a SessionId,
    /// `tcp`, `udp`, `http_connect`, `http`, `socks5`.
    pub protocol: &'a Token,
    /// The address, or the host name.
    pub host: &'a Token,
    /// The port.
    pub port: u16,
}

/// What becomes of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionDecision {
    /// It is not made.
    Deny(Refusal),
}

/// Decides on a connection past the gateway. No policy of version 1 has a rule that lets one go, so each is denied by the rule
/// that stands for all: `connections.default`.
pub fn decide_connection(policy: &Policy, _facts: &ConnectionFacts<'_>) -> ConnectionDecision {
    ConnectionDecision::Deny(policy.refusal(RefusalCode::DestinationDenied, "connections.default"))
}

/// Decides on the resolution of a name, likewise always denied, by `names.default`.
pub fn decide_name(policy: &Policy, _session_id: &SessionId) -> ConnectionDecision {
    ConnectionDecision::Deny(policy.refusal(RefusalCode::NameDenied, "names.default"))
}
