//! Opening the files of keys and logs: private modes, no symbolic links followed.

use crate::Error;
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

/// Permission bits of anyone but the owner.
const OTHERS: u32 = 0o077;
const NO_FOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Makes a directory (and its parents) that only the owner may enter, unless it is there already.
pub(crate) fn private_directory(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("make the directory", path))
}

/// Options for a file that only the owner may read.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(NO_FOLLOW);
    options
}

/// Refuses a file or directory that others could read or change.
pub(crate) fn refuse_exposed(file: &File, path: &Path) -> Result<(), Error> {
    let mode = file.metadata().map_err(Error::io("inspect", path))?.mode() & 0o7777;
    if mode & OTHERS == 0 { Ok(()) } else { Err(Error::KeyExposed { path: path.to_path_buf(), mode }) }
}

/// Makes a file's content, or the names in a directory, durable.
pub(crate) fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|opened| opened.sync_all()).map_err(Error::io("make durable", path))
}

/// Writes a file under its final name at once, in the place of one that is there. Not durable yet.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".next");
    let written = private().write(true).create(true).truncate(true).open(&partial).and_then(|mut file| file.write_all(bytes));
    written.and_then(|()| std::fs::rename(&partial, path)).map_err(Error::io("write", path))
}

/// Writes a whole new file, durable, under its final name at once; that becomes durable with [`sync`]. Leaves a file that is
/// already there alone.
pub(crate) fn write_new(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    let target = directory.join(name);
    let partial = directory.join(format!(".{name}.{}", std::process::id()));
    let written = private().write(true).create(true).truncate(true).open(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let linked = written.and_then(|()| match std::fs::hard_link(&partial, &target) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = std::fs::remove_file(&partial);
    linked.and(removed).map_err(Error::io("write", &target))
}
