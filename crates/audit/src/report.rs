use crate::{
    Anchors, Error, LOG_FILE, PublicKey, Verification,
    line::{Head, read_line},
    verify::verify_against,
};
use serde::Serialize;
use std::{
    collections::BTreeSet,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

/// Most logs in one run.
pub const LOGS_MAX: usize = 65_536;
/// The writer's lock: a directory that has it had a log.
pub(crate) const LOCK_FILE: &str = "log.lock";

/// What checking several logs found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Logs that hold.
    pub verified: u64,
    /// Logs that do not.
    pub not_verified: u64,
    /// Each log that could be read, sorted by path.
    pub logs: Vec<Verification>,
    /// Each log that could not.
    pub unreadable: Vec<Unreadable>,
}

/// A log that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Where it should be.
    pub log: PathBuf,
    /// Why not.
    pub reason: String,
}

impl Report {
    /// The exit code of `bailiwick-verify`: 0 if every log is verified, 1 if one is not, 3 if one could not be read.
    pub fn exit_code(&self) -> u8 {
        match (self.not_verified, self.unreadable.is_empty(), self.verified) {
            (1.., _, _) => 1,
            (0, true, 1..) => 0,
            (0, _, _) => 3,
        }
    }
}

/// Checks a log (its directory or file), or each log in the directories right below `path`. A directory whose log was removed counts as
/// unreadable, not as absent.
///
/// # Errors
/// If nothing there is a log, or the directory cannot be listed. A single log that cannot be read is part of the report.
pub fn verify_all(path: &Path, trusted_key: Option<&PublicKey>) -> Result<Report, Error> {
    verify_all_against(path, &Anchors::key(trusted_key.cloned()))
}

/// As [`verify_all`], and each log must fit whatever else is known of it. A checkpoint of a log that is not there counts as an unreadable
/// log.
///
/// # Errors
/// As [`verify_all`].
pub fn verify_all_against(path: &Path, anchors: &Anchors) -> Result<Report, Error> {
    let mut report = Report { verified: 0, not_verified: 0, logs: Vec::new(), unreadable: Vec::new() };
    let logs = logs_at(path)?;
    let mut matched = BTreeSet::new();
    for log in &logs {
        // Of one log only, a checkpoint of another log is no oversight: it is held against it and does not fit.
        let of_this = if logs.len() == 1 { anchors.clone() } else { of_log(anchors, log) };
        matched.extend(of_this.checkpoints.iter().map(|noted| noted.name().to_owned()));
        match verify_against(log, &of_this) {
            Ok(verification) if verification.is_verified() => {
                report.verified += 1;
                report.logs.push(verification);
            }
            Ok(verification) => {
                report.not_verified += 1;
                report.logs.push(verification);
            }
            Err(error) => report.unreadable.push(Unreadable { log: log.clone(), reason: error.to_string() }),
        }
    }
    for noted in anchors.checkpoints.iter().filter(|noted| !matched.contains(noted.name())) {
        let reason = format!("the log {}, of which this checkpoint was noted, is not there", noted.origin());
        report.unreadable.push(Unreadable { log: PathBuf::from(noted.name()), reason });
    }
    Ok(report)
}

/// The anchors without the checkpoints of other logs.
fn of_log(anchors: &Anchors, log: &Path) -> Anchors {
    let mut line = Vec::new();
    let read = File::open(log.join(LOG_FILE)).and_then(|file| read_line(&mut BufReader::new(file), &mut line));
    let head = read.ok().and_then(|_| Head::parse(line.strip_suffix(b"\n")?).ok());
    let mut of_this = anchors.clone();
    of_this.checkpoints.retain(|noted| head.as_ref().is_some_and(|head| head.origin == noted.origin()));
    of_this
}

fn logs_at(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() || is_log_directory(path) {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(Error::io("list", path))? {
        let below = entry.map_err(Error::io("list", path))?.path();
        if is_log_directory(&below) {
            found.push(below);
        }
        if found.len() > LOGS_MAX {
            return Err(Error::TooManyLogs { path: path.to_path_buf(), bound: LOGS_MAX });
        }
    }
    found.sort();
    if found.is_empty() { Err(Error::NoLog { path: path.to_path_buf() }) } else { Ok(found) }
}

fn is_log_directory(path: &Path) -> bool {
    path.join(LOG_FILE).exists() || path.join(LOCK_FILE).exists()
}
