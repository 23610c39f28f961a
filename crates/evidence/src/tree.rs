//! The Merkle tree over a log's entries (RFC 6962, section 2.1; SHA-256).

use aws_lc_rs::digest::{Context, SHA256, digest};

/// A node of the tree.
pub(crate) type Hash = [u8; 32];

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// The hash of an entry.
pub(crate) fn leaf(entry: &[u8]) -> Hash {
    hash(&[&[LEAF], entry])
}

/// The hash of two subtrees, side by side.
pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[NODE], left, right])
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    fixed(context.finish().as_ref())
}

fn fixed(bytes: &[u8]) -> Hash {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

/// The right edge of a tree: enough to append and to know the root. Perfect subtrees, largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    subtrees: Vec<Subtree>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Subtree {
    height: u32,
    hash: Hash,
}

impl Frontier {
    /// Appends an entry's hash.
    pub(crate) fn append(&mut self, leaf: Hash) {
        self.append_subtree(0, leaf);
    }

    /// Appends a perfect subtree of 2^`height` entries. The tree's size must be a multiple of that.
    pub(crate) fn append_subtree(&mut self, height: u32, hash: Hash) {
        let mut right = Subtree { height, hash };
        while let Some(left) = self.subtrees.pop_if(|left| left.height == right.height) {
            right = Subtree { height: left.height + 1, hash: node(&left.hash, &right.hash) };
        }
        self.subtrees.push(right);
    }

    /// The root over all entries so far; of none, the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        let mut subtrees = self.subtrees.iter().rev();
        let Some(last) = subtrees.next() else { return fixed(digest(&SHA256, &[]).as_ref()) };
        subtrees.fold(last.hash, |right, left| node(&left.hash, &right))
    }

    /// How many entries.
    pub(crate) fn size(&self) -> u64 {
        self.subtrees.iter().map(|subtree| 1 << subtree.height).sum()
    }
}

/// The root of the perfect tree over 2^n hashes, such as those of a full tile.
pub(crate) fn root_of(hashes: &[Hash]) -> Hash {
    let mut frontier = Frontier::default();
    for hash in hashes {
        frontier.append(*hash);
    }
    frontier.root()
}

#[cfg(test)]
mod tests;
