use crate::{DigestKey, Error, files};
use aws_lc_rs::{
    digest,
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use data_encoding::HEXLOWER;
use schema::{Seal, Token};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::{Zeroize, Zeroizing};

/// The file that holds the public key, as 64 hex digits: beside the keys, and copied beside each log.
pub const PUBLIC_KEY_FILE: &str = "signing.pub";
const SIGNING_KEY_FILE: &str = "signing.key";
const DIGEST_KEY_FILE: &str = "digest.key";
const KEY_FILE_BYTES_MAX: u64 = 4096;

/// The keys of one keeper of evidence: an Ed25519 key that seals logs (RFC 8032) and the key of keyed digests.
#[derive(Clone)]
pub struct Keys {
    signing: Arc<Ed25519KeyPair>,
    key_id: Token,
    digest: DigestKey,
}

impl Keys {
    /// Loads the keys in `directory`, or makes new ones if there are none: `signing.key` (PKCS#8), `digest.key` (32 bytes), both mode
    /// 0600, and `signing.pub` (hex) for whoever verifies.
    ///
    /// # Errors
    /// [`Error::KeyExposed`] if others could read the directory or a key; [`Error::KeyMalformed`] if a file is no key; [`Error::Io`].
    pub fn load_or_create(directory: &Path) -> Result<Self, Error> {
        private(directory)?;
        let random = SystemRandom::new();
        let signing_path = directory.join(SIGNING_KEY_FILE);
        let pkcs8 = load_or_make(&signing_path, directory, || {
            Ed25519KeyPair::generate_pkcs8(&random).map(|document| Zeroizing::new(document.as_ref().to_vec())).map_err(|_| Error::Random)
        })?;
        let signing = Ed25519KeyPair::from_pkcs8(&pkcs8).map_err(|_| Error::KeyMalformed { path: signing_path })?;
        let digest = digest_key(directory)?;
        let keys = Self { key_id: key_id(signing.public_key().as_ref()), signing: Arc::new(signing), digest };
        if keys.export_public(directory)? {
            files::sync_directory(directory)?;
        }
        Ok(keys)
    }

    /// Loads, or makes, the key of keyed digests alone: for a process that starts others which must not hold the signing key, not even as
    /// a copy of its memory.
    ///
    /// # Errors
    /// As [`Keys::load_or_create`].
    pub fn digest_key_alone(directory: &Path) -> Result<DigestKey, Error> {
        private(directory)?;
        digest_key(directory)
    }

    /// The key of keyed digests.
    pub fn digest_key(&self) -> &DigestKey {
        &self.digest
    }

    /// The public key as 64 lower-case hex digits: what a verifier must be given by a way that the log's keeper does not control.
    pub fn public_key_hex(&self) -> String {
        HEXLOWER.encode(self.signing.public_key().as_ref())
    }

    /// The public key's name in seals: the first 16 hex digits of its SHA-256.
    pub fn key_id(&self) -> &Token {
        &self.key_id
    }

    pub(crate) fn seal(&self, input: &str) -> Seal {
        let signature = self.signing.sign(input.as_bytes());
        Seal { key_id: self.key_id.clone(), ed25519: Token::lossy(&HEXLOWER.encode(signature.as_ref())) }
    }

    pub(crate) fn verifies(&self, input: &str, seal: &Seal) -> bool {
        let Ok(signature) = HEXLOWER.decode(seal.ed25519.as_str().as_bytes()) else { return false };
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, self.signing.public_key().as_ref());
        seal.key_id == self.key_id && public.verify(input.as_bytes(), &signature).is_ok()
    }

    /// Writes the public key into `directory`, or checks that the one there is ours. True if it was written: its name is not durable yet.
    pub(crate) fn export_public(&self, directory: &Path) -> Result<bool, Error> {
        let path = directory.join(PUBLIC_KEY_FILE);
        let ours = self.public_key_hex();
        let is_missing = !path.exists();
        if is_missing {
            files::write_new(directory, PUBLIC_KEY_FILE, format!("{ours}\n").as_bytes())?;
        }
        let there = read_bounded(&path).map_err(Error::io("read", &path))?;
        if there.trim_ascii() == ours.as_bytes() { Ok(is_missing) } else { Err(Error::KeyChanged { path: directory.to_path_buf() }) }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys(signing {}, digest {})", self.key_id, self.digest.id())
    }
}

/// Makes the folder of keys, or refuses one that others could enter.
fn private(directory: &Path) -> Result<(), Error> {
    files::private_directory(directory)?;
    let opened = File::open(directory).map_err(Error::io("open", directory))?;
    files::refuse_exposed(&opened, directory)
}

fn digest_key(directory: &Path) -> Result<DigestKey, Error> {
    let path = directory.join(DIGEST_KEY_FILE);
    let secret = load_or_make(&path, directory, || {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Random)?;
        Ok(bytes)
    })?;
    let mut bytes: [u8; 32] = secret.as_slice().try_into().map_err(|_| Error::KeyMalformed { path })?;
    let key = DigestKey::from_bytes(bytes);
    bytes.zeroize();
    Ok(key)
}

fn key_id(public_key: &[u8]) -> Token {
    let hash = digest::digest(&digest::SHA256, public_key);
    Token::lossy(&HEXLOWER.encode(hash.as_ref().get(..8).unwrap_or_default()))
}

type Secret = Zeroizing<Vec<u8>>;

fn load_or_make(path: &PathBuf, directory: &Path, make: impl FnOnce() -> Result<Secret, Error>) -> Result<Secret, Error> {
    let missing = matches!(path.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound);
    if missing {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        files::write_new(directory, name, &make()?)?;
        files::sync_directory(directory)?;
    }
    let file = files::private().read(true).open(path).map_err(Error::io("open", path))?;
    files::refuse_exposed(&file, path)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(bytes)
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    files::private().read(true).open(path)?.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
