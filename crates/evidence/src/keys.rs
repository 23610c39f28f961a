use crate::{
    DigestKey, Error, files,
    note::{self, Checkpoint, NoteSignature},
};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use data_encoding::HEXLOWER;
use file_key::FileKey;
use schema::{SignatureAlgorithm, Signer, Token};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::{Zeroize, Zeroizing};

mod file_key;

/// The file that holds the public signing key as hex digits, beside the keys.
pub const PUBLIC_KEY_FILE: &str = "signing.pub";
const SIGNING_KEY_FILE: &str = "signing.key";
const DIGEST_KEY_FILE: &str = "digest.key";
const KEY_FILE_BYTES_MAX: u64 = 4096;

/// The keys of one keeper of evidence: the key that signs logs' checkpoints, and the key of keyed digests.
#[derive(Clone)]
pub struct Keys {
    signer: Arc<dyn Signer>,
    digest: DigestKey,
}

impl Keys {
    /// Loads the keys in `directory`, or makes new ones if there are none: `signing.key` (PKCS#8: Ed25519, or ECDSA P-256 if one was put
    /// there), `digest.key` (32 bytes), both mode 0600, and `signing.pub` (hex) for whoever verifies.
    ///
    /// # Errors
    /// [`Error::KeyExposed`] if others could read the directory or a key; [`Error::KeyMalformed`] if a file is no key; [`Error::Io`].
    pub fn load_or_create(directory: &Path) -> Result<Self, Error> {
        Self::load_or_create_with(directory, SignatureAlgorithm::Ed25519)
    }

    /// As [`Keys::load_or_create`]; a signing key that is made is one for `algorithm`.
    ///
    /// # Errors
    /// As [`Keys::load_or_create`].
    pub fn load_or_create_with(directory: &Path, algorithm: SignatureAlgorithm) -> Result<Self, Error> {
        private(directory)?;
        let signing_path = directory.join(SIGNING_KEY_FILE);
        let pkcs8 = load_or_make(&signing_path, directory, || FileKey::generate(algorithm))?;
        let key = FileKey::parse(&pkcs8).ok_or(Error::KeyMalformed { path: signing_path })?;
        let keys = Self { signer: Arc::new(key), digest: digest_key(directory)? };
        if keys.export_public(directory)? {
            files::sync(directory)?;
        }
        Ok(keys)
    }

    /// Keys of which the signing one is held elsewhere, such as in a hardware token.
    pub fn with_signer(signer: Arc<dyn Signer>, digest: DigestKey) -> Self {
        Self { signer, digest }
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

    /// The public key as lower-case hex digits (64 for Ed25519): what a verifier must be given by a way that the log's keeper does not
    /// control.
    pub fn public_key_hex(&self) -> String {
        HEXLOWER.encode(self.signer.public_key())
    }

    /// Loads the Ed25519 key in `path`, or makes one: for a witness, whose key signs nothing else.
    ///
    /// # Errors
    /// As [`Keys::load_or_create`].
    pub fn witness_signer(path: &Path) -> Result<Arc<dyn Signer>, Error> {
        let path = path.to_path_buf();
        let directory = path.parent().unwrap_or(&path).to_path_buf();
        private(&directory)?;
        let pkcs8 = load_or_make(&path, &directory, || FileKey::generate(SignatureAlgorithm::Ed25519))?;
        Ok(Arc::new(FileKey::parse(&pkcs8).ok_or(Error::KeyMalformed { path })?))
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        self.signer.as_ref()
    }

    /// Whether a signature line of a checkpoint is ours and right.
    pub(crate) fn verifies(&self, checkpoint: &Checkpoint, signature: &NoteSignature<'_>) -> bool {
        let ours = signature.name == checkpoint.origin && signature.key_id == note::key_id(&checkpoint.origin, self.signer());
        ours && note::verifies(self.signer.algorithm(), self.signer.public_key(), checkpoint.text().as_bytes(), &signature.bytes)
    }

    /// The log that a verifier key in `path` is of. Refuses one of another signing key.
    pub(crate) fn check_verifier_key(&self, path: &Path) -> Result<String, Error> {
        let there = read_bounded(path).map_err(Error::io("read", path))?;
        let text = String::from_utf8_lossy(there.trim_ascii());
        let name = text.split('+').next().unwrap_or_default();
        let is_ours = text == note::verifier_key(name, self.signer());
        if is_ours { Ok(name.to_owned()) } else { Err(Error::KeyChanged { path: path.to_path_buf() }) }
    }

    /// 32 random hex digits, to name a log after.
    pub(crate) fn random_id() -> Result<Token, Error> {
        let mut random = [0_u8; 16];
        // The kernel's own: a name is no secret, and seeding the library's generator takes longer than all else at a session's start.
        let filled = rustix::rand::getrandom(&mut random[..], rustix::rand::GetRandomFlags::empty()).map_err(|_| Error::Random)?;
        if filled < random.len() { Err(Error::Random) } else { Ok(Token::lossy(&HEXLOWER.encode(&random))) }
    }

    /// Writes the public key into the keys' `directory`, or checks that the one there is ours. True if it was written: its name is not durable
    /// yet.
    fn export_public(&self, directory: &Path) -> Result<bool, Error> {
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
        write!(f, "Keys({:?}, digest {})", self.signer.algorithm(), self.digest.id())
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

pub(crate) type Secret = Zeroizing<Vec<u8>>;

fn load_or_make(path: &PathBuf, directory: &Path, make: impl FnOnce() -> Result<Secret, Error>) -> Result<Secret, Error> {
    let missing = matches!(path.symlink_metadata(), Err(error) if error.kind() == std::io::ErrorKind::NotFound);
    if missing {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        files::write_new(directory, name, &make()?)?;
        files::sync(directory)?;
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
