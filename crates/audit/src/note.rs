//! Signed notes (C2SP signed-note): a text and signatures below it, each by a named key.

use crate::base64;

/// Longest note, in bytes: a checkpoint and the cosignatures of some dozens of witnesses.
pub(crate) const NOTE_BYTES_MAX: usize = 16 * 1024;
/// Most signatures below one note.
pub(crate) const SIGNATURES_MAX: usize = 64;
const SIGNATURE_LEAD: &str = "\u{2014} ";

/// A note as it stands. Nothing is proven by reading it.
pub(crate) struct Note<'a> {
    /// What is signed: lines, each ended by a line feed.
    pub(crate) text: &'a str,
    pub(crate) signatures: Vec<Signature<'a>>,
}

/// One signature line.
pub(crate) struct Signature<'a> {
    /// The signer's name.
    pub(crate) name: &'a str,
    /// The first bytes of the hash of name and key.
    pub(crate) key_id: [u8; 4],
    pub(crate) bytes: Vec<u8>,
}

impl<'a> Note<'a> {
    /// Reads a note in its one form.
    pub(crate) fn parse(whole: &'a str) -> Option<Self> {
        if whole.len() > NOTE_BYTES_MAX || whole.chars().any(|character| character.is_control() && character != '\n') {
            return None;
        }
        let (text, below) = whole.rsplit_once("\n\n")?;
        let text = whole.get(..=text.len())?;
        let mut signatures = Vec::new();
        for line in below.strip_suffix('\n')?.split('\n') {
            if signatures.len() >= SIGNATURES_MAX {
                return None;
            }
            signatures.push(Signature::parse(line)?);
        }
        Some(Self { text, signatures })
    }
}

impl<'a> Signature<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(SIGNATURE_LEAD)?.split_once(' ')?;
        let decoded = base64::decode(encoded)?;
        let (key_id, bytes) = decoded.split_first_chunk()?;
        (is_name(name) && !bytes.is_empty()).then(|| Self { name, key_id: *key_id, bytes: bytes.to_vec() })
    }
}

/// Whether a key may have this name: something, without white space and plus signs.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|character| character.is_whitespace() || character == '+')
}

#[cfg(test)]
mod tests;
