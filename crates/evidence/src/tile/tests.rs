use super::{Bundle, Deriver, Partial, WIDTH, number_path, read_bundle, read_tile, tile_path};
use crate::{
    Error,
    tree::{Frontier, leaf},
};
use std::path::Path;

#[test]
fn numbers_become_paths_as_in_the_specification() {
    let cases = [(0, "000"), (67, "067"), (999, "999"), (1000, "x001/000"), (1_234_067, "x001/x234/067")];
    for (number, path) in cases {
        assert_eq!(number_path(number), Path::new(path));
    }
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

/// Derives tiles of `entries` entries in a directory; returns the tree over the full ones.
fn derive(directory: &Path, entries: u64) -> Frontier {
    let deriver = Deriver::start(directory, 0, Partial::default()).unwrap();
    let (mut bundle, mut frontier) = (Bundle::default(), Frontier::default());
    for number in 0..entries {
        let hash = leaf(&entry(number));
        frontier.append(hash);
        if let Some(full) = bundle.add(&entry(number), hash) {
            deriver.derive(full).unwrap();
        }
    }
    deriver.settle().unwrap();
    frontier
}

#[test]
fn a_tree_of_the_specification_has_its_tiles() {
    let place = tempfile::tempdir().unwrap();
    let whole = 70_000 - 70_000 % WIDTH as u64;
    derive(place.path(), 70_000);
    // 273 full tiles of level 0 and one of level 1; partial ones are not stored.
    assert!(place.path().join(tile_path(0, 272)).exists() && !place.path().join(tile_path(0, 273)).exists());
    assert!(place.path().join(tile_path(1, 0)).exists() && !place.path().join(tile_path(1, 1)).exists());
    let last = read_bundle(place.path(), 272).unwrap();
    assert_eq!(last[255], entry(whole - 1));
    assert_eq!(read_tile(place.path(), 0, 272).unwrap()[255], leaf(&entry(whole - 1)));
}

#[test]
fn the_tree_is_had_back_from_its_tiles() {
    for bundles in [0, 1, 2, 255, 256, 257, 300] {
        let place = tempfile::tempdir().unwrap();
        let frontier = derive(place.path(), bundles * WIDTH as u64);
        let partial = Partial::read(place.path(), bundles * WIDTH as u64).unwrap();
        assert_eq!(partial.frontier().root(), frontier.root(), "{bundles}");
        assert_eq!(partial.frontier().size(), bundles * WIDTH as u64);
    }
}

#[test]
fn a_damaged_tile_or_bundle_is_refused() {
    let place = tempfile::tempdir().unwrap();
    derive(place.path(), 512);
    for path in ["tile/0/001", "tile/entries/001.gz"] {
        let path = place.path().join(path);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    }
    assert!(matches!(read_tile(place.path(), 0, 1), Err(Error::DamagedTile { .. })));
    assert!(read_bundle(place.path(), 1).is_err());
    assert!(Partial::read(place.path(), 512).is_err());
}

#[test]
fn a_deriver_whose_disk_refuses_says_so() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("tile"), "in the way").unwrap();
    let deriver = Deriver::start(place.path(), 0, Partial::default()).unwrap();
    let refused = (0..100).find_map(|_| {
        let mut bundle = Bundle::default();
        let full = (0..WIDTH as u64).find_map(|number| bundle.add(&entry(number), leaf(&entry(number))));
        deriver.derive(full.unwrap()).err()
    });
    assert!(matches!(refused, Some(Error::Io { .. })), "{refused:?}");
}
