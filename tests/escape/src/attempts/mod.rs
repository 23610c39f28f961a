//! The attempts, by class. Each is harmless to a real machine: what it changes belongs to the sham host, and calls that would change the
//! machine are made with arguments that the kernel refuses after it has asked for the right to make them.

pub(crate) mod descriptors;
pub(crate) mod files;
pub(crate) mod kernel;
pub(crate) mod limits;
pub(crate) mod machine;
pub(crate) mod network;
pub(crate) mod others;
pub(crate) mod processes;
pub(crate) mod protected;
pub(crate) mod writes;

use crate::sys::{Answer, REFUSALS, gained, refused, say};
use std::fs::{File, OpenOptions};
use std::io::{Read, Result, Write};
use std::path::Path;

/// Bytes that an attempt shows of what it read.
const SHOWN_MAX: u64 = 65_536;

/// Tells what the kernel refused, and passes the rest on.
fn told<T>(call: &str, object: impl AsRef<Path>, result: Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            refused(call, error.raw_os_error().unwrap_or(0), &object.as_ref().to_string_lossy());
            None
        }
    }
}

fn open(path: impl AsRef<Path>) -> Option<File> {
    told("openat", &path, File::open(&path))
}

fn open_to_write(path: impl AsRef<Path>) -> Option<File> {
    told("openat", &path, OpenOptions::new().append(true).open(&path))
}

/// Reads a file and shows what is in it.
fn show(path: impl AsRef<Path>) {
    if let Some(file) = open(path) {
        show_file(file);
    }
}

fn show_file(file: impl Read) {
    let mut bytes = Vec::new();
    // What was read before an error counts too.
    let _ended = file.take(SHOWN_MAX).read_to_end(&mut bytes);
    say(&bytes.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect::<Vec<_>>());
}

/// Writes a file, which need not exist, making its folders.
fn write(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        told("mkdirat", folder, std::fs::create_dir_all(folder));
    }
    if let Some(mut file) = told("openat", path, OpenOptions::new().append(true).create(true).open(path)) {
        told("write", path, file.write_all(text.as_bytes()));
    }
}

/// The kernel gave it: that is a gain in itself.
fn gain(what: &str, answer: Answer) -> bool {
    if answer.is_ok() {
        gained(what);
    }
    answer.is_ok()
}

/// The call came through to the kernel's own code if it failed for another reason than a refusal.
fn reach(what: &str, answer: Answer) {
    if !answer.is_err_and(|error| REFUSALS.contains(&error)) {
        gained(what);
    }
}

/// Shows a file that may well not be there.
fn show_if_there(path: impl AsRef<Path>) {
    if let Ok(file) = File::open(path) {
        show_file(file);
    }
}
