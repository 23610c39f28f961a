use super::{Frontier, Hash, leaf, subtree_root};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;

/// Of the empty tree and of the first leaves of the well-known test of RFC 6962 implementations: `""`, `00`, `10`, `2021`, …
const ROOTS: [&str; 4] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
];

#[test]
fn the_known_roots_come_out() {
    let mut frontier = Frontier::default();
    let leaves: [&[u8]; 3] = [&[], &[0], &[0x10]];
    assert_eq!(crate::hex::encode(&frontier.root()), ROOTS[0]);
    for (entry, root) in leaves.iter().zip(&ROOTS[1..]) {
        frontier.push(0, leaf(entry), |_, _| {});
        assert_eq!(crate::hex::encode(&frontier.root()), *root);
    }
}

#[test]
fn another_implementation_has_the_same_root_at_every_size() {
    let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut ours = Frontier::default();
    let mut hashes: Vec<Hash> = Vec::new();
    for number in 0..600_u32 {
        let entry = number.to_be_bytes().to_vec();
        hashes.push(leaf(&entry));
        ours.push(0, leaf(&entry), |height, hash| {
            let width = 1_usize << height;
            assert_eq!(subtree_root(&hashes[hashes.len() - width..]), Some(*hash));
        });
        theirs.push(entry);
        assert_eq!(ours.root().as_slice(), theirs.root().as_bytes().as_slice(), "{number}");
    }
    let mut by_subtrees = Frontier::default();
    for chunk in hashes[..512].chunks(256) {
        by_subtrees.push(8, subtree_root(chunk).unwrap(), |_, _| {});
    }
    hashes[512..].iter().for_each(|hash| by_subtrees.push(0, *hash, |_, _| {}));
    assert_eq!((by_subtrees.root(), by_subtrees.size()), (ours.root(), 600));
}

#[test]
fn a_subtree_that_is_not_whole_has_no_root() {
    assert_eq!(subtree_root(&[]), None);
    assert_eq!(subtree_root(&[[0; 32]; 3]), None);
}
