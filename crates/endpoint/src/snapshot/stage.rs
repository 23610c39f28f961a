//! What a session wrote over its workspace, as the overlay left it: files, folders, and marks for what was taken away.
//!
//! Source of the marks: the kernel's documentation of overlayfs, with attributes in `user.` as an ordinary user's overlay writes them.

use super::Error;
use super::entry::{Attributes, Entry, Kind};
use super::manifest::{MANIFEST_BYTES_MAX, Manifest};
use super::tree::{Tree, names};
use rustix::fs::AtFlags;
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

const MARK_PREFIX: &[u8] = b"user.overlay.";
const OPAQUE: &[u8] = b"user.overlay.opaque";
const WHITEOUT: &[u8] = b"user.overlay.whiteout";
/// Marks that this overlay is not set up to write: what they stand for cannot be read here.
const UNKNOWN: [&[u8]; 2] = [b"user.overlay.redirect", b"user.overlay.metacopy"];
/// Most entries that a session may have written.
pub(super) const ENTRIES_MAX: u64 = 2_000_000;

/// What lies over a workspace.
#[derive(Debug, Default)]
pub(super) struct Layer {
    written: Manifest,
    /// Paths that are gone.
    removed: BTreeSet<PathBuf>,
    /// Folders that show nothing of what lies beneath them.
    opaque: BTreeSet<PathBuf>,
}

impl Layer {
    /// Looks through the overlay's upper folder.
    pub(super) fn read(tree: &Tree) -> Result<Self, Error> {
        let mut layer = Self::default();
        let root = tree.entry(Path::new(""))?;
        if let Some(entry) = root {
            layer.add(tree, PathBuf::new(), entry, false)?;
        }
        let (mut waiting, mut bytes) = (vec![PathBuf::new()], 0);
        while let Some(folder) = waiting.pop() {
            let opened = tree.folder(&folder)?;
            for name in names(opened.as_fd()).map_err(Error::errno("list", &tree.host(&folder)))? {
                let path = folder.join(&name);
                if layer.written.entries.len() + layer.removed.len() >= usize::try_from(ENTRIES_MAX).unwrap_or(usize::MAX)
                    || bytes > MANIFEST_BYTES_MAX
                {
                    return Err(Error::TooMuch { path: tree.path().to_owned(), what: "more entries, or longer names," });
                }
                let stat = rustix::fs::statat(&opened, name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(Error::errno("look at", &tree.host(&path)))?;
                let is_device = rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::CharacterDevice;
                let entry = tree.describe(opened.as_fd(), &name, &stat, None)?;
                bytes += entry.encoded_bytes_most(&path);
                if entry.is_folder() {
                    waiting.push(path.clone());
                }
                layer.add(tree, path, entry, is_device && stat.st_rdev == 0)?;
            }
        }
        Ok(layer)
    }

    fn add(&mut self, tree: &Tree, path: PathBuf, entry: Entry, is_mark: bool) -> Result<(), Error> {
        let has = |name: &[u8]| entry.attributes.iter().any(|(own, _)| own == name);
        if UNKNOWN.iter().any(|name| has(name)) {
            return Err(Error::Io {
                attempt: "read the overlay's mark on",
                path: tree.host(&path),
                source: std::io::Error::from(std::io::ErrorKind::Unsupported),
            });
        }
        if is_mark || has(WHITEOUT) {
            self.removed.insert(path);
            return Ok(());
        }
        // `y`: opaque; `x`: holds marks in attributes, which are found above.
        if entry.attributes.iter().any(|(name, value)| name == OPAQUE && value == b"y") {
            self.opaque.insert(path.clone());
        }
        let own = |(name, _): &(Vec<u8>, Vec<u8>)| !name.starts_with(MARK_PREFIX);
        let attributes: Attributes = entry.attributes.iter().filter(|one| own(one)).cloned().collect();
        self.written.entries.insert(path, Entry { attributes, ..entry });
        Ok(())
    }

    /// Whether the session wrote this path, so that its content lies in the upper folder.
    pub(super) fn wrote(&self, path: &Path) -> bool {
        self.written.get(path).is_some()
    }

    /// The workspace as the session saw it at its end, over the state `base`.
    pub(super) fn over(&self, base: &Manifest) -> Manifest {
        let is_gone = |path: &Path| path.ancestors().any(|above| self.hides(path, above));
        let mut merged = Manifest::default();
        let left = base.entries.iter().filter(|(path, _)| !is_gone(path));
        merged.entries.extend(left.map(|(path, entry)| (path.clone(), entry.clone())));
        merged.entries.extend(self.written.entries.iter().map(|(path, entry)| (path.clone(), entry.clone())));
        merged
    }

    /// Whether `above`, which is the path or a folder above it, takes the path of the workspace away.
    fn hides(&self, path: &Path, above: &Path) -> bool {
        if self.removed.contains(above) {
            return true;
        }
        let is_below = path != above;
        match self.written.get(above) {
            Some(entry) if is_below => self.opaque.contains(above) || !entry.is_folder(),
            Some(Entry { kind: Kind::Folder | Kind::File { .. } | Kind::Link { .. } | Kind::Special, .. }) | None => false,
        }
    }
}
