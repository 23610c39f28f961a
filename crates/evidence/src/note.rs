//! Signed checkpoints: C2SP tlog-checkpoint in C2SP signed-note form.

use crate::tree::Hash;
use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey},
};
use data_encoding::{BASE64, HEXLOWER};
use schema::{SignError, SignatureAlgorithm, Signer};

/// Begins a signature line.
const SIGNATURE: &str = "\u{2014} ";
const KEY_ID_BYTES: usize = 4;
/// Longest signed checkpoint that is read: a text, and more signatures than any quorum needs.
pub(crate) const NOTE_BYTES_MAX: usize = 16 * 1024;

/// What a log's keeper says of its tree: that its first `size` entries have this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(&self.root))
    }

    /// The checkpoint as a note with one signature, in the name of the log.
    pub(crate) fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        let text = self.text();
        let mut signature = key_id(&self.origin, signer).to_vec();
        signature.extend(signer.sign(text.as_bytes())?);
        Ok(format!("{text}\n{SIGNATURE}{} {}\n", self.origin, BASE64.encode(&signature)))
    }

    /// Reads a note. The signatures are not checked.
    pub(crate) fn parse(note: &str) -> Option<(Self, Vec<NoteSignature<'_>>)> {
        if note.len() > NOTE_BYTES_MAX {
            return None;
        }
        let split = note.rfind("\n\n")?;
        let (text, signatures) = note.split_at_checked(split + 1)?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let size: u64 = size.parse().ok()?;
        let root: Hash = BASE64.decode(root.as_bytes()).ok()?.try_into().ok()?;
        let checkpoint = Self { origin: origin.to_owned(), size, root };
        if origin.is_empty() || checkpoint.text() != text {
            return None;
        }
        let signatures = signatures.strip_prefix('\n')?.strip_suffix('\n')?;
        let signatures: Option<Vec<_>> = signatures.split('\n').map(NoteSignature::parse).collect();
        Some((checkpoint, signatures?))
    }
}

/// One signature line of a note.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoteSignature<'a> {
    pub(crate) name: &'a str,
    pub(crate) key_id: [u8; KEY_ID_BYTES],
    pub(crate) bytes: Vec<u8>,
}

impl<'a> NoteSignature<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
        let decoded = BASE64.decode(encoded.as_bytes()).ok()?;
        let (key_id, bytes) = decoded.split_first_chunk()?;
        Some(Self { name, key_id: *key_id, bytes: bytes.to_vec() })
    }
}

/// The key's number in signature lines (signed-note, "Signature types").
pub(crate) fn key_id(name: &str, signer: &dyn Signer) -> [u8; KEY_ID_BYTES] {
    key_id_of(name, signer.algorithm(), signer.public_key())
}

pub(crate) fn key_id_of(name: &str, algorithm: SignatureAlgorithm, public: &[u8]) -> [u8; KEY_ID_BYTES] {
    let input = match algorithm {
        SignatureAlgorithm::Ed25519 => [name.as_bytes(), b"\n", &[type_byte(algorithm)], public].concat(),
        SignatureAlgorithm::EcdsaP256 => public.to_vec(),
    };
    digest(&SHA256, &input).as_ref().first_chunk().copied().unwrap_or_default()
}

/// Whether `signature` over `message` is of the key.
pub(crate) fn verifies(algorithm: SignatureAlgorithm, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = match algorithm {
        SignatureAlgorithm::Ed25519 => ParsedPublicKey::new(&ED25519, public),
        SignatureAlgorithm::EcdsaP256 => ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public),
    };
    key.is_ok_and(|key| key.verify_sig(message, signature).is_ok())
}

/// The key as other programs take it (signed-note, "Verifier keys").
pub(crate) fn verifier_key(name: &str, signer: &dyn Signer) -> String {
    let key = [&[type_byte(signer.algorithm())], signer.public_key()].concat();
    format!("{name}+{}+{}", HEXLOWER.encode(&key_id(name, signer)), BASE64.encode(&key))
}

fn type_byte(algorithm: SignatureAlgorithm) -> u8 {
    match algorithm {
        SignatureAlgorithm::Ed25519 => 1,
        SignatureAlgorithm::EcdsaP256 => 2,
    }
}

#[cfg(test)]
mod tests;
