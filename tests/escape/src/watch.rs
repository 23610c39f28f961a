//! The judge: what of the host is not as it was.

use crate::attempts::protected::is_watched;
use crate::host::Host;
use crate::sys::{at, name, quiet, text};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Child;

/// Milliseconds that the outsider has for an answer.
const ANSWER_MILLISECONDS: usize = 1000;
/// Folders that all programs of the machine share.
const SHARED: &[&str] = &["/tmp", "/dev/shm", "/var/tmp", "/run/lock", "/run", "/etc", "/usr/local/bin", "/usr/lib", "/var/spool"];

/// What of the host an attempt must not change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sight {
    files: BTreeMap<PathBuf, String>,
    protected: BTreeMap<PathBuf, String>,
    left: BTreeSet<PathBuf>,
    shared: BTreeSet<PathBuf>,
    outsider: Option<String>,
}

impl Sight {
    pub(crate) fn of(host: &mut Host) -> Self {
        let scene = host.scene.clone();
        let (mut files, mut protected, mut left) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        walk(&scene.home, &scene.workspace, &mut |path, facts| {
            let times = (facts.ctime(), facts.ctime_nsec());
            files.insert(path.to_owned(), format!("{:?} {:o} {} {}", times, facts.mode(), facts.len(), facts.ino()));
        });
        walk(&scene.workspace, Path::new(""), &mut |path, facts| {
            let within = path.strip_prefix(&scene.workspace).unwrap();
            if is_watched(within) {
                let link = std::fs::read_link(path).ok();
                let changes = (!facts.is_dir()).then(|| (facts.len(), facts.mtime(), facts.mtime_nsec()));
                protected.insert(within.to_owned(), format!("{:o} {} {changes:?} {link:?}", facts.mode(), facts.ino()));
            }
            let kind = facts.file_type();
            let is_special = kind.is_socket() || kind.is_fifo() || kind.is_char_device() || kind.is_block_device();
            if is_special || (!kind.is_symlink() && (facts.mode() & 0o6000 != 0 || has_capability(path))) {
                left.insert(within.to_owned());
            }
        });
        let marks = SHARED.iter().map(|folder| Path::new(folder).join(format!("{}-left", scene.mark)));
        let mut shared: BTreeSet<PathBuf> = marks.filter(|path| path.symlink_metadata().is_ok()).collect();
        let spool = PathBuf::from(format!("/tmp/{}-spool", scene.mark));
        if spool.is_symlink() || !spool.exists() {
            shared.insert(spool);
        }
        Self { files, protected, left, shared, outsider: facts_of(&mut host.outsider) }
    }

    /// What is different now. Shared files that were left are removed, so that each is counted once.
    pub(crate) fn changes(&self, host: &mut Host) -> Vec<String> {
        let now = Self::of(host);
        let mut effects = arrivals(host);
        let files = [("host", &self.files, &now.files), ("protected", &self.protected, &now.protected)];
        for (what, before, after) in files {
            let changed = before.iter().filter(|(path, facts)| after.get(*path) != Some(*facts)).map(|(path, _)| path);
            let added = after.keys().filter(|path| !before.contains_key(*path));
            let changed: BTreeSet<_> = changed.chain(added).collect();
            if let Some(first) = changed.first() {
                let shown = first.strip_prefix(&host.scratch).unwrap_or(first);
                effects.push(format!("{what} file {}", shown.display()));
            }
        }
        effects.extend(now.left.difference(&self.left).map(|path| format!("left {}", path.display())));
        for path in now.shared.difference(&self.shared) {
            let shown = path.to_string_lossy().replace(&host.scene.mark, "MARK");
            effects.push(format!("shared file {shown}"));
            let _gone = std::fs::remove_file(path);
        }
        match (&self.outsider, &now.outsider) {
            (Some(_), None) => effects.push("outsider gone or stopped".to_owned()),
            (Some(before), Some(after)) if before != after => effects.push("outsider changed".to_owned()),
            _ => {}
        }
        effects
    }
}

