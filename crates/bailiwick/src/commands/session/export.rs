//! What a session changed, as one file for others: the files as they are now, a diff, and a list with the digest of each.

use super::diff::{self, Look};
use crate::cli::ExportArgs;
use crate::exit::{DONE, Failure, UNREADABLE};
use crate::print;
use endpoint::snapshot::{Comparison, Desk, Side};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use tar::{Builder, EntryType, Header};

pub(super) fn run(desk: &Desk, args: &ExportArgs) -> Result<u8, Failure> {
    let comparison = desk.compare(&args.id)?;
    let wrong = |error: std::io::Error| Failure::new(UNREADABLE, format_args!("cannot write {}: {error}", args.output.display()));
    let file = File::options().write(true).create_new(true).mode(0o600).open(&args.output).map_err(wrong)?;
    let look = Look { colours: false, names: false, paths: &[] };
    let manifest = serde_json::to_string_pretty(&diff::machine(&comparison, &look)?).unwrap_or_default() + "\n";
    let text = diff::render(&comparison, &look)?;
    let mut archive = Builder::new(file);
    let written = add(&mut archive, Path::new("manifest.json"), manifest.as_bytes())
        .and_then(|()| add(&mut archive, Path::new("changes.diff"), text.as_bytes()))
        .and_then(|()| add_files(&mut archive, &comparison))
        .and_then(|()| archive.into_inner())
        .and_then(|file| file.sync_all());
    if let Err(error) = written {
        let _left = std::fs::remove_file(&args.output);
        return Err(wrong(error));
    }
    print::line(format_args!("{} paths in {}", comparison.list.len(), args.output.display()));
    Ok(DONE)
}

fn add(archive: &mut Builder<File>, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    archive.append_data(&mut header(bytes.len() as u64, 0o600), path, bytes)
}

fn header(size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    // No set-id bit leaves the workspace this way.
    header.set_mode(mode & 0o777);
    header
}

/// The files as they are now, below `files/`. Links are told in the list only: who unpacks it follows none.
fn add_files(archive: &mut Builder<File>, comparison: &Comparison) -> std::io::Result<()> {
    for one in &comparison.list {
        let Some(size) = comparison.size(Side::New, &one.path) else { continue };
        let file = comparison.open(Side::New, &one.path).map_err(|error| std::io::Error::other(error.to_string()))?;
        let Some(file) = file else { continue };
        let mut inside = b"files/".to_vec();
        inside.extend(one.path.as_os_str().as_bytes());
        let mode = comparison.mode(Side::New, &one.path).unwrap_or(0o600);
        // Exactly so many bytes as the header says, whatever happens to the file meanwhile.
        let padded = file.chain(std::io::repeat(0)).take(size);
        archive.append_data(&mut header(size, mode), Path::new(std::ffi::OsStr::from_bytes(&inside)), padded)?;
    }
    Ok(())
}
