//! `bailiwick-verify`: checks evidence offline.
#![forbid(unsafe_code)]

use audit::{Error, Head, PublicKey, Report, render_report, verify_against, verify_all};
use std::{
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

const USAGE: &str = "\
usage: bailiwick-verify [--key HEX|FILE] [--head INDEX:HASH] [--json] PATH

Checks an evidence log offline, and names the first record that does not hold.

  PATH               a log's directory, its log.jsonl, or a directory of log directories
  --key HEX|FILE     the keeper's public key, from a way that the keeper does not control;
                     without it, the key beside the log is used
  --head INDEX:HASH  a record noted earlier that the log must still have (one log only)
  --json             the same for machines

exit codes: 0 verified, 1 not verified, 2 usage, 3 cannot read
";
const EXIT_USAGE: u8 = 2;
const EXIT_UNREADABLE: u8 = 3;

fn main() -> ExitCode {
    let code = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(Parsed::Help) => print(USAGE.as_bytes(), 0),
        Ok(Parsed::Version) => print(concat!("bailiwick-verify ", env!("CARGO_PKG_VERSION"), "\n").as_bytes(), 0),
        Ok(Parsed::Check(arguments)) => check(&arguments),
        Err(message) => complain(&format!("{message}\n\n{USAGE}"), EXIT_USAGE),
    };
    ExitCode::from(code)
}

struct Arguments {
    path: PathBuf,
    key: Option<String>,
    head: Option<Head>,
    json: bool,
}

enum Parsed {
    Help,
    Version,
    Check(Arguments),
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = OsString>) -> Result<Parsed, String> {
        let (mut path, mut key, mut head, mut json) = (None, None, None, false);
        while let Some(argument) = given.next() {
            let mut value = |name: &str| {
                let text = given.next().and_then(|value| value.into_string().ok());
                text.ok_or_else(|| format!("{name} needs a value"))
            };
            match argument.to_str() {
                Some("-h" | "--help") => return Ok(Parsed::Help),
                Some("-V" | "--version") => return Ok(Parsed::Version),
                Some("--json") => json = true,
                Some("--key") if key.is_none() => key = Some(value("--key")?),
                Some("--head") if head.is_none() => {
                    head = Some(Head::parse(&value("--head")?).ok_or("--head is not INDEX:HASH with a hash of 64 hex digits")?);
                }
                Some(option) if option.starts_with('-') => return Err(format!("unknown or repeated option {option}")),
                _ if path.is_none() => path = Some(PathBuf::from(argument)),
                _ => return Err("give one path only".to_owned()),
            }
        }
        let path = path.ok_or("give the path of a log")?;
        Ok(Parsed::Check(Self { path, key, head, json }))
    }
}

fn check(arguments: &Arguments) -> u8 {
    let report = match run(arguments) {
        Ok(report) => report,
        Err(error) => return complain(&format!("{error}\n"), EXIT_UNREADABLE),
    };
    let shown = if arguments.json {
        serde_json::to_string(&report).map(|json| json + "\n").map_err(|error| error.to_string())
    } else {
        Ok(render_report(&report))
    };
    match shown {
        Ok(text) => print(text.as_bytes(), report.exit_code()),
        Err(error) => complain(&error, EXIT_UNREADABLE),
    }
}

fn run(arguments: &Arguments) -> Result<Report, Error> {
    let key = arguments.key.as_deref().map(PublicKey::from_argument).transpose()?;
    match &arguments.head {
        None => verify_all(&arguments.path, key.as_ref()),
        Some(head) => {
            let verification = verify_against(&arguments.path, key, Some(head))?;
            let verified = u64::from(verification.is_verified());
            Ok(Report { verified, not_verified: 1 - verified, logs: vec![verification], unreadable: Vec::new() })
        }
    }
}

/// Prints; a result that could not be shown is no success.
fn print(text: &[u8], code: u8) -> u8 {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Ok(()) => code,
        Err(_) => code.max(EXIT_UNREADABLE),
    }
}

fn complain(text: &str, code: u8) -> u8 {
    // There is nowhere left to complain to if this fails; the exit code tells.
    let _lost = io::stderr().write_all(text.as_bytes());
    code
}
