//! Devices, and the files by which the kernel is set.

use super::{gain, open, told};
use crate::attempt::{Attempt, a};
use crate::sys::gained;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The number of `/dev/null`.
const NULL: u64 = libc::makedev(1, 3);

pub(crate) const ATTEMPTS: &[Attempt] = &[
    a("virtual-machines", |_| device("/dev/kvm")),
    a("kernel-log", |_| readable("/dev/kmsg")),
    a("kernel-log-of-proc", |_| readable("/proc/kmsg")),
    a("memory-of-the-machine", |_| readable("/dev/mem")),
    a("memory-of-the-kernel", |_| readable("/proc/kcore")),
    a("disks", |_| {
        for disk in ["/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/dm-0", "/dev/loop0"] {
            readable(disk);
        }
    }),
    a("file-systems-in-userspace", |_| device("/dev/fuse")),
    a("tunnels", |_| device("/dev/net/tun")),
    a("virtual-sockets", |_| device("/dev/vhost-vsock")),
    a("loop-control", |_| device("/dev/loop-control")),
    a("device-mapper", |_| device("/dev/mapper/control")),
    a("virtual-input", |_| device("/dev/uinput")),
    a("consoles", |_| {
        for console in ["/dev/console", "/dev/tty0", "/dev/tty1"] {
            device(console);
        }
    }),
    a("system-requests", |_| device("/proc/sysrq-trigger")),
    a("core-dump-handler", |_| device("/proc/sys/kernel/core_pattern")),
    a("module-loader", |_| device("/proc/sys/kernel/modprobe")),
    a("event-helper", |_| device("/sys/kernel/uevent_helper")),
    a("host-name-by-file", |_| device("/proc/sys/kernel/hostname")),
    a("memory-settings", |_| device("/proc/sys/vm/overcommit_memory")),
    a("network-settings", |_| device("/proc/sys/net/ipv4/ip_forward")),
    a("interrupts", |_| device("/proc/irq/0/smp_affinity")),
    a("control-groups", |_| {
        for group in ["/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs", "/sys/fs/cgroup/pids/cgroup.procs"] {
            device(group);
        }
    }),
    a("release-agent", |_| {
        for agent in ["/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/pids/release_agent", "/sys/fs/cgroup/release_agent"] {
            device(agent);
        }
    }),
    a("new-control-group", |s| {
        for folder in ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"] {
            let path = Path::new(folder).join(&s.mark);
            if told("mkdirat", &path, std::fs::create_dir(&path)).is_some() {
                gained("a control group");
                let _gone = std::fs::remove_dir(&path);
            }
        }
    }),
    a("power-of-the-machine", |_| device("/sys/power/state")),
    a("addresses-of-the-kernel", |_| {
        let symbols = std::fs::read_to_string("/proc/kallsyms").unwrap_or_default();
        if symbols.lines().take(100).any(|line| !line.starts_with("0000000000000000")) {
            gained("addresses of the kernel");
        }
    }),
    a("debugging-of-the-kernel", |_| {
        for folder in ["/sys/kernel/debug/tracing", "/sys/kernel/tracing"] {
            readable(&format!("{folder}/trace"));
        }
    }),
    a("firmware-variables", |_| readable("/sys/firmware/dmi/tables/DMI")),
    a("machine-identity", |_| readable("/etc/machine-id")),
    a("passwords", |_| readable("/etc/shadow")),
    a("identity-of-the-disk", |_| {
        if let Some(mut file) = open("/proc/partitions") {
            let mut text = String::new();
            let _read = file.read_to_string(&mut text);
            gain("names of disks", if text.lines().count() > 2 { Ok(0) } else { Err(0) });
        }
    }),
];

/// A device or setting that may be written. Nothing is written.
fn device(path: &str) {
    let Some(file) = told("openat", path, OpenOptions::new().write(true).open(path)) else { return };
    // A wall may lay the null device over a file: that takes what is written, and the machine never hears of it.
    if !file.metadata().is_ok_and(|opened| opened.rdev() == NULL) {
        gained(path);
    }
}

/// Something that holds what an agent has no business to read.
fn readable(path: &str) {
    let Some(mut file) = told("openat", path, OpenOptions::new().read(true).custom_flags_nonblocking().open(path)) else { return };
    let mut first = [0_u8; 1];
    if matches!(file.read(&mut first), Ok(1)) {
        gained(path);
    }
}

trait Nonblocking {
    fn custom_flags_nonblocking(&mut self) -> &mut Self;
}

impl Nonblocking for OpenOptions {
    fn custom_flags_nonblocking(&mut self) -> &mut Self {
        std::os::unix::fs::OpenOptionsExt::custom_flags(self, libc::O_NONBLOCK)
    }
}
