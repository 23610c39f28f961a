//! Which version an agent is, by the metadata of the package that it was installed with. The agent itself is never asked: it would have to run.

use crate::Program;
use rustix::fs::OFlags;
use schema::Token;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many folders above the program a package's own description is looked for in.
const LEVELS_MAX: usize = 6;
/// Longest description that is read.
const BYTES_MAX: u64 = 1 << 20;
/// Most packages of a Python installation that are looked at.
const PACKAGES_MAX: usize = 4096;

/// Largest list of installed packages that is read: Debian's has some kilobytes for each.
const STATUS_BYTES_MAX: u64 = 64 << 20;
/// Where Debian keeps what it knows of packages (dpkg(1)).
const DEBIAN: &str = "/var/lib/dpkg";
/// How the file of a package's paths is named beside its name, where it is there for several architectures.
const ARCHITECTURES: [&str; 4] = ["", ":amd64", ":arm64", ":all"];

/// The version, or `unknown`.
pub(crate) fn of(program: &Program) -> Token {
    let file = program.file();
    let found = npm(file)
        .or_else(|| python(&program.path))
        // pipx leaves a link to the script in an environment of its own.
        .or_else(|| python(file))
        .or_else(|| cargo(file))
        .or_else(|| debian(file, Path::new(DEBIAN)));
    found.map_or_else(|| Token::lossy("unknown"), |text| Token::lossy(&text))
}

/// That of the nearest `package.json` with a version (npm documentation, package.json).
fn npm(file: &Path) -> Option<String> {
    file.ancestors().skip(1).take(LEVELS_MAX).find_map(|folder| {
        let text = read(&folder.join("package.json"))?;
        let package: serde_json::Value = serde_json::from_str(&text).ok()?;
        package.get("version")?.as_str().map(str::to_owned)
    })
}

/// That of the installed distribution which has this script among its entry points (Python Packaging User Guide: `.dist-info`,
/// `entry_points.txt`, core metadata).
fn python(script: &Path) -> Option<String> {
    let name = script.file_name()?.to_str()?;
    let library = script.parent()?.parent()?.join("lib");
    let sites = std::fs::read_dir(library).ok()?.flatten().map(|entry| entry.path().join("site-packages"));
    sites.flat_map(|site| distributions(&site)).find_map(|folder| {
        let points = read(&folder.join("entry_points.txt"))?;
        let has = points.lines().any(|line| line.split_once('=').is_some_and(|(left, _)| left.trim() == name));
        let metadata = if has { read(&folder.join("METADATA"))? } else { return None };
        metadata
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix("Version:"))
            .map(|text| text.trim().to_owned())
    })
}

/// That of the crate which `cargo install` made the program from (`.crates2.json` beside `bin`: "name version (source)" and its programs).
fn cargo(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let text = read(&file.parent()?.parent()?.join(".crates2.json"))?;
    let known: serde_json::Value = serde_json::from_str(&text).ok()?;
    let mut installs = known.get("installs")?.as_object()?.iter();
    let (id, _) = installs.find(|(_, facts)| {
        let programs = facts.get("bins").and_then(serde_json::Value::as_array);
        programs.is_some_and(|programs| programs.iter().any(|one| one.as_str() == Some(name)))
    })?;
    id.split(' ').nth(1).map(str::to_owned)
}

/// That of the Debian package which has the program's own name and holds it. Others are not looked for: that would mean to read the
/// lists of all packages at every start.
fn debian(file: &Path, database: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    // Packages from before /usr was merged name the path without it.
    let path = file.to_str()?;
    let short = path.strip_prefix("/usr").unwrap_or(path);
    let holds = |text: String| text.lines().any(|line| line == path || line == short);
    let lists = ARCHITECTURES.iter().map(|one| database.join("info").join(format!("{name}{one}.list")));
    if !lists.filter_map(|list| read(&list)).any(holds) {
        return None;
    }
    let status = read_up_to(&database.join("status"), STATUS_BYTES_MAX)?;
    let field = |entry: &str, field: &str| entry.lines().find_map(|line| Some(line.strip_prefix(field)?.strip_prefix(": ")?.to_owned()));
    let mut entries = status.split("\n\n").filter(|entry| field(entry, "Package").as_deref() == Some(name));
    field(entries.find(|entry| field(entry, "Status").is_some_and(|status| status.ends_with(" installed")))?, "Version")
}

fn distributions(site: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(site) else { return Vec::new() };
    let paths = entries.take(PACKAGES_MAX).flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "dist-info")).collect()
}

fn read(path: &Path) -> Option<String> {
    read_up_to(path, BYTES_MAX)
}

/// A plain file's text. An agent of an earlier session may have left a link to something whose opening alone waits or does something: a
/// FIFO, a terminal, a device.
fn read_up_to(path: &Path, bytes_max: u64) -> Option<String> {
    let is_plain = |facts: std::io::Result<std::fs::Metadata>| facts.is_ok_and(|facts| facts.is_file());
    if !is_plain(std::fs::metadata(path)) {
        return None;
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = std::fs::File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    let mut text = String::new();
    if is_plain(file.metadata()) { file.take(bytes_max).read_to_string(&mut text).ok().map(|_| text) } else { None }
}

#[cfg(test)]
mod tests;