/// What came to the services of the host.
pub(crate) fn arrivals(host: &mut Host) -> Vec<String> {
    let mut effects = Vec::new();
    let mut arrived = |what: &str, is_there: bool| {
        if is_there {
            effects.push(format!("arrived at {what}"));
        }
    };
    let mut bytes = [0; 64];
    arrived("a TCP service", std::iter::from_fn(|| host.tcp.accept().ok()).count() > 0);
    arrived("a TCP service", host.tcp6.as_ref().is_some_and(|tcp6| std::iter::from_fn(|| tcp6.accept().ok()).count() > 0));
    arrived("a UDP service", std::iter::from_fn(|| host.udp.recv(&mut [0; 64]).ok()).count() > 0);
    for listener in [&host.abstract_socket, &host.shared_socket].into_iter().chain(&host.streams) {
        arrived("a Unix socket", std::iter::from_fn(|| listener.accept().ok()).count() > 0);
    }
    for socket in &host.datagrams {
        arrived("a Unix datagram socket", std::iter::from_fn(|| socket.recv(&mut [0; 64]).ok()).count() > 0);
    }
    arrived("an inherited socket", host.inherited.read(&mut bytes).is_ok_and(|length| length > 0));
    effects
}

/// Everything below a folder, but for one.
fn walk(folder: &Path, except: &Path, see: &mut impl FnMut(&Path, &std::fs::Metadata)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(facts) = path.symlink_metadata() else { continue };
        if path == except {
            continue;
        }
        see(&path, &facts);
        if facts.is_dir() {
            walk(&path, except, see);
        }
    }
}

fn has_capability(path: &Path) -> bool {
    let (path, attribute) = (text(path), text("security.capability"));
    quiet(libc::SYS_lgetxattr, &[name(&path), name(&attribute), 0, 0]).is_ok_and(|length| length > 0)
}

/// What can be told of the outsider; none if it is gone or does not answer.
fn facts_of(outsider: &mut Child) -> Option<String> {
    outsider.stdin.as_mut()?.write_all(b"?").ok()?;
    let memory = answer(outsider)?;
    let about = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", outsider.id())).unwrap_or_default();
    let stat = about("stat");
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let (nice, policy) = (fields.get(16)?, fields.get(38)?);
    let status = about("status");
    let processors = status.lines().find(|line| line.starts_with("Cpus_allowed:"));
    let limits = about("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files"));
    Some(format!("{memory} {nice} {policy} {processors:?} {files:?} {} {}", about("comm"), about("oom_score_adj")))
}

/// One line of the outsider, within its time.
pub(crate) fn answer(outsider: &mut Child) -> Option<String> {
    let output = outsider.stdout.as_mut()?;
    let mut line = Vec::new();
    // A byte at a time: nothing is taken that belongs to the next answer.
    while line.last() != Some(&b'\n') {
        let wanted = u64::from(output.as_raw_fd().cast_unsigned()) | (1 << 32);
        if quiet(libc::SYS_poll, &[at(&wanted), 1, ANSWER_MILLISECONDS]) != Ok(1) {
            return None;
        }
        let mut byte = [0];
        output.read_exact(&mut byte).ok()?;
        line.extend(byte);
    }
    String::from_utf8(line).ok()
}

/// Ends what stayed behind, and tells whether something did.
pub(crate) fn survivors(mark: &str) -> Vec<String> {
    let wanted = format!("{mark}-survivor");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|pid| pid.parse::<usize>().ok()) else { continue };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if line.split(|byte| *byte == 0).any(|word| word == wanted.as_bytes()) {
            let _ended = quiet(libc::SYS_kill, &[pid, 9]);
            found.push("survivor".to_owned());
        }
    }
    found
}

/// The lines of a stream, sent on as they come.
pub(crate) fn lines(stream: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<String> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
