//! Forks one role and checks from both sides what it may still touch: `role descriptors|memory|threads|panic`. For tests.
//!
//! [`sandbox::fork_role`] wants a process with one thread, which a test harness is not. Exit code 0: all held.

use rustix::pipe::pipe;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

type Outcome = Result<bool, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        Some("descriptors") => descriptors(),
        Some("memory") => memory(),
        Some("threads") => threads(),
        Some("panic") => panics(),
        _ => Err("which check?".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        other => {
            let _gone = writeln!(std::io::stderr(), "role: {other:?}");
            ExitCode::FAILURE
        }
    }
}

/// A pipe that is kept works; one that is not is closed in the child, so that its reader meets the end.
fn descriptors() -> Outcome {
    let ((kept_read, kept), (lost_read, lost)) = (pipe()?, pipe()?);
    let mut child = sandbox::fork_role(&[kept.as_fd()], || {
        // The listing's own descriptor comes on top of 0, 1, 2 and the kept one.
        let open = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        let told = kept.try_clone().and_then(|copy| File::from(copy).write_all(&[u8::try_from(open).unwrap_or(u8::MAX)]));
        let output = std::fs::read_link("/proc/self/fd/1").is_ok_and(|path| path.as_os_str() == "/dev/null");
        i32::from(told.is_err() || !output)
    })?;
    drop((kept, lost));
    let mut rest = Vec::new();
    File::from(lost_read).read_to_end(&mut rest)?;
    let mut told = Vec::new();
    File::from(kept_read).read_to_end(&mut told)?;
    Ok(rest.is_empty() && told == [5] && child.wait()? == 0)
}

/// The child's arguments and environment are not in `/proc`, its memory is closed, and a broken pipe does not kill it.
fn memory() -> Outcome {
    let ((go_read, go), (told_read, told), (broken_read, broken)) = (pipe()?, pipe()?, pipe()?);
    drop(broken_read);
    let mut child = sandbox::fork_role(&[go_read.as_fd(), told.as_fd(), broken.as_fd()], || {
        let [Ok(told), Ok(go), Ok(broken)] = [&told, &go_read, &broken].map(std::os::fd::OwnedFd::try_clone) else { return 1 };
        let survived = File::from(broken).write_all(b"x").is_err();
        let _told = File::from(told).write_all(&[u8::from(survived)]);
        let _go = File::from(go).read(&mut [0]);
        0
    })?;
    let mut survived = [0];
    File::from(told_read).read_exact(&mut survived)?;
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{}/environ", child.id()))?);
    let root = rustix::process::geteuid().is_root();
    let scrubbed = |name: &str| std::fs::read(format!("/proc/{}/{name}", child.id())).map(|bytes| bytes.iter().all(|byte| *byte == 0));
    let environment = match scrubbed("environ") {
        Ok(zero) => root && zero,
        Err(error) => !root && error.kind() == std::io::ErrorKind::PermissionDenied,
    };
    let hidden = environment && scrubbed("cmdline")?;
    drop(go);
    Ok(survived == [1] && owner == 0 && hidden && child.wait()? == 0)
}

/// A second thread could hold a lock that nobody opens again in the copy.
fn threads() -> Outcome {
    let (hold, waiting) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || waiting.recv());
    let refused = matches!(sandbox::fork_role(&[], || 0), Err(sandbox::Error::Threaded));
    drop(hold);
    thread.join().map_err(|_| "the thread panicked")?.err().ok_or("the thread was told something")?;
    Ok(refused)
}

#[expect(clippy::panic, reason = "the panic is what is tried")]
fn panics() -> Outcome {
    let standard = matches!(sandbox::fork_role(&[std::io::stderr().as_fd()], || 0), Err(sandbox::Error::Order(_)));
    Ok(standard && sandbox::fork_role(&[], || panic!("for the test"))?.wait()? == 70)
}
