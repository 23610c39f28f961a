use crate::{Error, hex};
use ed25519_dalek::{Signature, VerifyingKey};
use schema::Seal;
use sha2::{Digest as _, Sha256};
use std::{fs::File, io::Read, path::Path};

/// The file beside a log that holds a copy of its keeper's public key. Whoever can change the log can change it, too.
pub const KEY_FILE: &str = "signing.pub";
const KEY_FILE_BYTES_MAX: u64 = 4096;

/// The public key of a log's keeper (Ed25519, RFC 8032).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: String,
}

impl PublicKey {
    /// Reads 64 lower-case hex digits; white space around them is ignored.
    ///
    /// # Errors
    /// [`Error::NotAKey`], also for keys of small order, with which everyone can sign.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::from_text(text).ok_or_else(|| Error::NotAKey { origin: "the key given".to_owned() })
    }

    /// Reads a file that holds such digits.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotAKey`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let mut text = String::new();
        let opened = File::open(path).map_err(Error::io("open the key", path))?;
        let not_a_key = || Error::NotAKey { origin: path.display().to_string() };
        match opened.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text) {
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(not_a_key()),
            Err(error) => Err(Error::io("read the key", path)(error)),
            Ok(_) => Self::from_text(&text).ok_or_else(not_a_key),
        }
    }

    /// Reads what a person gave: the digits themselves, or else the name of a file that holds them.
    ///
    /// # Errors
    /// As [`PublicKey::read`].
    pub fn from_argument(text: &str) -> Result<Self, Error> {
        Self::from_text(text).map_or_else(|| Self::read(Path::new(text)), Ok)
    }

    /// The key's name in seals: the first 16 hex digits of its SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key as 64 lower-case hex digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.key.as_bytes())
    }

    fn from_text(text: &str) -> Option<Self> {
        let bytes = hex::decode(text.trim_ascii())?;
        let key = VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak())?;
        let id = hex::encode(Sha256::digest(bytes).get(..8)?);
        Some(Self { key, id })
    }

    /// Whether `seal` is this key's signature over `input`. Strict: no other encoding of the same signature counts.
    pub(crate) fn verifies(&self, input: &str, seal: &Seal) -> bool {
        hex::decode(seal.ed25519.as_str())
            .is_some_and(|bytes| self.key.verify_strict(input.as_bytes(), &Signature::from_bytes(&bytes)).is_ok())
    }
}

#[cfg(test)]
mod tests;
