//! `threads N TIMES`: as often as it is told, makes a process of which N threads execute one program at the same instant, and waits for it.
//! Prints `executed TIMES` when each of them ended well.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Barrier;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = || arguments.next().and_then(|text| text.parse::<usize>().ok());
    let Some(threads) = number() else { return ExitCode::from(2) };
    let Some(times) = number() else { return execute(threads) };
    for _ in 0..times {
        let ended = std::env::current_exe().and_then(|own| Command::new(own).arg(threads.to_string()).status());
        if !ended.is_ok_and(|status| status.success()) {
            return ExitCode::FAILURE;
        }
    }
    let _gone = writeln!(std::io::stdout(), "executed {times}");
    ExitCode::SUCCESS
}

/// Becomes `true`, whichever thread is the first.
fn execute(threads: usize) -> ExitCode {
    let barrier = Barrier::new(threads);
    let one = || {
        let mut program = Command::new("/bin/true");
        barrier.wait();
        let _error = program.exec();
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(one);
        }
        one();
    });
    ExitCode::FAILURE
}
