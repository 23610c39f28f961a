//! A log's side: what it sends to a witness, and the cosignatures that it keeps.

use super::cosigned_message;
use crate::{
    Error, files,
    nodes::Nodes,
    note::{self, Checkpoint, NoteSignature},
    read::last_checkpoint,
};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use schema::SignatureAlgorithm;
use std::path::Path;

/// The newest checkpoint with its cosignatures, in a log's directory.
pub const WITNESSED_FILE: &str = "checkpoint.witnessed";
/// The type of cosignatures among keys of signed notes.
const COSIGNATURE_TYPE: u8 = 4;

/// The key of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    public: Vec<u8>,
}

impl WitnessKey {
    pub(super) fn new(name: &str, public: &[u8]) -> Self {
        Self { name: name.to_owned(), public: public.to_vec() }
    }

    /// Reads `NAME+ID+KEY` (signed-note, "Verifier keys"; type 4).
    pub fn parse(vkey: &str) -> Option<Self> {
        let mut parts = vkey.trim().splitn(3, '+');
        let (name, _id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = BASE64.decode(key.as_bytes()).ok()?;
        let public = key.strip_prefix(&[COSIGNATURE_TYPE]).filter(|public| public.len() == 32)?;
        let key = Self::new(name, public);
        (key.to_string() == vkey.trim()).then_some(key)
    }

    pub(super) fn id(&self) -> [u8; 4] {
        let input = [self.name.as_bytes(), b"\n", &[COSIGNATURE_TYPE], &self.public].concat();
        digest(&SHA256, &input).as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// When this witness cosigned the checkpoint, by seconds since 1970, if the signature is its own and right.
    fn cosigned_at(&self, checkpoint: &Checkpoint, signature: &NoteSignature<'_>) -> Option<u64> {
        if signature.name != self.name || signature.key_id != self.id() {
            return None;
        }
        let (time, bytes) = signature.bytes.split_first_chunk()?;
        let time = u64::from_be_bytes(*time);
        let message = cosigned_message(checkpoint, time);
        note::verifies(SignatureAlgorithm::Ed25519, &self.public, message.as_bytes(), bytes).then_some(time)
    }
}

impl std::fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [&[COSIGNATURE_TYPE], self.public.as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id()), BASE64.encode(&key))
    }
}

/// A log's newest checkpoint on its way to witnesses.
#[derive(Debug)]
pub struct Submission {
    nodes_at: std::path::PathBuf,
    size: u64,
    note: String,
}

impl Submission {
    /// Of the log in `directory`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn prepare(directory: &Path) -> Result<Self, Error> {
        let size = Nodes::open(directory)?.size();
        Ok(Self { nodes_at: directory.to_path_buf(), size, note: last_checkpoint(directory, size)? })
    }

    /// How many entries the checkpoint covers.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The request for a witness whose last checkpoint of this log has `old` entries; 0 if it has seen none.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`] if the log is shorter: it was cut.
    pub fn request(&self, old: u64) -> Result<String, Error> {
        let proof = Nodes::open(&self.nodes_at)?.consistency(old, self.size)?;
        let proof: String = proof.iter().map(|hash| BASE64.encode(hash) + "\n").collect();
        Ok(format!("old {old}\n{proof}\n{}", self.note))
    }

    /// Keeps the cosignatures of those witnesses in `keys` among the answers' lines. Returns how many there are.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn keep(&self, answers: &[String], keys: &[WitnessKey]) -> Result<usize, Error> {
        let all = answers.iter().fold(self.note.clone(), |note, answer| note + answer);
        let Some((checkpoint, signatures)) = Checkpoint::parse(&all) else { return Ok(0) };
        let cosigned = |key: &WitnessKey| signatures.iter().any(|signature| key.cosigned_at(&checkpoint, signature).is_some());
        let count = keys.iter().filter(|key| cosigned(key)).count();
        if count > 0 {
            let path = self.nodes_at.join(WITNESSED_FILE);
            files::replace(&path, all.as_bytes())?;
            files::sync(&path)?;
        }
        Ok(count)
    }
}
