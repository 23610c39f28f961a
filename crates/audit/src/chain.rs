//! The chain of records: places without gaps, each bound to the one before, sealed at the end of each batch.

use crate::{PublicKey, Reason, line::Line};
use schema::{Digest, Token, seal_input};

/// Where the chain stands: what the next record must continue.
pub(crate) struct Chain {
    next_index: u64,
    previous: Digest,
}

impl Chain {
    /// The chain before its first record.
    pub(crate) fn new() -> Self {
        Self { next_index: 0, previous: Token::lossy(&"0".repeat(64)) }
    }

    /// The index that the next record must have.
    pub(crate) fn next_index(&self) -> u64 {
        self.next_index
    }

    /// Takes the next record. Returns whether it is sealed, by `key`.
    pub(crate) fn take(&mut self, line: &Line<'_>, key: &PublicKey) -> Result<bool, Reason> {
        if line.index != self.next_index {
            return Err(Reason::Index { expected: self.next_index, found: line.index });
        }
        if line.previous != self.previous {
            return Err(Reason::Previous);
        }
        if !line.has_own_hash() {
            return Err(Reason::Hash);
        }
        if let Some(seal) = &line.seal {
            if seal.key_id.as_str() != key.id() {
                return Err(Reason::SealKey { expected: key.id().to_owned(), found: seal.key_id.as_str().to_owned() });
            }
            if !key.verifies(&seal_input(line.index, &line.hash), seal) {
                return Err(Reason::Seal);
            }
        }
        self.next_index = line.index.checked_add(1).ok_or(Reason::Bound)?;
        self.previous.clone_from(&line.hash);
        Ok(line.seal.is_some())
    }
}
