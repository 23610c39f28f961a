use crate::Token;
use serde::{Deserialize, Serialize};

/// HMAC-SHA-256 of content, with the name of the key (RFC 2104; PCI DSS 4.0.1 requirement 3.5.1.1).
/// Written `hmac-sha256:KEY_ID:HEX`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyedDigest {
    /// Which key.
    pub key_id: Token,
    /// The 32 bytes as 64 lower-case hex digits.
    pub hmac_sha256: Token,
}

impl std::fmt::Display for KeyedDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hmac-sha256:{}:{}", self.key_id, self.hmac_sha256)
    }
}
