use policy::document::DOCUMENT_BYTES_MAX;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// `O_NONBLOCK`: a FIFO in the file's place does not hold up the watcher.
const NO_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// What tells that a file was written or replaced: device, inode, size, and both times in nanoseconds.
type Mark = (u64, u64, u64, (i64, i64), (i64, i64));

/// The file that a session's policy came from.
#[derive(Debug)]
pub(super) struct PolicyFile {
    path: PathBuf,
    text: String,
    seen: Option<Mark>,
    told: Vec<&'static str>,
}

impl PolicyFile {
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), seen: None, told: Vec::new() }
    }

    /// What happened to it, once for each kind: `changed` or `deleted`.
    pub(super) fn look(&mut self) -> Option<&'static str> {
        let change = self.change()?;
        if self.told.contains(&change) {
            return None;
        }
        self.told.push(change);
        Some(change)
    }

    fn change(&mut self) -> Option<&'static str> {
        let mark = match std::fs::metadata(&self.path) {
            Ok(found) => mark(&found),
            Err(error) if error.kind() == ErrorKind::NotFound => return Some("deleted"),
            // A file that cannot be looked at any more is another one.
            Err(_) => return Some("changed"),
        };
        if self.seen.replace(mark) == Some(mark) {
            return None;
        }
        let mut text = String::new();
        let opened = File::options().read(true).custom_flags(NO_WAITING).open(&self.path);
        let read = opened.and_then(|file| file.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_string(&mut text));
        (read.is_err() || text != self.text).then_some("changed")
    }
}

fn mark(found: &Metadata) -> Mark {
    (found.dev(), found.ino(), found.size(), (found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec()))
}
