//! Secrets that come by file or environment variable, never inline.
use crate::Error;
use crate::limits::SECRET_FILE_BYTES_MAX;
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use zeroize::Zeroizing;

/// Looks up environment variables; the binary's configuration module passes the real one.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Opening a fifo must not wait for a writer.
const O_NONBLOCK: i32 = 0o4000;

/// Reads a secret from a file that only its owner may read; white space around it does not count.
pub(crate) fn from_file(what: &str, path: &Path) -> Result<Zeroizing<String>, Error> {
    let wrong = |reason: String| Error::Secret { what: what.to_owned(), from: path.display().to_string(), reason };
    let mut options = File::options();
    let file = options.read(true).custom_flags(O_NONBLOCK).open(path).map_err(|error| wrong(error.to_string()))?;
    let facts = file.metadata().map_err(|error| wrong(error.to_string()))?;
    if !facts.is_file() {
        return Err(wrong("it is not a regular file".to_owned()));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(wrong("others may read it; run chmod 600 on it".to_owned()));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(SECRET_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > SECRET_FILE_BYTES_MAX {
        return Err(wrong(format!("it has more than {SECRET_FILE_BYTES_MAX} bytes")));
    }
    checked(&text).ok_or_else(|| wrong("it holds no single line of visible ASCII".to_owned()))
}

/// Reads a secret from an environment variable.
pub(crate) fn from_environment(what: &str, name: &str, environment: Environment<'_>) -> Result<Zeroizing<String>, Error> {
    let wrong = |reason: &str| Error::Secret { what: what.to_owned(), from: format!("${name}"), reason: reason.to_owned() };
    let value = environment(name).ok_or_else(|| wrong("the variable is not set"))?;
    let text = Zeroizing::new(value.into_string().map_err(|_| wrong("it is not UTF-8"))?);
    checked(&text).ok_or_else(|| wrong("it holds no single line of visible ASCII"))
}

fn checked(text: &str) -> Option<Zeroizing<String>> {
    let text = text.trim();
    let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    visible.then(|| Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests;
