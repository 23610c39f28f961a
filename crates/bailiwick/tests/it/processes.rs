//! Processes of a session, seen from outside.

use crate::place::{Place, with_argument};
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A session that says `up` and then sleeps for a number of seconds that nobody else sleeps for.
pub(crate) fn sleeping(place: &Place, mark: &str) -> Child {
    let mut child = place.session(&["--upstream", "echo"], &format!("echo up; exec sleep {mark}")).stdout(Stdio::piped()).spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
    child
}

/// Waits until nothing of a session is left.
pub(crate) fn until_gone(mark: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while with_argument(mark) > 0 {
        assert!(Instant::now() < deadline, "the agent outlived its session");
        std::thread::yield_now();
    }
}

/// Children of a process by its id, with their command names, in the order in which they were started.
pub(crate) fn children(parent: u32) -> Vec<(i32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let (head, rest) = stat.rsplit_once(')').unwrap();
        if rest.split_whitespace().nth(1) == Some(&parent.to_string()) {
            found.push((pid, head.split_once('(').unwrap().1.to_owned()));
        }
    }
    // Numbers go up from the parent's, and begin anew after the largest.
    let largest: i32 = std::fs::read_to_string("/proc/sys/kernel/pid_max").unwrap().trim().parse().unwrap();
    let parent = i32::try_from(parent).unwrap();
    found.sort_unstable_by_key(|(pid, _)| (pid - parent).rem_euclid(largest));
    found
}

pub(crate) fn kill(pid: i32, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
}
