//! How much an agent may take. Each attempt is bounded, cheap, and gives everything back.

use super::{gain, told};
use crate::attempt::{Attempt, a, alone};
use crate::sys::{call, gained, into, quiet};

/// More than any build needs at once.
const PROCESSES: usize = 1500;
/// Address space that is asked for and not touched.
const MEMORY: usize = 64 << 30;
/// A file with nothing in it.
const FILE: u64 = 64 << 30;
/// Open files.
const FILES: usize = 16_384;

pub(crate) const ATTEMPTS: &[Attempt] = &[
    alone("processes", |_| {
        let mut started = 0;
        while started < PROCESSES {
            match quiet(libc::SYS_fork, &[]) {
                Ok(0) => {
                    let _paused = quiet(libc::SYS_pause, &[]);
                    let _never = quiet(libc::SYS_exit_group, &[0]);
                }
                Ok(_) => started += 1,
                Err(_) => break,
            }
        }
        if started == PROCESSES {
            gained("1,500 processes");
        }
        // The whole group, this process with it.
        let _ended = quiet(libc::SYS_kill, &[0, 9]);
    }),
    a("memory", |_| {
        gain("64 GiB of memory", call("mmap", libc::SYS_mmap, &[0, MEMORY, 3, 0x4022, usize::MAX, 0]));
    }),
    a("large-file", |s| {
        let path = s.inside("large");
        // Whoever passes the bound gets a signal, which is ignored here so that the error is seen.
        let ignore = [1_usize, 0, 0, 0];
        let _ignored = quiet(libc::SYS_rt_sigaction, &[25, crate::sys::at(&ignore), 0, 8]);
        if let Some(file) = told("openat", &path, std::fs::File::create(&path)) {
            if told("ftruncate", &path, file.set_len(FILE)).is_some() {
                gained("a file of 64 GiB");
            }
            let _gone = std::fs::remove_file(&path);
        }
    }),
    a("open-files", |_| {
        let mut limit = [0_u64; 2];
        let _read = quiet(libc::SYS_prlimit64, &[0, 7, 0, into(&mut limit)]);
        let [soft, hard] = &mut limit;
        *soft = *hard;
        let _raised = quiet(libc::SYS_prlimit64, &[0, 7, crate::sys::at(&limit), 0]);
        let files: Vec<_> = (0..FILES).map_while(|_| std::fs::File::open("/dev/null").ok()).collect();
        if files.len() == FILES {
            gained("16,384 open files");
        }
    }),
    a("core-dumps", |_| {
        let unlimited = [u64::MAX; 2];
        gain("core dumps of any size", call("prlimit64", libc::SYS_prlimit64, &[0, 4, crate::sys::at(&unlimited), 0]));
    }),
];
