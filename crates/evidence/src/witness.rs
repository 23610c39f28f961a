//! Witnesses: someone else signs a log's checkpoints too, and never two that contradict each other (C2SP tlog-witness, tlog-cosignature).
//! A thief of the log's key cannot rewrite what a witness has seen.

use crate::{
    Error, files,
    log::ORIGIN_PREFIX,
    note::{self, Checkpoint, NOTE_BYTES_MAX, NoteSignature},
    tree::{Hash, node},
};
use data_encoding::{BASE64, HEXLOWER};
use schema::{SignatureAlgorithm, Signer};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

mod cosigned;

pub use cosigned::{Submission, WITNESSED_FILE, WitnessKey};

/// Most hashes in a proof of consistency.
const PROOF_HASHES_MAX: usize = 63;
/// Longest request that a witness reads, in bytes.
pub const SUBMISSION_BYTES_MAX: usize = NOTE_BYTES_MAX + 64 * 64;
/// Begins the message of a cosignature.
const COSIGNATURE_HEADER: &str = "cosignature/v1";

/// Why a witness does not cosign. The status codes are those of tlog-witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The request is not of the form.
    #[error("the request is not an old size, a proof and a checkpoint")]
    Malformed,
    /// No key that the witness knows has signed the checkpoint.
    #[error("the checkpoint is not signed by a key that this witness knows")]
    Forbidden,
    /// The witness does not watch such logs.
    #[error("this witness does not watch logs of that origin")]
    UnknownLog,
    /// The old size is not that of the last checkpoint that the witness cosigned.
    #[error("the last checkpoint that this witness cosigned has {size} entries")]
    Conflict {
        /// The size of that one.
        size: u64,
    },
    /// The checkpoint contradicts the one that was cosigned before.
    #[error("the checkpoint is not consistent with the last one that this witness cosigned: the log was forked, cut or written anew")]
    Inconsistent,
    /// The witness cannot keep or sign what it has seen.
    #[error("this witness cannot keep its state or sign; repair its disk or key, then ask again")]
    Unavailable,
}

impl Refused {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Forbidden => 403,
            Self::UnknownLog => 404,
            Self::Conflict { .. } => 409,
            Self::Inconsistent => 422,
            Self::Unavailable => 500,
        }
    }

    /// The body of the answer: the size alone in a conflict, as its media type `text/x.tlog.size` says.
    pub fn body(self) -> String {
        if let Self::Conflict { size } = self { format!("{size}\n") } else { format!("{self}\n") }
    }
}

/// A witness of logs, and what it has seen of each.
pub struct Witness {
    name: String,
    signer: Arc<dyn Signer>,
    /// Public keys whose logs it watches.
    known: Vec<KnownKey>,
    /// One file for each log.
    directory: PathBuf,
    /// Checking against the last checkpoint and keeping the new one is one step.
    at_work: Mutex<()>,
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Witness({}, {} keys)", self.name, self.known.len())
    }
}

/// A public key of logs that are watched.
#[derive(Clone, PartialEq, Eq)]
pub struct KnownKey {
    algorithm: SignatureAlgorithm,
    public: Vec<u8>,
}

impl std::fmt::Debug for KnownKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownKey({:?}, {})", self.algorithm, HEXLOWER.encode(&self.public))
    }
}

impl KnownKey {
    /// Reads a public key as `signing.pub` has it: hex digits of an Ed25519 key, or of an ECDSA key's SubjectPublicKeyInfo.
    pub fn parse(hex: &str) -> Option<Self> {
        let public = HEXLOWER.decode(hex.trim().as_bytes()).ok()?;
        let algorithm = if public.len() == 32 { SignatureAlgorithm::Ed25519 } else { SignatureAlgorithm::EcdsaP256 };
        Some(Self { algorithm, public })
    }

    fn signed(&self, checkpoint: &Checkpoint, signature: &NoteSignature<'_>) -> Option<bool> {
        let named =
            signature.name == checkpoint.origin && signature.key_id == note::key_id_of(&checkpoint.origin, self.algorithm, &self.public);
        named.then(|| note::verifies(self.algorithm, &self.public, checkpoint.text().as_bytes(), &signature.bytes))
    }
}

impl Witness {
    /// A witness called `name` that signs with an Ed25519 key, which must be used for nothing else, and keeps what it saw in `directory`.
    ///
    /// # Errors
    /// [`Error::WitnessName`], [`Error::KeyMalformed`] for another kind of key, [`Error::Io`].
    pub fn new(name: &str, signer: Arc<dyn Signer>, known: Vec<KnownKey>, directory: &Path) -> Result<Self, Error> {
        if name.is_empty() || name.contains('+') || name.chars().any(|character| character.is_whitespace() || character.is_control()) {
            return Err(Error::WitnessName);
        }
        if signer.algorithm() != SignatureAlgorithm::Ed25519 {
            return Err(Error::KeyMalformed { path: directory.to_path_buf() });
        }
        files::private_directory(directory)?;
        Ok(Self { name: name.to_owned(), signer, known, directory: directory.to_path_buf(), at_work: Mutex::new(()) })
    }

