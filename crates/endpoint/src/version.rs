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

/// The version, or `unknown`.
pub(crate) fn of(program: &Program) -> Token {
    let found = npm(program.file()).or_else(|| python(&program.path));
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

fn distributions(site: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(site) else { return Vec::new() };
    let paths = entries.take(PACKAGES_MAX).flatten().map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "dist-info")).collect()
}

/// A plain file's text. An agent of an earlier session may have left a link to something whose opening alone waits or does something: a
/// FIFO, a terminal, a device.
fn read(path: &Path) -> Option<String> {
    let is_plain = |facts: std::io::Result<std::fs::Metadata>| facts.is_ok_and(|facts| facts.is_file());
    if !is_plain(std::fs::metadata(path)) {
        return None;
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = std::fs::File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path).ok()?;
    let mut text = String::new();
    if is_plain(file.metadata()) { file.take(BYTES_MAX).read_to_string(&mut text).ok().map(|_| text) } else { None }
}

#[cfg(test)]
mod tests;
