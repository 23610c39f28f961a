//! Writes logs that the writer never would: any event text, any frame, with or without the keeper's key.

use ed25519_dalek::{Signer, SigningKey};
use schema::{Timestamp, Token, chain_input, seal_input};
use sha2::{Digest, Sha256};
use std::{fs, path::PathBuf};

/// Of the key that the keeper of all test logs uses.
pub(crate) const SEED: [u8; 32] = [7; 32];

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

pub(crate) fn public_key_hex() -> String {
    hex(SigningKey::from_bytes(&SEED).verifying_key().as_bytes())
}

/// A log in the making. Its directory goes when it is dropped.
pub(crate) struct Forge {
    place: tempfile::TempDir,
    pub(crate) key: SigningKey,
    pub(crate) lines: Vec<String>,
    pub(crate) index: u64,
    pub(crate) unix_ms: u64,
    previous: String,
}

impl Forge {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("signing.pub"), public_key_hex()).unwrap();
        let key = SigningKey::from_bytes(&SEED);
        Self { place, key, lines: Vec::new(), index: 0, unix_ms: 1_768_651_200_000, previous: "0".repeat(64) }
    }

    /// Adds a sealed record of `event`, as JSON text.
    pub(crate) fn sealed(&mut self, event: &str) -> &mut Self {
        let frame = self.frame(event);
        let seal = self.seal(&frame.1);
        self.lines.push(format!("{},{seal}}}", frame.0));
        self
    }

    /// Adds a record of `event` without a seal.
    pub(crate) fn unsealed(&mut self, event: &str) -> &mut Self {
        let frame = self.frame(event).0;
        self.lines.push(frame + "}");
        self
    }

    pub(crate) fn events(&mut self, events: &[schema::Event]) -> &mut Self {
        for event in events {
            self.sealed(&serde_json::to_string(event).unwrap());
        }
        self
    }

    pub(crate) fn path(&self) -> PathBuf {
        let text = self.lines.iter().fold(String::new(), |text, line| text + line + "\n");
        fs::write(self.place.path().join("log.jsonl"), text).unwrap();
        self.place.path().to_path_buf()
    }

    fn frame(&mut self, event: &str) -> (String, String) {
        let (index, unix_ms, previous) = (self.index, self.unix_ms, self.previous.clone());
        let input = chain_input(index, Timestamp { unix_ms }, &Token::parse(&previous).unwrap(), event);
        let hash = hex(&Sha256::digest(input.as_bytes()));
        (self.index, self.unix_ms, self.previous) = (index + 1, unix_ms + 1, hash.clone());
        let frame = format!(r#"{{"version":1,"index":{index},"time":{unix_ms},"previous":"{previous}","event":{event},"hash":"{hash}""#);
        (frame, hash)
    }

    fn seal(&self, hash: &str) -> String {
        let id = hex(&Sha256::digest(self.key.verifying_key().as_bytes())[..8]);
        let signature = self.key.sign(seal_input(self.index - 1, &Token::parse(hash).unwrap()).as_bytes());
        format!(r#""seal":{{"key_id":"{id}","ed25519":"{}"}}"#, hex(&signature.to_bytes()))
    }
}
