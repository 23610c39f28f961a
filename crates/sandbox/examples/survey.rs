//! Prints what this host gives: a line with the kernel and Landlock's version, then a line for each wall. For tests.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut output = std::io::stdout();
    let printed = match sandbox::survey() {
        Ok(survey) => {
            let first = writeln!(output, "{} {}", survey.kernel_release, survey.landlock_abi);
            survey.walls.iter().fold(first, |before, status| {
                before.and(writeln!(output, "{} {} {} | {}", status.wall, status.available, status.found, status.advice))
            })
        }
        Err(error) => writeln!(output, "error {error}"),
    };
    if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
