//! Checkpoints (C2SP tlog-checkpoint): how many entries a log has, and the root of its tree, signed.

use crate::{
    Error, PublicKey, Reason, WitnessKey, base64, hex,
    note::{NOTE_BYTES_MAX, Note},
    tree::Hash,
};
use std::{fs::File, io::Read, path::Path};

/// What each log's name begins with; 32 hex digits follow.
const ORIGIN_LEAD: &str = "bailiwick/log/";

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) origin: String,
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

impl Claim {
    /// Reads a note's text in its one form, without extension lines.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        if lines.next().is_some() || !is_origin(origin) {
            return None;
        }
        let root = base64::decode(root)?.try_into().ok()?;
        Some(Self { origin: origin.to_owned(), size: number(size)?, root })
    }
}

/// Whether a log may have this name.
pub(crate) fn is_origin(text: &str) -> bool {
    text.strip_prefix(ORIGIN_LEAD).is_some_and(|id| hex::decode::<16>(id).is_some())
}

/// A number in its one spelling.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| digits)
}

/// Checks a note of the log `origin`: what it says, and that `key` signed it. `lonely` notes have no other signature.
pub(crate) fn claim(note: &Note<'_>, origin: &str, key: &PublicKey, lonely: bool) -> Result<Claim, Reason> {
    let claim = Claim::parse(note.text).ok_or(Reason::NotACheckpoint)?;
    if claim.origin != origin {
        return Err(Reason::Origin);
    }
    let mut own = note.signatures.iter().filter(|signature| signature.name == origin);
    let signature = own.next().ok_or(Reason::NotACheckpoint)?;
    if own.next().is_some() || lonely && note.signatures.len() > 1 {
        return Err(Reason::NotACheckpoint);
    }
    let expected = key.note_id(origin);
    if signature.key_id != expected {
        return Err(Reason::SignerKey { expected: hex::encode(&expected), found: hex::encode(&signature.key_id) });
    }
    if key.verifies(note.text, &signature.bytes) { Ok(claim) } else { Err(Reason::Signature) }
}

/// A checkpoint from elsewhere, as a file: noted by someone earlier, perhaps with the cosignatures of witnesses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedCheckpoint {
    note: String,
    claim: Claim,
    name: String,
}

impl NotedCheckpoint {
    /// Reads the text of a note. `name` says where it came from.
    ///
    /// # Errors
    /// [`Error::NotACheckpoint`]. Whether its signature is the log's is looked at when the log is checked.
    pub fn parse(note: &str, name: &str) -> Result<Self, Error> {
        let claim = Note::parse(note).and_then(|parsed| Claim::parse(parsed.text));
        let claim = claim.ok_or_else(|| Error::NotACheckpoint { origin: name.to_owned() })?;
        Ok(Self { note: note.to_owned(), claim, name: name.to_owned() })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotACheckpoint`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(Error::io("open the checkpoint", path))?;
        let mut bytes = Vec::new();
        file.take(NOTE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(Error::io("read the checkpoint", path))?;
        let note = String::from_utf8(bytes).map_err(|_| Error::NotACheckpoint { origin: name.clone() })?;
        Self::parse(&note, &name)
    }

    /// The log that it is of.
    pub fn origin(&self) -> &str {
        &self.claim.origin
    }

    /// How many entries that log had.
    pub fn size(&self) -> u64 {
        self.claim.size
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// What a log is held against, from ways that its keeper does not control.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    /// The keeper's public key. Without it the key beside the log is used.
    pub key: Option<PublicKey>,
    /// Checkpoints that were noted earlier: the log must have had each root at its size.
    pub checkpoints: Vec<NotedCheckpoint>,
    /// Witnesses whose cosignatures count.
    pub witnesses: Vec<WitnessKey>,
    /// How many of them must have cosigned a checkpoint. All, if not given.
    pub quorum: Option<usize>,
}

impl Anchors {
    /// Nothing but the key.
    pub fn key(key: Option<PublicKey>) -> Self {
        Self { key, ..Self::default() }
    }

    /// How many witnesses must have cosigned; none if there are no witnesses.
    pub(crate) fn quorum(&self) -> Option<usize> {
        (!self.witnesses.is_empty()).then(|| self.quorum.unwrap_or(self.witnesses.len()))
    }
}

/// A signed checkpoint that stands outside of `log.jsonl`.
#[derive(Clone, Debug)]
pub(crate) struct Anchor {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) note: String,
    /// Where it stands.
    pub(crate) file: String,
    /// Whether someone else noted it.
    pub(crate) is_noted: bool,
    /// Witnesses that cosigned it, with the time of the last.
    pub(crate) cosigned: Vec<(String, u64)>,
}

impl Anchor {
    /// Checks a note that was noted elsewhere.
    pub(crate) fn noted(noted: &NotedCheckpoint, origin: &str, key: &PublicKey, witnesses: &[WitnessKey]) -> Result<Self, Reason> {
        Self::check(&noted.note, noted.name.clone(), origin, key, witnesses).map(|anchor| Self { is_noted: true, ..anchor })
    }

    /// Checks a note in the log's directory.
    pub(crate) fn check(note: &str, file: String, origin: &str, key: &PublicKey, witnesses: &[WitnessKey]) -> Result<Self, Reason> {
        let parsed = Note::parse(note).ok_or(Reason::NotACheckpoint)?;
        let Claim { size, root, .. } = claim(&parsed, origin, key, false)?;
        let mut cosigned: Vec<(String, u64)> = Vec::new();
        for signature in &parsed.signatures {
            let Some(witness) = witnesses.iter().find(|witness| witness.is_named(signature.name, signature.key_id)) else { continue };
            let time = witness.cosigned(parsed.text, &signature.bytes).ok_or(Reason::Cosignature)?;
            if !cosigned.iter().any(|(name, _)| name == witness.name()) {
                cosigned.push((witness.name().to_owned(), time));
            }
        }
        Ok(Self { size, root, note: note.to_owned(), file, is_noted: false, cosigned })
    }
}
