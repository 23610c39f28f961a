//! The content of kept files, each once, by the SHA-256 of what it holds.

use super::Digest;
use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Files up to this size are read into memory, larger ones piece by piece.
const WHOLE_BYTES_MAX: u64 = 1 << 20;
const PIECE_BYTES: usize = 256 * 1024;
/// Up to so many new files each is made durable by itself; beyond, the whole file system is.
const SYNC_EACH_MAX: usize = 32;
/// Begins the names of files that are being written; a process that was killed leaves them, and the next collection takes them away.
const PARTIAL: &str = ".part-";

/// How a file's content came into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    /// The file system shares the blocks.
    Reflink,
    /// Byte by byte.
    Copy,
}

/// The store's folder.
#[derive(Debug)]
pub(super) struct Objects {
    folder: PathBuf,
}

/// New content, on its way to the disk.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    objects: &'a Objects,
    clones: bool,
    number: u64,
    added: Vec<PathBuf>,
    method: Option<Method>,
}

impl Objects {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn intake(&self) -> Intake<'_> {
        Intake { objects: self, clones: true, number: 0, added: Vec::new(), method: None }
    }

    fn place(&self, digest: Digest) -> PathBuf {
        let name = digest.hex();
        self.folder.join(name.get(..2).unwrap_or_default()).join(name)
    }

    pub(super) fn has(&self, digest: Digest) -> bool {
        self.place(digest).is_file()
    }

    /// Opens content, to be copied or shown; whoever takes it compares the digest.
    pub(super) fn open(&self, digest: Digest) -> io::Result<File> {
        File::options().read(true).custom_flags(no_follow()).open(self.place(digest))
    }

    /// The bytes of small content, compared with its digest.
    pub(super) fn read(&self, digest: Digest, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(digest)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > bytes_max || Digest::of(&bytes) != digest {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its content is not what was kept"));
        }
        Ok(bytes)
    }

    /// Takes away everything that `keep` does not name. Nobody may be adding content meanwhile.
    pub(super) fn collect(&self, keep: &dyn Fn(Digest) -> bool) -> io::Result<()> {
        let Ok(shards) = fs::read_dir(&self.folder) else { return Ok(()) };
        for shard in shards {
            let shard = shard?.path();
            if shard.is_dir() {
                for entry in fs::read_dir(&shard)? {
                    let path = entry?.path();
                    let digest = path.file_name().and_then(|name| name.to_str()).and_then(Digest::parse);
                    if digest.is_none_or(|digest| !keep(digest)) {
                        fs::remove_file(&path)?;
                    }
                }
            } else {
                fs::remove_file(&shard)?;
            }
        }
        Ok(())
    }
}

