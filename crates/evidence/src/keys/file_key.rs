//! A signing key in a file.

use super::Secret;
use crate::Error;
use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use schema::{SignError, SignatureAlgorithm, Signer};
use zeroize::Zeroizing;

/// A key that was read from a file (PKCS#8, RFC 5958).
pub(crate) struct FileKey {
    pair: Pair,
    public: Vec<u8>,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    EcdsaP256(EcdsaKeyPair),
}

impl FileKey {
    /// Makes a key, as PKCS#8.
    pub(crate) fn generate(algorithm: SignatureAlgorithm) -> Result<Secret, Error> {
        let random = SystemRandom::new();
        let document = match algorithm {
            SignatureAlgorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random),
            SignatureAlgorithm::EcdsaP256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random),
        };
        document.map(|document| Zeroizing::new(document.as_ref().to_vec())).map_err(|_| Error::Random)
    }

    /// Reads PKCS#8. Ed25519 keys are found in both of its versions.
    pub(crate) fn parse(pkcs8: &[u8]) -> Option<Self> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(pkcs8) {
            let public = pair.public_key().as_ref().to_vec();
            return Some(Self { pair: Pair::Ed25519(pair), public });
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).ok()?;
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
        Some(Self { public: der.as_ref().to_vec(), pair: Pair::EcdsaP256(pair) })
    }
}

impl Signer for FileKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        match self.pair {
            Pair::Ed25519(_) => SignatureAlgorithm::Ed25519,
            Pair::EcdsaP256(_) => SignatureAlgorithm::EcdsaP256,
        }
    }

    fn public_key(&self) -> &[u8] {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::EcdsaP256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| SignError::Unavailable)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}
