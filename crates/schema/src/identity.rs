use crate::Token;
use serde::{Deserialize, Serialize};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Token);

        impl $name {
            /// Makes an identifier from 128 random bits.
            pub fn from_random(random: [u8; 16]) -> Self {
                let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
                Self(Token::lossy(&format!(concat!($prefix, "-{}"), hex)))
            }

            /// Takes an identifier that another process made.
            ///
            /// # Errors
            /// [`crate::TokenError`] if the text is no name at all.
            pub fn parse(text: &str) -> Result<Self, crate::TokenError> {
                Token::parse(text).map(Self)
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

identifier!(
    /// One run of one agent.
    SessionId, "ses"
);
identifier!(
    /// One call to a model.
    RequestId, "req"
);

/// Who keeps the record of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// The user's own processes: the user could alter them.
    #[serde(rename = "self")]
    SelfKept,
    /// The endpoint service, under its own account.
    Endpoint,
}

impl Trust {
    /// The tier's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SelfKept => "self",
            Self::Endpoint => "endpoint",
        }
    }
}

/// On whose behalf an agent acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The session.
    pub session_id: SessionId,
    /// The corporate or operating-system user.
    pub user_id: Token,
    /// The agent (program name and version, or the client's registered name).
    pub agent_id: Token,
    /// Registered purpose of processing (GDPR Art. 30), if one was given.
    pub purpose: Option<Token>,
    /// Who keeps the record.
    pub trust: Trust,
    /// The agent's version by the package metadata next to its program, `unknown` if there is none; none for clients without a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<Token>,
    /// SHA-256 of the agent's program file, measured before it started; none for clients without a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_digest: Option<Token>,
}
