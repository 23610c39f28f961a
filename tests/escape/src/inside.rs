//! Within the sandbox: a runner that is told names, and tries each in a process of its own.

use crate::attempt::{Scene, all};
use crate::result::Said;
use std::fs::File;
use std::io::BufRead;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

/// Seconds after which an attempt is ended.
const SECONDS_MAX: usize = 6;
/// Bytes of its output that are passed on.
const SAID_MAX: usize = 262_144;

/// Reads a name for each line, and prints what the attempt said as one line of JSON.
pub(crate) fn serve(scene: &str) {
    println!("@ready");
    for name in std::io::stdin().lock().lines().map_while(Result::ok) {
        let told = run(&name, scene).unwrap_or_else(|error| Said {
            attempt: name.clone(),
            ended: format!("not started: {error}"),
            output: String::new(),
        });
        println!("{}", serde_json::to_string(&told).unwrap());
    }
}

fn run(name: &str, scene: &str) -> std::io::Result<Said> {
    let read: Scene = serde_json::from_str(scene)?;
    // A file and not a pipe: what an attempt leaves running would keep a pipe open.
    let said = read.inside(".said");
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["try", name, scene]).stdin(Stdio::null()).stdout(File::create(&said)?).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn()?;
    let status = child.wait()?;
    if all().any(|(_, attempt)| attempt.name == name && !attempt.is_alone) {
        let group = crate::sys::signed(-i64::from(child.id()));
        let _gone = crate::sys::quiet(libc::SYS_kill, &[group, 9]);
    }
    let mut bytes = std::fs::read(&said)?;
    bytes.truncate(SAID_MAX);
    let ended = status.signal().map_or_else(|| "returned".to_owned(), |signal| format!("signal {signal}"));
    Ok(Said { attempt: name.to_owned(), ended, output: String::from_utf8_lossy(&bytes).into_owned() })
}

/// One attempt, bounded in time.
pub(crate) fn attempt(name: &str, scene: &str) {
    let scene: Scene = serde_json::from_str(scene).unwrap();
    let timer = [0_u64, 0, u64::try_from(SECONDS_MAX).unwrap(), 0];
    let _bounded = crate::sys::quiet(libc::SYS_setitimer, &[0, crate::sys::at(&timer), 0]);
    for (_, attempt) in all().filter(|(_, attempt)| attempt.name == name) {
        (attempt.run)(&scene);
    }
}
