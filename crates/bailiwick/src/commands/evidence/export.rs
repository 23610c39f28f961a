//! What leaves for someone who checks it elsewhere.

use super::{place, resolve_log, unreadable};
use crate::cli::{BundleArgs, ProofArgs};
use crate::exit::{DONE, Failure, NEGATIVE, USAGE};
use crate::print;
use crate::settings::Settings;
use evidence::Selection;
use schema::{RequestId, SessionId, TokenError};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IntoInnerError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub(super) fn bundle(args: &BundleArgs, settings: &Settings) -> Result<u8, Failure> {
    let selection = selection(args)?;
    let logs = logs(&args.logs, settings)?;
    let exported = match &args.output {
        Some(path) => {
            let mut file = BufWriter::new(create(path)?);
            let exported = evidence::export(&logs, &selection, &mut file).map_err(unreadable)?;
            let synced = file.into_inner().map_err(IntoInnerError::into_error).and_then(|file| file.sync_all());
            synced.map_err(|error| unreadable(format_args!("cannot write {}: {error}", path.display())))?;
            exported
        }
        None => evidence::export(&logs, &selection, &mut BufWriter::new(std::io::stdout().lock())).map_err(unreadable)?,
    };
    if exported.shown == 0 {
        return Err(Failure::new(NEGATIVE, "no record was chosen: widen the period, or look with `bailiwick evidence list`"));
    }
    if args.json {
        print::note(serde_json::to_string(&exported).map_err(unreadable)?);
    } else {
        let (shown, logs, skipped) = (exported.shown, exported.logs, exported.skipped);
        print::note(format_args!(
            "{shown} records of {logs} logs written, {skipped} of their records left out; check with `bailiwick-verify FILE`"
        ));
    }
    Ok(DONE)
}

pub(super) fn proof(args: &ProofArgs, settings: &Settings) -> Result<u8, Failure> {
    let log = resolve_log(Some(&args.log), settings)?;
    print::text(&evidence::inclusion_proof(&log, args.index).map_err(unreadable)?);
    Ok(DONE)
}

fn selection(args: &BundleArgs) -> Result<Selection, Failure> {
    let wrong = |option: &'static str| move |error: TokenError| Failure::new(USAGE, format_args!("{option}: {error}"));
    Ok(Selection {
        session: args.session.as_deref().map(SessionId::parse).transpose().map_err(wrong("--session"))?,
        request: args.request.as_deref().map(RequestId::parse).transpose().map_err(wrong("--request"))?,
        from: args.from,
        to: args.to,
    })
}

fn logs(named: &[PathBuf], settings: &Settings) -> Result<Vec<PathBuf>, Failure> {
    let places =
        if named.is_empty() { vec![place(None, settings)] } else { named.iter().map(|path| place(Some(path), settings)).collect() };
    let mut logs = Vec::new();
    for place in places {
        logs.extend(evidence::log_directories(&place).map_err(unreadable)?);
    }
    Ok(logs)
}

/// A new file: a bundle never takes the place of another.
fn create(path: &Path) -> Result<File, Failure> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    created.map_err(|error| Failure::new(USAGE, format_args!("cannot make the new file {}: {error}", path.display())))
}