impl Intake<'_> {
    /// Keeps a file's content as it is now.
    pub(super) fn add(&mut self, source: &File, size: u64) -> io::Result<Digest> {
        if size == 0 {
            return self.add_bytes(&[]);
        }
        if let Some(digest) = self.add_clone(source)? {
            return Ok(digest);
        }
        self.method = Some(Method::Copy);
        if size <= WHOLE_BYTES_MAX {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
            source.take(size).read_to_end(&mut bytes)?;
            return self.add_bytes(&bytes);
        }
        let (mut partial, path) = self.partial()?;
        let copied = copy_to_file(&mut source.take(size), &mut partial);
        copied.and_then(|digest| self.settle(&partial, &path, digest)).inspect_err(|_| discard(&path))
    }

    /// Whether the file system shares the blocks of such a file with the store.
    pub(super) fn can_share(&mut self, source: &File) -> io::Result<bool> {
        let (partial, path) = self.partial()?;
        self.clones = rustix::fs::ioctl_ficlone(&partial, source).is_ok();
        discard(&path);
        Ok(self.clones)
    }

    /// Keeps bytes.
    pub(super) fn add_bytes(&mut self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = Digest::of(bytes);
        if self.objects.has(digest) {
            return Ok(digest);
        }
        let (mut partial, path) = self.partial()?;
        partial.write_all(bytes).and_then(|()| self.settle(&partial, &path, digest)).inspect_err(|_| discard(&path))
    }

    /// Shares the blocks of a file, where the file system can.
    fn add_clone(&mut self, source: &File) -> io::Result<Option<Digest>> {
        if !self.clones {
            return Ok(None);
        }
        let (mut partial, path) = self.partial()?;
        match rustix::fs::ioctl_ficlone(&partial, source) {
            Ok(()) => {}
            Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::INVAL | Errno::NOTTY | Errno::NOSYS | Errno::PERM) => {
                self.clones = false;
                discard(&path);
                return Ok(None);
            }
            Err(errno) => {
                discard(&path);
                return Err(errno.into());
            }
        }
        self.method.get_or_insert(Method::Reflink);
        let read = partial.rewind().and_then(|()| copy(&mut partial, &mut io::sink()));
        read.and_then(|digest| self.settle(&partial, &path, digest)).inspect_err(|_| discard(&path)).map(Some)
    }

    fn partial(&mut self) -> io::Result<(File, PathBuf)> {
        if self.number == 0 {
            private_folder(&self.objects.folder)?;
        }
        self.number += 1;
        let path = self.objects.folder.join(format!("{PARTIAL}{}-{}", std::process::id(), self.number));
        let file = File::options().read(true).write(true).create(true).truncate(true).mode(0o600).custom_flags(no_follow()).open(&path)?;
        Ok((file, path))
    }

    /// Gives a whole file its name.
    fn settle(&mut self, partial: &File, path: &Path, digest: Digest) -> io::Result<Digest> {
        let place = self.objects.place(digest);
        if place.is_file() {
            discard(path);
            return Ok(digest);
        }
        if let Some(shard) = place.parent() {
            private_folder(shard)?;
        }
        if self.added.len() < SYNC_EACH_MAX {
            partial.sync_data()?;
        }
        fs::rename(path, &place)?;
        self.added.push(place);
        Ok(digest)
    }

    /// How what is new came in; nothing if nothing was.
    pub(super) fn method(&self) -> Option<Method> {
        self.method
    }

    /// Makes durable what was added.
    pub(super) fn sync(self) -> io::Result<()> {
        if self.added.len() >= SYNC_EACH_MAX {
            let folder = rustix::fs::open(&self.objects.folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            return Ok(rustix::fs::syncfs(&folder)?);
        }
        let mut shards: Vec<&Path> = self.added.iter().filter_map(|path| path.parent()).collect();
        shards.sort_unstable();
        shards.dedup();
        if !shards.is_empty() {
            shards.push(&self.objects.folder);
        }
        shards.into_iter().try_for_each(|shard| File::open(shard)?.sync_all())
    }
}

/// Copies all bytes and says what they were.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<Digest> {
    let mut hash = Context::new(&SHA256);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = match from.read(&mut piece) {
            Ok(0) => return Ok(Digest::take(hash.finish().as_ref())),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = piece.get(..length).unwrap_or_default();
        hash.update(bytes);
        to.write_all(bytes)?;
    }
}

/// The same into a file that is empty yet: where there are zeros it gets holes, so that a file of nothing but a size costs no room.
pub(super) fn copy_to_file(from: &mut impl Read, to: &mut File) -> io::Result<Digest> {
    let mut sparse = Sparse { file: to, bytes: 0 };
    let digest = copy(from, &mut sparse)?;
    let bytes = sparse.bytes;
    to.set_len(bytes)?;
    Ok(digest)
}

/// Writes into a file, and leaves out what is zero.
struct Sparse<'a> {
    file: &'a mut File,
    bytes: u64,
}

impl Write for Sparse<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = i64::try_from(bytes.len()).map_err(io::Error::other)?;
        if bytes.iter().all(|byte| *byte == 0) {
            self.file.seek(io::SeekFrom::Current(length))?;
        } else {
            self.file.write_all(bytes)?;
        }
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Makes a folder that only its owner may enter.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn discard(path: &Path) {
    // What is left of it is taken away with the next collection.
    let _left = fs::remove_file(path);
}

fn no_follow() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}
