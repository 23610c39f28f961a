//! Keys that sign without showing themselves: a file, a hardware token, later a TPM.

/// How a log is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// Ed25519 (RFC 8032) over the message.
    Ed25519,
    /// ECDSA on P-256 over the message's SHA-256 (FIPS 186-5), the signature in ASN.1 DER.
    EcdsaP256,
}

/// Why nothing was signed. Never repeats the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The key's holder did not answer, or refused.
    #[error("the holder of the signing key did not sign; see that the token or service is reachable and unlocked")]
    Unavailable,
}

/// Holds a signing key and uses it. The key itself cannot be had from it.
pub trait Signer: Send + Sync {
    /// How it signs.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// The public key: 32 bytes (RFC 8032) for Ed25519, a DER SubjectPublicKeyInfo (RFC 5480) for ECDSA.
    fn public_key(&self) -> &[u8];

    /// The signature of `message`: 64 bytes for Ed25519, DER for ECDSA.
    ///
    /// # Errors
    /// [`SignError`] if the key's holder does not sign; what waits for the signature must not go on.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}
