//! `bailiwick-verify`: checks evidence offline.
#![forbid(unsafe_code)]

use audit::{Anchors, Error, NotedCheckpoint, PublicKey, Report, WitnessKey, render_report, verify_all_against};
use std::{
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

const USAGE: &str = "\
usage: bailiwick-verify [--key HEX|VKEY|FILE] [--checkpoint FILE]… [--witness VKEY]… [--quorum N] [--json] PATH

Checks an evidence log offline, and names the first thing that does not hold.

  PATH                 a log's directory, its log.jsonl, or a directory of log directories
  --key HEX|VKEY|FILE  the keeper's public key, from a way that the keeper does not control;
                       without it, the key beside the log is used
  --checkpoint FILE    a checkpoint noted earlier: the log must have its root at its size
  --witness VKEY       a witness; entries that no checkpoint with enough cosignatures covers
                       are reported as unwitnessed, not as verified
  --quorum N           how many of the witnesses must have cosigned; all, if not given
  --json               the same for machines

exit codes: 0 verified, 1 not verified, 2 usage, 3 cannot read
";
const EXIT_USAGE: u8 = 2;
/// Most checkpoints, and most witnesses, in one run.
const GIVEN_MAX: usize = 64;
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

#[derive(Default)]
struct Arguments {
    path: Option<PathBuf>,
    key: Option<String>,
    checkpoints: Vec<PathBuf>,
    witnesses: Vec<WitnessKey>,
    quorum: Option<usize>,
    json: bool,
}

enum Parsed {
    Help,
    Version,
    Check(Arguments),
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = OsString>) -> Result<Parsed, String> {
        let mut parsed = Self::default();
        while let Some(argument) = given.next() {
            let mut value = |name: &str| given.next().ok_or_else(|| format!("{name} needs a value"));
            match argument.to_str() {
                Some("-h" | "--help") => return Ok(Parsed::Help),
                Some("-V" | "--version") => return Ok(Parsed::Version),
                Some("--json") => parsed.json = true,
                Some("--key") if parsed.key.is_none() => parsed.key = Some(text(value("--key")?)?),
                Some("--checkpoint") if parsed.checkpoints.len() < GIVEN_MAX => parsed.checkpoints.push(value("--checkpoint")?.into()),
                Some("--witness") if parsed.witnesses.len() < GIVEN_MAX => {
                    let witness = WitnessKey::parse(&text(value("--witness")?)?).map_err(|error| error.to_string())?;
                    parsed.witnesses.push(witness);
                }
                Some("--quorum") if parsed.quorum.is_none() => {
                    let number = text(value("--quorum")?)?.parse().map_err(|_| "--quorum is not a number")?;
                    parsed.quorum = Some(number);
                }
                Some(option) if option.starts_with('-') => return Err(format!("unknown or repeated option {option}")),
                _ if parsed.path.is_none() => parsed.path = Some(PathBuf::from(argument)),
                _ => return Err("give one path only".to_owned()),
            }
        }
        parsed.check_witnesses()
    }

    fn check_witnesses(self) -> Result<Parsed, String> {
        let mut names: Vec<_> = self.witnesses.iter().map(WitnessKey::name).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < self.witnesses.len() {
            return Err("the same witness is given twice".to_owned());
        }
        if self.quorum.is_some_and(|quorum| quorum == 0 || quorum > self.witnesses.len()) {
            return Err("--quorum must be between 1 and the number of witnesses".to_owned());
        }
        if self.path.is_some() { Ok(Parsed::Check(self)) } else { Err("give the path of a log".to_owned()) }
    }
}

fn text(value: OsString) -> Result<String, String> {
    value.into_string().map_err(|_| "a value is not UTF-8".to_owned())
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
    let anchors = Anchors {
        key: arguments.key.as_deref().map(PublicKey::from_argument).transpose()?,
        checkpoints: arguments.checkpoints.iter().map(|path| NotedCheckpoint::read(path)).collect::<Result<_, _>>()?,
        witnesses: arguments.witnesses.clone(),
        quorum: arguments.quorum,
    };
    verify_all_against(arguments.path.as_deref().unwrap_or(Path::new(".")), &anchors)
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
