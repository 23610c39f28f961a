//! The sham host: a user's home with secrets, another project, services, a process, objects of System V. All of it is the battery's own.

use crate::attempt::Scene;
use crate::sys::{at, name, quiet, text};
use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Where inherited descriptors begin: behind those that a sandbox makes for itself.
const INHERITED: usize = 100;
/// IPC_CREAT with 0600.
const CREATE: usize = 0o1600;

pub(crate) struct Host {
    pub(crate) scene: Scene,
    pub(crate) scratch: PathBuf,
    /// What every secret of this run ends with.
    pub(crate) random: String,
    pub(crate) tcp: TcpListener,
    pub(crate) tcp6: Option<TcpListener>,
    pub(crate) udp: UdpSocket,
    pub(crate) abstract_socket: UnixListener,
    pub(crate) shared_socket: UnixListener,
    /// Sockets by path, in home and workspace; made anew with the files.
    pub(crate) streams: Vec<UnixListener>,
    pub(crate) datagrams: Vec<UnixDatagram>,
    /// The end that stays here of a socket that every session inherits.
    pub(crate) inherited: UnixStream,
    pub(crate) outsider: Child,
}

impl Host {
    pub(crate) fn new(scratch: &Path) -> Self {
        let scratch = std::fs::canonicalize(scratch).unwrap();
        let random = random();
        let (home, workspace) = (scratch.join("home"), scratch.join("home/code/app"));
        std::fs::create_dir_all(&workspace).unwrap();
        let mark = format!("escape-{random}");
        let tcp = TcpListener::bind("0.0.0.0:0").unwrap();
        let tcp6 = TcpListener::bind("[::1]:0").ok();
        let udp = UdpSocket::bind("0.0.0.0:0").unwrap();
        let shared_socket = UnixListener::bind(format!("/tmp/{mark}-agent.sock")).unwrap();
        let abstract_socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&mark).unwrap()).unwrap();
        let (here, there) = UnixStream::pair().unwrap();
        files(&home, &workspace, &random);
        keep_open(there);
        keep_open(File::open(home.join(".ssh/id_ed25519")).unwrap());
        keep_open(File::open(&home).unwrap());
        let scene = Scene {
            tcp: tcp.local_addr().unwrap().port(),
            tcp6: tcp6.as_ref().map_or(9, |listener| listener.local_addr().unwrap().port()),
            udp: udp.local_addr().unwrap().port(),
            address: own_address(),
            abstract_name: mark.clone(),
            key: 0x4500_0000 | i32::from_str_radix(random.get(..5).unwrap(), 16).unwrap(),
            home,
            workspace,
            mark,
            ..Scene::default()
        };
        for result in [tcp.set_nonblocking(true), udp.set_nonblocking(true), here.set_nonblocking(true)] {
            result.unwrap();
        }
        for listener in [&shared_socket, &abstract_socket] {
            listener.set_nonblocking(true).unwrap();
        }
        if let Some(listener) = &tcp6 {
            listener.set_nonblocking(true).unwrap();
        }
        let (outsider, streams, datagrams) = (idle(), Vec::new(), Vec::new());
        let mut host =
            Self { scene, scratch, random, tcp, tcp6, udp, abstract_socket, shared_socket, streams, datagrams, inherited: here, outsider };
        host.objects();
        host.restore();
        host
    }

    /// A secret by its kind.
    fn secret(&self, kind: &str) -> String {
        secret(kind, &self.random)
    }

    /// Everything that an attempt may have changed, made anew.
    pub(crate) fn restore(&mut self) {
        self.streams.clear();
        self.datagrams.clear();
        for folder in [self.scene.home.clone(), self.scene.home("code"), self.scene.workspace.clone()] {
            clear(&folder, |path| [&self.scene.home("code"), &self.scene.workspace].contains(&&path.to_path_buf()));
        }
        files(&self.scene.home, &self.scene.workspace, &self.random);
        let spool = format!("/tmp/{}-spool", self.scene.mark);
        let _gone = std::fs::remove_file(&spool);
        std::fs::write(&spool, self.secret("spool")).unwrap();
        for place in [self.scene.home.clone(), self.scene.workspace.clone()] {
            self.streams.push(UnixListener::bind(place.join("engine.sock")).unwrap());
            self.datagrams.push(UnixDatagram::bind(place.join("log.sock")).unwrap());
        }
        for listener in &self.streams {
            listener.set_nonblocking(true).unwrap();
        }
        for socket in &self.datagrams {
            socket.set_nonblocking(true).unwrap();
        }
        self.hand_out_descriptors();
        self.live();
    }

    /// A service in the workspace that hands the key's open file to everybody who comes.
    fn hand_out_descriptors(&self) {
        let listener = UnixListener::bind(self.scene.inside("pass.sock")).unwrap();
        let key = File::open(self.scene.home(".ssh/id_ed25519")).unwrap();
        // Ends with the battery.
        std::thread::spawn(move || {
            loop {
                crate::attempts::network::passes(&listener, &key);
            }
        });
    }

    /// The process that has nothing to do with the session.
    fn live(&mut self) {
        let _gone = self.outsider.kill();
        let _waited = self.outsider.wait();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["outsider", &self.secret("arguments")]).current_dir(&self.scene.home);
        command.env("ESCAPE_MEMORY", self.secret("memory")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        self.outsider = command.spawn().unwrap();
        let told = crate::watch::answer(&mut self.outsider).unwrap_or_default();
        let (address, descriptor) = told.trim().split_once(' ').unwrap();
        self.scene.outsider = self.outsider.id();
        self.scene.outsider_secret = address.parse().unwrap();
        self.scene.outsider_descriptor = descriptor.parse().unwrap();
    }

    /// Objects that have no place in any file system.
    fn objects(&self) {
        let key = usize::try_from(self.scene.key).unwrap();
        let id = quiet(libc::SYS_shmget, &[key, 4096, CREATE]).unwrap();
        let address = quiet(libc::SYS_shmat, &[id, 0, 0]).unwrap();
        crate::sys::write_at(address, self.secret("shared-memory").as_bytes());
        let queue = quiet(libc::SYS_msgget, &[key, CREATE]).unwrap();
        let mut message = [1_u64.to_ne_bytes().to_vec(), self.secret("message").into_bytes()].concat();
        message.resize(72, 0);
        quiet(libc::SYS_msgsnd, &[queue, at(message.as_slice()), 64, 0]).unwrap();
        quiet(libc::SYS_semget, &[key, 1, CREATE]).unwrap();
        let (label, body) = (text(&self.scene.mark), self.secret("message"));
        // A kernel without such queues has none to be read.
        if let Ok(fd) = quiet(libc::SYS_mq_open, &[name(&label), 0o102, 0o600, 0]) {
            quiet(libc::SYS_mq_timedsend, &[fd, at(body.as_bytes()), body.len(), 0, 0]).unwrap();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _gone = self.outsider.kill();
        let _waited = self.outsider.wait();
        let key = usize::try_from(self.scene.key).unwrap();
        for (find, control) in [(libc::SYS_shmget, libc::SYS_shmctl), (libc::SYS_msgget, libc::SYS_msgctl)] {
            // Removed by an attempt, perhaps.
            let _removed = quiet(find, &[key, 0, 0]).and_then(|id| quiet(control, &[id, 0, 0]));
        }
        let _removed = quiet(libc::SYS_semget, &[key, 0, 0]).and_then(|id| quiet(libc::SYS_semctl, &[id, 0, 0]));
        let label = text(&self.scene.mark);
        let _removed = quiet(libc::SYS_mq_unlink, &[name(&label)]);
        for end in ["spool", "agent.sock", "left", "own"] {
            let _gone = std::fs::remove_file(format!("/tmp/{}-{end}", self.scene.mark));
        }
    }
}

