//! What the caller leaves open or in the environment, and what outlives the session.

use super::{show_file, told};
use crate::attempt::{Attempt, Scene, a, alone};
use crate::sys::{quiet, say};
use std::fs::File;
use std::io::{Seek, Write};
use std::process::{Command, Stdio};

/// Descriptors that are looked at.
const FIRST: i32 = 3;
const LAST: i32 = 256;

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("environment-of-the-caller", |_| {
        for (name, value) in std::env::vars_os() {
            say(&[name.as_encoded_bytes(), b"=", value.as_encoded_bytes()].concat());
        }
    }),
    a("inherited-file", |_| {
        for mut file in inherited() {
            if file.rewind().is_ok() {
                show_file(file);
            }
        }
    }),
    a("inherited-folder", |_| {
        for number in FIRST..LAST {
            super::show_if_there(format!("/proc/self/fd/{number}/.ssh/id_ed25519"));
        }
    }),
    a("inherited-socket", |_| {
        for mut file in inherited() {
            if file.metadata().is_ok_and(|facts| std::os::unix::fs::FileTypeExt::is_socket(&facts.file_type())) {
                told("write", "inherited", file.write_all(b"leak"));
            }
        }
    }),
    a("passed-descriptor", super::network::take_passed_descriptor),
    alone("survivor-of-its-parent", |s| survivor(s, false)),
    alone("survivor-in-a-session-of-its-own", |s| survivor(s, true)),
];

/// Files that were open before this program started.
fn inherited() -> impl Iterator<Item = File> {
    (FIRST..LAST).filter_map(|number| {
        let open = format!("/proc/self/fd/{number}");
        std::fs::symlink_metadata(open).ok()?;
        let number = usize::try_from(number).unwrap();
        let copy = quiet(libc::SYS_dup, &[number]).ok()?;
        Some(crate::sys::file(i32::try_from(copy).unwrap()))
    })
}

/// A process that nobody waits for and that no closed terminal ends. Its own argument is its mark.
fn survivor(s: &Scene, is_leader: bool) {
    if is_leader {
        let _own = quiet(libc::SYS_setsid, &[]);
    }
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["linger", &format!("{}-survivor", s.mark)]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    told("execve", "linger", command.spawn());
}
