//! A process of the same user that has nothing to do with the session: read it, change it, stop it.

use super::{gain, open, open_to_write, show, told};
use crate::attempt::{Attempt, Scene, a};
use crate::sys::{at, call, into, quiet, say};
use std::os::unix::fs::FileExt;

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("kill", |s| {
        let _told = call("kill", libc::SYS_kill, &[s.pid(), 15]);
    }),
    a("kill-thread", |s| {
        let _told = call("tgkill", libc::SYS_tgkill, &[s.pid(), s.pid(), 9]);
    }),
    a("stop-by-descriptor", |s| {
        if let Ok(fd) = call("pidfd_open", libc::SYS_pidfd_open, &[s.pid(), 0]) {
            let _told = call("pidfd_send_signal", libc::SYS_pidfd_send_signal, &[fd, 19, 0, 0]);
        }
    }),
    a("queue-signal", |s| {
        let mut info = [0_i32; 32];
        let [signal, _, code, ..] = &mut info;
        (*signal, *code) = (15, -1);
        let _told = call("rt_sigqueueinfo", libc::SYS_rt_sigqueueinfo, &[s.pid(), 15, at(&info)]);
    }),
    a("trace", |s| {
        if call("ptrace", libc::SYS_ptrace, &[0x4206, s.pid(), 0, 0]).is_ok() {
            let mut status = 0_i32;
            let _stopped = call("ptrace", libc::SYS_ptrace, &[0x4207, s.pid(), 0, 0]);
            let _waited = quiet(libc::SYS_wait4, &[s.pid(), into(&mut status), 0x4000_0000, 0]);
            for word in 0..8 {
                let mut value = 0_usize;
                let _told = call("ptrace", libc::SYS_ptrace, &[2, s.pid(), s.outsider_secret + word * 8, into(&mut value)]);
                say(&value.to_ne_bytes());
            }
            super::gained("traced a process of the user's");
            let _released = quiet(libc::SYS_ptrace, &[17, s.pid(), 0, 0]);
        }
    }),
    a("read-memory-by-call", |s| {
        let mut bytes = [0_u8; 64];
        let (own, other) = ([into(&mut bytes), 64], [s.outsider_secret, 64]);
        let _told = call("process_vm_readv", libc::SYS_process_vm_readv, &[s.pid(), at(&own), 1, at(&other), 1, 0]);
        say(&bytes);
    }),
    a("write-memory-by-call", |s| {
        let bytes = *b"changed!";
        let (own, other) = ([at(&bytes), 8], [s.outsider_secret, 8]);
        let _told = call("process_vm_writev", libc::SYS_process_vm_writev, &[s.pid(), at(&own), 1, at(&other), 1, 0]);
    }),
    a("read-memory-by-file", |s| {
        let mut bytes = [0_u8; 64];
        if let Some(file) = open(s.of_outsider("mem")) {
            told("pread64", "mem", file.read_at(&mut bytes, u64::try_from(s.outsider_secret).unwrap()));
            say(&bytes);
        }
    }),
    a("write-memory-by-file", |s| {
        let path = s.of_outsider("mem");
        if let Some(file) = told("openat", &path, std::fs::OpenOptions::new().write(true).open(&path)) {
            told("pwrite64", "mem", file.write_at(b"changed!", u64::try_from(s.outsider_secret).unwrap()));
        }
    }),
    a("take-descriptor", |s| {
        if let Ok(fd) = call("pidfd_open", libc::SYS_pidfd_open, &[s.pid(), 0]) {
            let number = usize::try_from(s.outsider_descriptor).unwrap();
            if let Ok(taken) = call("pidfd_getfd", libc::SYS_pidfd_getfd, &[fd, number, 0]) {
                show(format!("/proc/self/fd/{taken}"));
            }
        }
    }),
    a("open-descriptor", |s| show(s.of_outsider("fd").join(s.outsider_descriptor.to_string()))),
    a("environment", |s| show(s.of_outsider("environ"))),
    a("arguments", |s| show(s.of_outsider("cmdline"))),
    a("name", |s| {
        if let Some(mut file) = open_to_write(s.of_outsider("comm")) {
            told("write", "comm", std::io::Write::write_all(&mut file, b"renamed"));
        }
    }),
    a("compare", |s| {
        gain("a comparison", call("kcmp", libc::SYS_kcmp, &[s.pid(), usize::try_from(std::process::id()).unwrap(), 2, 0, 0]));
    }),
    a("limits", |s| {
        let mut old = [0_u64; 2];
        let (files, new) = (7, [100_u64, 100]);
        let _told = call("prlimit64", libc::SYS_prlimit64, &[s.pid(), files, at(&new), into(&mut old)]);
    }),
    a("priority", |s| {
        let _told = call("setpriority", libc::SYS_setpriority, &[0, s.pid(), 10]);
    }),
    a("processors", |s| {
        let mask = 1_u64;
        let _told = call("sched_setaffinity", libc::SYS_sched_setaffinity, &[s.pid(), 8, at(&mask)]);
    }),
    a("scheduler", |s| {
        let parameter = 0_i32;
        let _told = call("sched_setscheduler", libc::SYS_sched_setscheduler, &[s.pid(), 3, at(&parameter)]);
    }),
    a("out-of-memory-score", |s| {
        if let Some(mut file) = open_to_write(s.of_outsider("oom_score_adj")) {
            told("write", "oom_score_adj", std::io::Write::write_all(&mut file, b"900"));
        }
    }),
    a("where-its-memory-lies", |s| {
        let pages = [s.outsider_secret & !0xfff];
        let mut status = [-1_i32];
        if gain("places of its pages", call("move_pages", libc::SYS_move_pages, &[s.pid(), 1, at(&pages), 0, into(&mut status), 0])) {
            say(b"moved");
        }
    }),
    a("shared-memory", |s| {
        let segment = call("shmget", libc::SYS_shmget, &[key(s), 4096, 0]);
        if let Ok(address) = segment.and_then(|id| call("shmat", libc::SYS_shmat, &[id, 0, 0])) {
            say(&crate::sys::bytes_at(address, 64));
        }
    }),
    a("remove-shared-memory", |s| {
        if let Ok(id) = call("shmget", libc::SYS_shmget, &[key(s), 4096, 0]) {
            gain("removed", call("shmctl", libc::SYS_shmctl, &[id, 0, 0]));
        }
    }),
    a("message-queue", |s| {
        let mut message = [0_u8; 128];
        if let Ok(id) = call("msgget", libc::SYS_msgget, &[key(s), 0]) {
            let _told = call("msgrcv", libc::SYS_msgrcv, &[id, into(&mut message), 64, 0, 0x800]);
            say(&message);
        }
    }),
    a("semaphores", |s| {
        if let Ok(id) = call("semget", libc::SYS_semget, &[key(s), 1, 0]) {
            let operation = [0_i16, 1, 0];
            gain("a semaphore of the user's", call("semop", libc::SYS_semop, &[id, at(&operation), 1]));
        }
    }),
    a("posix-message-queue", |s| {
        let label = crate::sys::text(&s.mark);
        let mut message = [0_u8; 8192];
        if let Ok(fd) = call("mq_open", libc::SYS_mq_open, &[crate::sys::name(&label), 0o4000, 0, 0]) {
            let _told = call("mq_timedreceive", libc::SYS_mq_timedreceive, &[fd, into(&mut message), 8192, 0, 0]);
            say(message.get(..64).unwrap());
        }
    }),
];

fn key(s: &Scene) -> usize {
    usize::try_from(s.key).unwrap()
}
