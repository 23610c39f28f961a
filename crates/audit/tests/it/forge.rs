//! Writes logs that the writer never would: any event text, any entry, any file, with or without the keeper's key. Its tree, notes and
//! tiles share no code with the verifier.

use ed25519_dalek::{Signer, SigningKey};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

/// Of the key that the keeper of all test logs uses.
pub(crate) const SEED: [u8; 32] = [7; 32];
pub(crate) const ORIGIN: &str = "bailiwick/log/0123456789abcdef0123456789abcdef";
pub(crate) type Hash = [u8; 32];
/// The files of a log, by their names below its directory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

pub(crate) fn public_key_hex() -> String {
    hex(SigningKey::from_bytes(&SEED).verifying_key().as_bytes())
}

pub(crate) fn key() -> audit::PublicKey {
    audit::PublicKey::parse(&public_key_hex()).unwrap()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).collect();
    let digit = |six: &[bool]| ALPHABET[(0..6).fold(0, |value, bit| value << 1 | usize::from(six.get(bit) == Some(&true)))];
    let text: String = bits.chunks(6).map(|six| char::from(digit(six))).collect();
    let padded = text.len().div_ceil(4) * 4;
    format!("{text:=<padded$}")
}

fn sha256(parts: &[&[u8]]) -> Hash {
    Sha256::digest(parts.concat()).into()
}

fn key_id(name: &str, kind: u8, key: &SigningKey) -> Vec<u8> {
    sha256(&[name.as_bytes(), &[b'\n', kind], key.verifying_key().as_bytes()])[..4].to_vec()
}

pub(crate) fn verifier_key(name: &str, kind: u8, key: &SigningKey) -> String {
    format!("{name}+{}+{}", hex(&key_id(name, kind, key)), base64(&[&[kind], key.verifying_key().as_bytes().as_slice()].concat()))
}

fn signature_line(name: &str, kind: u8, key: &SigningKey, signature: &[u8]) -> String {
    format!("\u{2014} {name} {}\n", base64(&[key_id(name, kind, key).as_slice(), signature].concat()))
}

/// A checkpoint of the log `origin`, signed.
pub(crate) fn checkpoint(origin: &str, size: u64, root: &Hash, key: &SigningKey) -> String {
    note(&format!("{origin}\n{size}\n{}\n", base64(root)), origin, key)
}

/// Any text, signed.
pub(crate) fn note(text: &str, name: &str, key: &SigningKey) -> String {
    format!("{text}\n{}", signature_line(name, 1, key, &key.sign(text.as_bytes()).to_bytes()))
}

/// The line that a witness adds to a note.
pub(crate) fn cosignature(note: &str, name: &str, key: &SigningKey, time: u64) -> String {
    let text = note.split_once("\n\n").unwrap().0;
    let signature = key.sign(format!("cosignature/v1\ntime {time}\n{text}\n").as_bytes()).to_bytes();
    signature_line(name, 4, key, &[time.to_be_bytes().as_slice(), &signature].concat())
}

/// All whole subtrees, by height and place.
#[derive(Clone, Default)]
pub(crate) struct Tree(pub(crate) Vec<Vec<Hash>>);

impl Tree {
    pub(crate) fn push(&mut self, entry: &[u8]) {
        let mut hash = sha256(&[&[0], entry]);
        for height in 0.. {
            if self.0.len() == height {
                self.0.push(Vec::new());
            }
            let row = &mut self.0[height];
            row.push(hash);
            if row.len() % 2 == 1 {
                return;
            }
            hash = sha256(&[&[1], &row[row.len() - 2], &row[row.len() - 1]]);
        }
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        let whole =
            (0..64).filter(|height| size >> height & 1 == 1).map(|height| self.0[height][usize::try_from(size >> height).unwrap() - 1]);
        whole.reduce(|right, left| sha256(&[&[1], &left, &right])).unwrap_or_else(|| sha256(&[]))
    }
}

