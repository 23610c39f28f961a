use serde::{Deserialize, Serialize};

/// A short machine name (rule id, model name, profile): 1 to 128 bytes of `A–Z a–z 0–9 . _ : @ / + ~ -`.
///
/// The alphabet keeps free text, and with it prompts and personal sentences, out of events by type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

/// Why a text is not a [`Token`]. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It has no characters.
    #[error("a name must have at least one character")]
    Empty,
    /// It has more than 128 bytes.
    #[error("a name may have at most 128 bytes")]
    TooLong,
    /// It has a character outside the alphabet.
    #[error("a name may hold only letters, digits and . _ : @ / + ~ -")]
    Alphabet,
}

impl Token {
    /// Parses a name.
    ///
    /// # Errors
    /// [`TokenError`] says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        if text.len() > crate::bounds::TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:@/+~-".contains(&b)) {
            return Err(TokenError::Alphabet);
        }
        Ok(Self(text.to_owned()))
    }

    /// The nearest name to `text`: other characters become `-`, the rest is cut, nothing becomes `-`.
    /// For names that a hostile side chose; pass only text that has been inspected.
    pub fn lossy(text: &str) -> Self {
        let mapped: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._:@/+~-".contains(c) { c } else { '-' })
            .take(crate::bounds::TOKEN_BYTES_MAX)
            .collect();
        Self(if mapped.is_empty() { "-".to_owned() } else { mapped })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Token {
    type Error = TokenError;
    fn try_from(text: String) -> Result<Self, TokenError> {
        Self::parse(&text)
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}
