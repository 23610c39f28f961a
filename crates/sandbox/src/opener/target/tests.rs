use super::*;
use rustix::fs::CWD;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

/// A shell that goes where it is told to, and says when it is there.
struct Wanderer(Child, BufReader<std::process::ChildStdout>);

impl Wanderer {
    fn new() -> Self {
        let script = "while read place; do cd $place; echo there; done";
        let mut child = Command::new("/bin/sh").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self(child, answers)
    }

    fn go(&mut self, place: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{place}").unwrap();
        self.1.read_line(&mut String::new()).unwrap();
    }

    fn task(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }
}

fn host_proc() -> OwnedFd {
    rustix::fs::openat(CWD, c"/proc", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

#[test]
fn a_thread_that_is_gone_has_no_folder_any_more() {
    let (host_proc, folder, mut wanderer) = (host_proc(), TaskFolder::default(), Wanderer::new());
    let target = Target { host_proc: host_proc.as_fd(), folder: &folder, task: wanderer.task() };
    wanderer.go("/usr");
    assert!(target.base(libc::AT_FDCWD).is_ok() && target.mask().is_ok());
    wanderer.0.kill().unwrap();
    wanderer.0.wait().unwrap();
    assert!(matches!(target.base(libc::AT_FDCWD), Err(Errno::NOENT | Errno::SRCH)));
    assert!(matches!(target.base(0), Err(Errno::BADF | Errno::SRCH)));
    assert!(target.mask().is_err() && target.numbers().is_err());
}

#[test]
fn the_folder_is_that_of_whoever_asks_now() {
    let (host_proc, folder) = (host_proc(), TaskFolder::default());
    let (mut one, mut other) = (Wanderer::new(), Wanderer::new());
    let is_at = |task, place: &str| {
        let base = Target { host_proc: host_proc.as_fd(), folder: &folder, task }.base(libc::AT_FDCWD).unwrap();
        path_of(host_proc.as_fd(), base.as_fd()).unwrap() == std::path::Path::new(place)
    };
    for (first, second) in [("/usr", "/usr/lib"), ("/proc", "/usr"), ("/usr/lib", "/usr/lib")] {
        one.go(first);
        other.go(second);
        // Twice each: the second look goes through the folder that is kept.
        for _ in 0..2 {
            assert!(is_at(one.task(), first) && is_at(one.task(), first), "{first}");
            assert!(is_at(other.task(), second) && is_at(other.task(), second), "{second}");
        }
    }
    folder.forget();
    assert!(is_at(one.task(), "/usr/lib"));
    for Wanderer(mut child, _) in [one, other] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