pub(crate) fn tile_path(number: u64) -> String {
    let (high, low) = (number / 1000, number % 1000);
    if high == 0 { format!("{low:03}") } else { format!("x{high:03}/{low:03}") }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bundle(entries: &[String]) -> Vec<u8> {
    entries.iter().flat_map(|entry| [&u16::try_from(entry.len()).unwrap().to_be_bytes(), entry.as_bytes()].concat()).collect()
}

pub(crate) fn checkpoint_line(note: &str) -> String {
    format!(r#"{{"checkpoint":"{}"}}"#, note.replace('\n', "\\n"))
}

/// A log in the making. Its directory goes when it is dropped.
pub(crate) struct Forge {
    place: tempfile::TempDir,
    pub(crate) key: SigningKey,
    /// Lines of the live part behind the head.
    pub(crate) lines: Vec<String>,
    pub(crate) entries: Vec<String>,
    pub(crate) tree: Tree,
    pub(crate) first: u64,
    /// Full tiles that were derived.
    pub(crate) tiles: u64,
    pub(crate) unix_ms: u64,
    pub(crate) newest: String,
    rotated: Option<String>,
}

impl Forge {
    pub(crate) fn new() -> Self {
        Self {
            place: tempfile::tempdir().unwrap(),
            key: SigningKey::from_bytes(&SEED),
            lines: Vec::new(),
            entries: Vec::new(),
            tree: Tree::default(),
            first: 0,
            tiles: 0,
            unix_ms: 1_768_651_200_000,
            newest: String::new(),
            rotated: None,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Adds an entry of `event`, as JSON text, and a checkpoint.
    pub(crate) fn confirmed(&mut self, event: &str) -> &mut Self {
        self.unconfirmed(event).confirm()
    }

    /// Adds an entry of `event` without a checkpoint.
    pub(crate) fn unconfirmed(&mut self, event: &str) -> &mut Self {
        let entry = format!(r#"{{"time":{},"event":{event}}}"#, self.unix_ms);
        self.unix_ms += 1;
        self.raw(entry)
    }

    /// Adds any text as an entry.
    pub(crate) fn raw(&mut self, entry: String) -> &mut Self {
        self.tree.push(entry.as_bytes());
        self.lines.push(entry.clone());
        self.entries.push(entry);
        self
    }

    /// Adds a checkpoint.
    pub(crate) fn confirm(&mut self) -> &mut Self {
        self.newest = self.checkpoint_at(self.size());
        self.lines.push(checkpoint_line(&self.newest));
        self
    }

    pub(crate) fn checkpoint_at(&self, size: u64) -> String {
        checkpoint(ORIGIN, size, &self.tree.root(size), &self.key)
    }

    /// Adds each event as a batch of its own.
    pub(crate) fn events(&mut self, events: &[schema::Event]) -> &mut Self {
        for event in events {
            self.confirmed(&serde_json::to_string(event).unwrap());
        }
        self
    }

    /// Derives all full tiles so far.
    pub(crate) fn derive(&mut self) -> &mut Self {
        self.tiles = self.size() / 256;
        self
    }

    /// Begins the live part anew behind the full tiles, as the writer does.
    pub(crate) fn rotate(&mut self) -> &mut Self {
        self.derive();
        self.first = self.tiles * 256;
        self.lines = self.entries[usize::try_from(self.first).unwrap()..].to_vec();
        self.rotated = Some(self.newest.clone());
        self.lines.push(checkpoint_line(&self.newest));
        self
    }

    pub(crate) fn head(&self) -> String {
        format!(r#"{{"format":"bailiwick-log-v2","origin":"{ORIGIN}","first":{}}}"#, self.first)
    }

    /// The log as files.
    pub(crate) fn files(&self) -> Files {
        let mut text = self.head() + "\n";
        self.lines.iter().for_each(|line| text.extend([line, "\n"]));
        let mut files = Files::from([
            ("log.jsonl".to_owned(), text.into_bytes()),
            ("log.lock".to_owned(), Vec::new()),
            ("log.vkey".to_owned(), (verifier_key(ORIGIN, 1, &self.key) + "\n").into_bytes()),
        ]);
        files.extend(self.rotated.iter().map(|note| ("checkpoint".to_owned(), note.clone().into_bytes())));
        for level in 0..8 {
            let Some(row) = self.tree.0.get(level * 8) else { break };
            let full = usize::try_from(self.tiles).unwrap() >> (8 * level);
            for (number, hashes) in (0..).zip(row.chunks_exact(256).take(full)) {
                files.insert(format!("tile/{level}/{}", tile_path(number)), hashes.concat());
            }
        }
        for (number, entries) in (0..).zip(self.entries.chunks_exact(256).take(usize::try_from(self.tiles).unwrap())) {
            files.insert(format!("tile/entries/{}.gz", tile_path(number)), gzip(&bundle(entries)));
        }
        files
    }

    /// Lays the log down and says where.
    pub(crate) fn path(&self) -> PathBuf {
        lay(self.place.path(), &self.files());
        self.place.path().to_path_buf()
    }
}

/// Makes `place` a directory of exactly `files`.
pub(crate) fn lay(place: &Path, files: &Files) {
    let _absent = fs::remove_dir_all(place);
    fs::create_dir_all(place).unwrap();
    for (name, bytes) in files {
        let path = place.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