    /// The witness's key as verifiers take it.
    pub fn verifier_key(&self) -> String {
        WitnessKey::new(&self.name, self.signer.public_key()).to_string()
    }

    /// Answers a request to `add-checkpoint` at `unix_seconds`: a cosignature line.
    ///
    /// # Errors
    /// [`Refused`]; nothing was signed then.
    pub fn add_checkpoint(&self, request: &str, unix_seconds: u64) -> Result<String, Refused> {
        let (old, proof, note) = parse_request(request).ok_or(Refused::Malformed)?;
        let (checkpoint, signatures) = Checkpoint::parse(note).ok_or(Refused::Malformed)?;
        if !checkpoint.origin.starts_with(ORIGIN_PREFIX) {
            return Err(Refused::UnknownLog);
        }
        let found = self.known.iter().flat_map(|key| signatures.iter().filter_map(|signature| key.signed(&checkpoint, signature)));
        let checked: Vec<bool> = found.collect();
        if checked.is_empty() || checked.contains(&false) {
            return Err(Refused::Forbidden);
        }
        if old > checkpoint.size {
            return Err(Refused::Malformed);
        }
        let _one_at_a_time = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self
            .directory
            .join(HEXLOWER.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, checkpoint.origin.as_bytes()).as_ref()));
        let seen = last_seen(&path)?;
        let seen_size = seen.as_ref().map_or(0, |seen| seen.size);
        if seen_size != old {
            return Err(Refused::Conflict { size: seen_size });
        }
        let seen_root = seen.map(|seen| seen.root);
        if !is_consistent((old, seen_root), (checkpoint.size, checkpoint.root), &proof) {
            return Err(Refused::Inconsistent);
        }
        let line = self.cosign(&checkpoint, unix_seconds).ok_or(Refused::Unavailable)?;
        let kept = files::replace(&path, note.as_bytes()).and_then(|()| files::sync(&path)).and_then(|()| files::sync(&self.directory));
        kept.map_err(|_| Refused::Unavailable)?;
        Ok(line)
    }

    fn cosign(&self, checkpoint: &Checkpoint, unix_seconds: u64) -> Option<String> {
        let signature = self.signer.sign(cosigned_message(checkpoint, unix_seconds).as_bytes()).ok()?;
        let key = WitnessKey::new(&self.name, self.signer.public_key());
        let bytes = [&key.id()[..], &unix_seconds.to_be_bytes(), &signature].concat();
        Some(format!("\u{2014} {} {}\n", self.name, BASE64.encode(&bytes)))
    }
}

/// What a cosignature signs.
fn cosigned_message(checkpoint: &Checkpoint, unix_seconds: u64) -> String {
    format!("{COSIGNATURE_HEADER}\ntime {unix_seconds}\n{}", checkpoint.text())
}

fn last_seen(path: &Path) -> Result<Option<Checkpoint>, Refused> {
    match std::fs::read_to_string(path) {
        Ok(note) => Checkpoint::parse(&note).map(|(checkpoint, _)| Some(checkpoint)).ok_or(Refused::Unavailable),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(_) => Err(Refused::Unavailable),
    }
}

/// `old SIZE`, lines of a proof, an empty line, a checkpoint.
fn parse_request(request: &str) -> Option<(u64, Vec<Hash>, &str)> {
    if request.len() > SUBMISSION_BYTES_MAX {
        return None;
    }
    let (head, note) = request.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let digits = lines.next()?.strip_prefix("old ")?;
    let old: u64 = digits.parse().ok()?;
    let proof: Option<Vec<Hash>> = lines.map(|line| BASE64.decode(line.as_bytes()).ok()?.try_into().ok()).collect();
    let proof = proof.filter(|proof| proof.len() <= PROOF_HASHES_MAX)?;
    (old.to_string() == digits).then_some((old, proof, note))
}

/// Whether a proof shows that one tree is the beginning of another (RFC 9162, section 2.1.4.2).
fn is_consistent((old, old_root): (u64, Option<Hash>), (size, root): (u64, Hash), proof: &[Hash]) -> bool {
    let Some(old_root) = old_root.filter(|_| old > 0) else {
        return proof.is_empty() && (size > 0 || root == crate::tree::root_of(&[]));
    };
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    // A tree that is perfect is itself the first hash.
    let prefix = old.is_power_of_two().then_some(old_root);
    let mut hashes = prefix.into_iter().chain(proof.iter().copied());
    let Some(first) = hashes.next() else { return false };
    let skipped = (old - 1).trailing_ones();
    let (mut left, mut right) = ((old - 1) >> skipped, (size - 1) >> skipped);
    let (mut from_old, mut from_new) = (first, first);
    for hash in hashes {
        if right == 0 {
            return false;
        }
        if left & 1 == 1 || left == right {
            (from_old, from_new) = (node(&hash, &from_old), node(&hash, &from_new));
            let even = if left == 0 { 0 } else { left.trailing_zeros() };
            (left, right) = (left >> even, right >> even);
        } else {
            from_new = node(&from_new, &hash);
        }
        (left, right) = (left >> 1, right >> 1);
    }
    right == 0 && from_old == old_root && from_new == root
}

#[cfg(test)]
mod tests;
