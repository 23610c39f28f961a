//! The Merkle tree over a log's entries (RFC 6962 section 2.1, SHA-256), as far as it must be known to go on.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub(crate) type Hash = [u8; 32];

/// Hashes of one full tile, and entries of one bundle.
pub(crate) const TILE_WIDTH: u64 = 256;
/// Levels of the tree that one level of tiles spans.
pub(crate) const TILE_HEIGHT: u32 = 8;

/// The hash of an entry.
pub(crate) fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut input = [1; 65];
    let (_, children) = input.split_at_mut(1);
    let (first, second) = children.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    Sha256::digest(input).into()
}

/// The root of a whole subtree: as many hashes as a power of two, or none.
pub(crate) fn subtree_root(hashes: &[Hash]) -> Option<Hash> {
    let mut row = hashes.to_vec();
    if !row.len().is_power_of_two() {
        return None;
    }
    while row.len() > 1 {
        row = row.as_chunks::<2>().0.iter().map(|[left, right]| node(left, right)).collect();
    }
    row.first().copied()
}

/// The roots of the whole subtrees that the entries so far make up, one for each bit of their number.
#[derive(Default)]
pub(crate) struct Frontier {
    size: u64,
    /// By height.
    subtrees: Vec<Option<Hash>>,
}

impl Frontier {
    /// How many entries there are.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds the root of the next whole subtree. Its size must be that of the next free place: 1 fits always. `formed` is told the height
    /// and hash of each larger subtree that is whole with it, itself included.
    pub(crate) fn push(&mut self, mut height: u32, mut hash: Hash, mut formed: impl FnMut(u32, &Hash)) {
        self.size = self.size.saturating_add(1 << height);
        loop {
            formed(height, &hash);
            let place = height as usize;
            if self.subtrees.len() <= place {
                self.subtrees.resize(place + 1, None);
            }
            let Some(slot) = self.subtrees.get_mut(place) else { return };
            let Some(left) = slot.take() else {
                *slot = Some(hash);
                return;
            };
            hash = node(&left, &hash);
            height += 1;
        }
    }

    /// The tree's root. Without entries it is the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let whole = self.subtrees.iter().flatten().copied();
        whole.reduce(|right, left| node(&left, &right)).unwrap_or_else(|| Sha256::digest([]).into())
    }
}

#[cfg(test)]
mod tests;
