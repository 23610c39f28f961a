//! Finds an agent's program and what it needs to run: its package tree, its interpreter, the interpreter's tree.

use crate::{Error, layout};
use data_encoding::HEXLOWER;
use sandbox::FileIdentity;
use schema::Token;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Longest chain of links from a program's name to its file.
const LINKS_MAX: usize = 16;
/// Longest chain of interpreters (a script whose interpreter is a script).
const INTERPRETERS_MAX: usize = 4;
/// Longest first line of a script (the kernel reads 256 bytes).
const FIRST_LINE_BYTES_MAX: usize = 256;
/// Longest configuration of a Python environment that is read.
const ENVIRONMENT_BYTES_MAX: u64 = 64 * 1024;
const READ_BYTES: usize = 256 * 1024;

/// An agent's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it is, on the host and inside alike: absolute, its folder without links.
    pub path: PathBuf,
    /// Files and folders outside of the system's own that it needs, read-only.
    pub trees: BTreeSet<PathBuf>,
    /// Folders for the agent's `PATH`.
    pub folders: Vec<PathBuf>,
    /// The files that the kernel runs for it: what the last link leads to, which is measured, then its interpreters.
    files: Vec<PathBuf>,
    /// Which link or script named a tree.
    led: Vec<(PathBuf, PathBuf)>,
}

impl Program {
    /// Finds `name` as a shell would, in `search_path` if it has no slash.
    ///
    /// # Errors
    /// [`Error::ProgramNotFound`].
    pub fn find(name: &OsStr, search_path: &OsStr) -> Result<Self, Error> {
        let path = locate(name, search_path).ok_or_else(|| Error::ProgramNotFound { name: name.into() })?;
        let mut program = Self { files: Vec::new(), path, trees: BTreeSet::new(), folders: Vec::new(), led: Vec::new() };
        let mut next = Some((program.path.clone(), None));
        for _ in 0..INTERPRETERS_MAX {
            let Some((path, named_by)) = next else { break };
            let file = program.add(&path, named_by);
            next = interpreter(&file, search_path);
            program.files.push(std::fs::canonicalize(&file).unwrap_or(file));
        }
        Ok(program)
    }

    /// A tree outside of `folder` that a link or a script in it leads to: whoever can write there chose it. A Python installation is none:
    /// it holds programs only, and environments in a project lead to one.
    pub(crate) fn led_out_of(&self, folder: &Path) -> Option<&Path> {
        let mut led = self.led.iter().filter(|(tree, by)| by.starts_with(folder) && !tree.starts_with(folder)).map(|(tree, _)| tree);
        led.find(|tree| !tree.parent().map(installation).unwrap_or_default().contains(tree)).map(PathBuf::as_path)
    }