pub(crate) fn secret(kind: &str, random: &str) -> String {
    format!("SECRET-{kind}-{random}")
}

fn random() -> String {
    let bytes = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    bytes.chars().filter(char::is_ascii_hexdigit).take(12).collect()
}

/// A process to start with, replaced at once.
fn idle() -> Child {
    Command::new("/bin/true").spawn().unwrap()
}

/// Leaves a descriptor open for every program that is started from here.
fn keep_open(file: impl IntoRawFd) {
    let number = usize::try_from(file.into_raw_fd()).unwrap();
    quiet(libc::SYS_fcntl, &[number, 0, INHERITED]).unwrap();
}

/// An address by which the host reaches others. Nothing is sent.
fn own_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("203.0.113.7:9").ok()?;
    match socket.local_addr().ok()?.ip() {
        std::net::IpAddr::V4(address) if !address.is_loopback() => Some(address),
        std::net::IpAddr::V4(_) | std::net::IpAddr::V6(_) => None,
    }
}

/// Removes what a folder holds, but for what is to be kept.
fn clear(folder: &Path, is_kept: impl Fn(&Path) -> bool) {
    for entry in std::fs::read_dir(folder).unwrap().flatten().filter(|entry| !is_kept(&entry.path())) {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    }
}

/// The files of the user, and of the workspace as an agent finds it.
fn files(home: &Path, workspace: &Path, random: &str) {
    let own = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(path).unwrap();
        writeln!(file, "{text}").unwrap();
        file
    };
    let tell = |kind: &str| secret(kind, random);
    let key = own(&home.join(".ssh/id_ed25519"), &tell("key"));
    let (attribute, value) = (text("user.origin"), tell("attribute"));
    let fd = usize::try_from(key.as_raw_fd()).unwrap();
    // Some file systems have no such attributes; then nothing can be read from them.
    let _set = quiet(libc::SYS_fsetxattr, &[fd, name(&attribute), at(value.as_bytes()), value.len(), 0]);
    own(&home.join(".aws/credentials"), &tell("credentials"));
    own(&home.join(".bash_history"), &tell("history"));
    own(&home.join("code/other/.env"), &tell("project"));
    own(&home.join(tell("name")), "");
    symlink(tell("link"), home.join("token-link")).unwrap();
    for startup in [".bashrc", ".profile"] {
        own(&home.join(startup), "# the user's");
    }
    let tool = own(&home.join("bin/private-tool"), &format!("#!/bin/sh\necho {}", tell("tool")));
    tool.set_permissions(PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::copy("/bin/cat", home.join("bin/reader")).unwrap();
    own(&workspace.join(".git/config"), "[core]\n\tbare = false");
    own(&workspace.join(".git/HEAD"), "ref: refs/heads/main");
    std::fs::create_dir_all(workspace.join(".git/hooks")).unwrap();
    std::fs::create_dir_all(workspace.join("src")).unwrap();
    own(&workspace.join(".env"), &tell("masked"));
    symlink(home.join(".ssh/id_ed25519"), workspace.join("notes-link")).unwrap();
    symlink(home.join("code/other"), workspace.join("other-link")).unwrap();
    std::fs::copy(std::env::current_exe().unwrap(), workspace.join("escape-tool")).unwrap();
}
