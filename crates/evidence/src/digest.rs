use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use schema::{KeyedDigest, Token};
use std::sync::Arc;
use zeroize::Zeroizing;

const KEY_ID_INPUT: &[u8] = b"bailiwick-digest-key-id-v1";

/// The key of all keyed digests (HMAC-SHA-256, RFC 2104). Whoever lacks it cannot test guesses against a digest.
#[derive(Clone)]
pub struct DigestKey {
    bytes: Arc<Zeroizing<[u8; 32]>>,
    id: Token,
}

impl DigestKey {
    /// Takes a key of 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), KEY_ID_INPUT);
        let id = Token::lossy(&HEXLOWER.encode(tag.as_ref().get(..8).unwrap_or_default()));
        Self { bytes: Arc::new(Zeroizing::new(bytes)), id }
    }

    /// The key itself, to hand to a process that must make digests. Treat it as a secret.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(**self.bytes)
    }

    /// The key's name in every digest that it made. It reveals nothing of the key.
    pub fn id(&self) -> &Token {
        &self.id
    }

    /// The digest of `bytes`. `domain` says what they are (`prompt`, `path`), so that digests of different things never coincide.
    pub fn digest(&self, domain: &str, bytes: &[u8]) -> KeyedDigest {
        let mut hasher = self.hasher(domain);
        hasher.update(bytes);
        hasher.finish()
    }

    /// A digest over bytes that come piece by piece.
    pub fn hasher(&self, domain: &str) -> DigestHasher {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.bytes.as_slice());
        let mut context = hmac::Context::with_key(&key);
        context.update(domain.as_bytes());
        context.update(&[0]);
        DigestHasher { context, id: self.id.clone() }
    }
}

impl std::fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DigestKey({})", self.id)
    }
}

/// See [`DigestKey::hasher`].
pub struct DigestHasher {
    context: hmac::Context,
    id: Token,
}

impl DigestHasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    /// The digest of all bytes so far.
    pub fn finish(self) -> KeyedDigest {
        let tag = self.context.sign();
        KeyedDigest { key_id: self.id, hmac_sha256: Token::lossy(&HEXLOWER.encode(tag.as_ref())) }
    }
}

impl std::fmt::Debug for DigestHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DigestHasher({})", self.id)
    }
}

#[cfg(test)]
mod tests;