    /// A short name for evidence.
    pub fn name(&self) -> Token {
        Token::lossy(&self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    /// The program's own file: what the last link leads to.
    pub(crate) fn file(&self) -> &Path {
        self.files.first().unwrap_or(&self.path)
    }

    /// The program's own file, then those of its interpreters.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Measures the program's file.
    pub fn measure(&self) -> Measurement {
        let identity = std::fs::metadata(self.file()).ok().map(|facts| identity_of(&facts));
        let sha256 = std::fs::File::open(self.file()).ok().and_then(sha256);
        Measurement { sha256, identity }
    }

    /// Whether the program's file is still the one that was measured: not replaced, and not written since.
    pub fn is_still(&self, measurement: &Measurement) -> bool {
        std::fs::metadata(self.file()).ok().map(|facts| identity_of(&facts)) == measurement.identity
    }

    /// Adds what the program at `path` needs, along its chain of links; returns the file at the end of it. `named_by` is the script that
    /// named it by its path.
    fn add(&mut self, path: &Path, mut named_by: Option<PathBuf>) -> PathBuf {
        let mut current = path.to_owned();
        for _ in 0..LINKS_MAX {
            if let Some(folder) = current.parent().filter(|folder| !self.folders.iter().any(|known| known == folder)) {
                self.folders.push(folder.to_owned());
            }
            let needed: Vec<PathBuf> = trees(&current).into_iter().filter(|tree| !layout::is_system(tree)).collect();
            self.led.extend(named_by.take().iter().flat_map(|by| needed.iter().map(|tree| (tree.clone(), by.clone()))));
            self.trees.extend(needed);
            let Ok(target) = std::fs::read_link(&current) else { break };
            let joined = current.parent().unwrap_or(Path::new("/")).join(target);
            let Some(resolved) = without_links_in_folder(&joined) else { break };
            named_by = Some(current);
            current = resolved;
        }
        current
    }
}

/// What was found in a program's file, and which file that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measurement {
    /// SHA-256 in hexadecimal, if the file could be read.
    pub sha256: Option<Token>,
    identity: Option<FileIdentity>,
}

/// Which file it is, and in which state.
pub(crate) fn identity_of(facts: &std::fs::Metadata) -> FileIdentity {
    FileIdentity { device: facts.dev(), inode: facts.ino(), bytes: facts.size(), changed: (facts.ctime(), facts.ctime_nsec()) }
}

/// SHA-256 of a file from where it stands, in hexadecimal; none if it cannot be read.
pub(crate) fn sha256(mut file: std::fs::File) -> Option<Token> {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Some(Token::lossy(&HEXLOWER.encode(context.finish().as_ref()))),
            Ok(length) => context.update(buffer.get(..length)?),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

/// The path of a program that can be executed.
fn locate(name: &OsStr, search_path: &OsStr) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0);
    let found = if name.as_bytes().contains(&b'/') {
        Some(PathBuf::from(name)).filter(is_program)
    } else {
        std::env::split_paths(search_path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(is_program)
    };
    found.and_then(|path| without_links_in_folder(&path))
}

/// The path with every link in its folder resolved, but not the file's own.
fn without_links_in_folder(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(std::fs::canonicalize(folder).ok()?.join(path.file_name()?))
}

/// Where the package of a file begins: a Python environment, the outermost `node_modules`, an interpreter's own folders, or the file itself.
fn trees(file: &Path) -> Vec<PathBuf> {
    if let Some(root) = file.ancestors().skip(1).find(|folder| folder.join("pyvenv.cfg").is_file()) {
        return [root.to_owned()].into_iter().chain(base_of(root)).collect();
    }
    if let Some(root) = file.ancestors().filter(|folder| folder.file_name() == Some(OsStr::new("node_modules"))).last() {
        return vec![root.to_owned()];
    }
    let is_python = file.file_name().is_some_and(|name| name.as_bytes().starts_with(b"python"));
    match file.parent() {
        Some(folder) if is_python && folder.ends_with("bin") => {
            let own = folder.parent().map(installation).unwrap_or_default();
            if own.is_empty() { vec![file.to_owned()] } else { own }
        }
        _ => vec![file.to_owned()],
    }
}

/// The installation that a Python environment borrows from (`home = …/bin` in its `pyvenv.cfg`).
fn base_of(environment: &Path) -> Vec<PathBuf> {
    let mut text = String::new();
    let file = std::fs::File::open(environment.join("pyvenv.cfg"));
    if file.and_then(|file| file.take(ENVIRONMENT_BYTES_MAX).read_to_string(&mut text)).is_err() {
        return Vec::new();
    }
    let home = text.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "home");
    let folder = home.and_then(|(_, value)| std::fs::canonicalize(value.trim()).ok());
    folder.as_deref().and_then(Path::parent).map(installation).unwrap_or_default()
}

/// A Python installation's folders: `bin` and `lib`, if its library is there.
fn installation(prefix: &Path) -> Vec<PathBuf> {
    let has_library = std::fs::read_dir(prefix.join("lib"))
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().as_bytes().starts_with(b"python")));
    if has_library && !layout::is_system(prefix) { vec![prefix.join("bin"), prefix.join("lib")] } else { Vec::new() }
}

/// The interpreter that a script names in its first line, and the script if it names a path; for `/usr/bin/env NAME` the one that is found
/// where the user looks for programs.
fn interpreter(file: &Path, search_path: &OsStr) -> Option<(PathBuf, Option<PathBuf>)> {
    let mut head = Vec::new();
    std::fs::File::open(file).ok()?.take(FIRST_LINE_BYTES_MAX as u64).read_to_end(&mut head).ok()?;
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(OsStr::from_bytes);
    let first = words.next()?;
    if Path::new(first).file_name() == Some(OsStr::new("env")) {
        let name = words.find(|word| !word.as_bytes().starts_with(b"-"))?;
        let named_by = name.as_bytes().contains(&b'/').then(|| file.to_owned());
        return locate(name, search_path).map(|found| (found, named_by));
    }
    locate(first, &OsString::new()).map(|found| (found, Some(file.to_owned())))
}

#[cfg(test)]
mod tests;
