use crate::{Error, base64, hex, note::is_name};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::{fs::File, io::Read, path::Path};

/// The file beside a log that holds a copy of its keeper's public key. Whoever can change the log can change it, too.
pub const KEY_FILE: &str = "log.vkey";
const KEY_FILE_BYTES_MAX: u64 = 4096;
/// Kinds of keys and signatures in signed notes.
const ED25519: u8 = 1;
const COSIGNATURE: u8 = 4;

/// The public key of a log's keeper (Ed25519, RFC 8032).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    /// The log that it signs, if that is known with the key.
    origin: Option<String>,
}

impl PublicKey {
    /// Reads 64 lower-case hex digits, or a verifier key of signed notes (`ORIGIN+ID+BASE64`); white space around them is ignored.
    ///
    /// # Errors
    /// [`Error::NotAKey`], also for keys of small order, with which everyone can sign.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::from_text(text).ok_or_else(|| Error::NotAKey { origin: "the key given".to_owned() })
    }

    /// Reads a file that holds either.
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

    /// Reads what a person gave: the key itself, or else the name of a file that holds it.
    ///
    /// # Errors
    /// As [`PublicKey::read`].
    pub fn from_argument(text: &str) -> Result<Self, Error> {
        Self::from_text(text).map_or_else(|| Self::read(Path::new(text)), Ok)
    }

    /// The key as 64 lower-case hex digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.key.as_bytes())
    }

    fn from_text(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        if let Some(bytes) = hex::decode(text) {
            return Some(Self { key: strong(&bytes)?, origin: None });
        }
        let (name, key) = verifier_key(text, ED25519)?;
        Some(Self { key, origin: Some(name.to_owned()) })
    }

    /// The log that the key was given for.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Whether both are the same key, whichever log they were given for.
    pub(crate) fn is_same_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// The key's id in signatures of the log `origin`.
    pub(crate) fn note_id(&self, origin: &str) -> [u8; 4] {
        note_id(origin, ED25519, &self.key)
    }

    /// Whether `signature` is this key's over `text`. Strict: no other encoding of the same signature counts.
    pub(crate) fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        verifies(&self.key, text.as_bytes(), signature)
    }
}

/// The public key of a witness (C2SP tlog-cosignature, version 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: VerifyingKey,
}

impl WitnessKey {
    /// Reads a verifier key (`NAME+ID+BASE64`) of kind 4.
    ///
    /// # Errors
    /// [`Error::NotAKey`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (name, key) =
            verifier_key(text.trim_ascii(), COSIGNATURE).ok_or_else(|| Error::NotAKey { origin: "the key of a witness".to_owned() })?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a signature line of this name and id claims to be this witness's.
    pub(crate) fn is_named(&self, name: &str, key_id: [u8; 4]) -> bool {
        self.name == name && note_id(name, COSIGNATURE, &self.key) == key_id
    }

    /// When the witness says that it saw the note `text`, in seconds since 1970, if `bytes` are its cosignature.
    pub(crate) fn cosigned(&self, text: &str, bytes: &[u8]) -> Option<u64> {
        let (time, signature) = bytes.split_first_chunk()?;
        let time = u64::from_be_bytes(*time);
        verifies(&self.key, format!("cosignature/v1\ntime {time}\n{text}").as_bytes(), signature).then_some(time)
    }
}

/// Reads `NAME+ID+BASE64(KIND ‖ KEY)`; the id must fit.
fn verifier_key(text: &str, kind: u8) -> Option<(&str, VerifyingKey)> {
    let (name, rest) = text.split_once('+')?;
    let (id, encoded) = rest.split_once('+')?;
    let decoded = base64::decode(encoded)?;
    let (found, bytes) = decoded.split_first()?;
    let key = strong(&<[u8; 32]>::try_from(bytes).ok()?)?;
    (is_name(name) && *found == kind && hex::decode(id)? == note_id(name, kind, &key)).then_some((name, key))
}

fn strong(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

fn note_id(name: &str, kind: u8, key: &VerifyingKey) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key.as_bytes()).finalize();
    hash.first_chunk().copied().unwrap_or_default()
}

fn verifies(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    <[u8; 64]>::try_from(signature).is_ok_and(|bytes| key.verify_strict(message, &Signature::from_bytes(&bytes)).is_ok())
}

#[cfg(test)]
mod tests;
