//! Classes of escapes that published sandboxes fell to, tried from inside; `docs/reference/escapes.md` lists which test stands for which.

use crate::{example, ordinary, run, text};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;

/// Two folders of the host that stand inside: workspace and documents.
struct Place {
    folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("bailiwick-escapes-").tempdir_in("/var/tmp").unwrap();
        let path = folder.path().canonicalize().unwrap();
        for name in ["workspace", "documents"] {
            std::fs::create_dir(path.join(name)).unwrap();
            std::fs::set_permissions(path.join(name), PermissionsExt::from_mode(0o777)).unwrap();
        }
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Self { folder, path }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        assert!(self.folder.path().exists());
        self.path.join(name)
    }

    /// Runs a Perl program in the workspace as root, if that is who tests, and as an ordinary user; returns what it said for each.
    fn perl(&self, program: &str) -> Vec<(String, String)> {
        let file = self.file("documents/program.pl");
        std::fs::write(&file, program).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        let (workspace, documents) = (self.file("workspace"), self.file("documents"));
        let script = format!("cd {} && exec perl {} 2>&1", workspace.display(), file.display());
        let session = || Command::new(example("session"));
        [session(), ordinary(session())]
            .map(|mut command| {
                command.args(["pipe", "observe", "reports"]);
                command.args([format!("rw={}", workspace.display()), format!("ro={}", documents.display())]);
                let output = command.args(["--", "/bin/sh", "-c", &script]).output().unwrap();
                (text(&output), String::from_utf8_lossy(&output.stderr).into_owned())
            })
            .into()
    }
}

/// Anyone may connect: what refuses must be a wall, not the file's mode.
fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
}

#[test]
fn a_unix_socket_of_the_host_that_stands_inside_is_not_connected() {
    let place = Place::new();
    let sockets: Vec<_> = ["workspace/engine.sock", "documents/engine.sock"].map(|name| place.file(name)).into();
    let listeners: Vec<_> = sockets.iter().map(|path| UnixListener::bind(path).unwrap()).collect();
    let datagrams = UnixDatagram::bind(place.file("workspace/log.sock")).unwrap();
    sockets.iter().chain([&place.file("workspace/log.sock")]).for_each(|path| open_to_all(path));
    std::os::unix::fs::symlink(&sockets[0], place.file("documents/link.sock")).unwrap();
    let program = format!(
        r#"use Socket; use Errno; $| = 1; symlink("{0}", "/dev/shm/link");
        for my $name ("engine.sock", "./engine.sock", "{0}", "{1}", "../documents/link.sock", "/dev/shm/link", "/proc/self/cwd/engine.sock") {{
            socket(S, AF_UNIX, SOCK_STREAM, 0) or die; print connect(S, pack_sockaddr_un($name)) ? "connected\n" : $!{{EACCES}} ? "" : "$name $!\n"; send(S, "leak", 0);
        }}
        socketpair(A, B, AF_UNIX, SOCK_DGRAM, 0) and print "a pair of datagrams\n"; socket(D, AF_UNIX, SOCK_DGRAM, 0) and print "datagrams\n";
        socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or die; print connect(A, pack_sockaddr_un("engine.sock")) ? "a pair connected\n" : ""; send(A, "leak", 0, pack_sockaddr_un("log.sock")); print "done\n";"#,
        sockets[0].display(),
        sockets[1].display()
    );
    for (said, reports) in place.perl(&program) {
        assert_eq!(said, "done\n", "{reports}");
        for path in &sockets {
            assert!(reports.contains(&format!("refused ReadWrite {} {}", path.display(), libc::EACCES)), "{reports}");
        }
    }
    for listener in listeners {
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err());
    }
    datagrams.set_nonblocking(true).unwrap();
    assert!(datagrams.recv(&mut [0; 8]).is_err());
}

#[test]
fn a_name_that_is_swapped_while_it_is_looked_at_connects_to_nothing_of_the_host() {
    let place = Place::new();
    let path = place.file("workspace/engine.sock");
    let listener = UnixListener::bind(&path).unwrap();
    open_to_all(&path);
    // One process swaps the name between a socket of its own and a link to the host's; the other connects.
    let program = format!(
        r#"use Socket; use POSIX; $| = 1; chdir "/dev/shm"; socket(L, AF_UNIX, SOCK_STREAM, 0); bind(L, pack_sockaddr_un("own")); listen(L, 4000);
        symlink("{}", "link"); symlink("own", "name"); my $child = fork;
        if (!$child) {{ while (1) {{ symlink("own", "a"); rename("a", "name"); symlink("link", "b"); rename("b", "name") }} }}
        my $own = 0; for (1..1500) {{ socket(S, AF_UNIX, SOCK_STREAM, 0) or die; $own++ if connect(S, pack_sockaddr_un("name")); close S }}
        kill 9, $child; print $own > 0 ? "some\n" : "none\n";"#,
        path.display()
    );
    for (said, reports) in place.perl(&program) {
        assert_eq!(said, "some\n", "{reports}");
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
}

#[test]
fn sockets_of_the_sessions_own_work() {
    let program = r#"use Socket; $| = 1; for my $name ("/tmp/own.sock", "\0abstract") {
            socket(L, AF_UNIX, SOCK_STREAM, 0); bind(L, pack_sockaddr_un($name)) or die "bind $!"; listen(L, 5);
            socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un($name)) or die "connect $!";
            accept(C, L); syswrite(C, "42\n"); sysread(S, my $got, 9); print $got;
        }
        chdir "/tmp"; unlink "own.sock"; socket(S, AF_UNIX, SOCK_STREAM, 0); print connect(S, pack_sockaddr_un("own.sock")) ? "ghost\n" : "gone\n";
        socket(L, AF_INET, SOCK_STREAM, 0); bind(L, pack_sockaddr_in(7000, INADDR_LOOPBACK)) or die; listen(L, 5);
        socket(S, AF_INET, SOCK_STREAM, 0); connect(S, pack_sockaddr_in(7000, INADDR_LOOPBACK)) or die "inet $!"; print "inet\n";
        socket(S, AF_INET, SOCK_STREAM, 0); print connect(S, pack_sockaddr_in(7001, INADDR_LOOPBACK)) ? "ghost\n" : "refused\n";
        print connect(STDIN, pack_sockaddr_in(7001, INADDR_LOOPBACK)) ? "ghost\n" : "no socket\n";"#;
    for (said, reports) in Place::new().perl(program) {
        assert_eq!(said, "42\n42\ngone\ninet\nrefused\nno socket\n", "{reports}");
    }
}

#[test]
fn nothing_that_lends_rights_or_waits_is_left_in_the_workspace() {
    let place = Place::new();
    let program = r#"use POSIX; use Socket; unlink "plain"; open(F, ">", "plain") or die; chmod 0755, "plain" or print "no mode at all\n";
        my $p = "plain"; my $at = -100;
        chmod($_, "plain") and print "chmod $_\n" for 04755, 02755, 06755; chmod(04755, F) and print "fchmod\n";
        syscall(268, $at, $p, 04755) == 0 and print "fchmodat\n"; syscall(452, $at, $p, 04755, 0) == 0 and print "fchmodat2\n";
        sysopen(G, "opened", O_CREAT | O_WRONLY, 04755) and print "open\n"; my $c = "created"; syscall(85, $c, 04755) >= 0 and print "creat\n";
        my $n = "node"; syscall(133, $n, 0104755, 0) == 0 and print "mknod\n"; syscall(259, $at, $n, 0104755, 0) == 0 and print "mknodat\n";
        syscall(133, $n, 0140777, 0) == 0 and print "a socket by mknod\n"; syscall(133, $n, 020666, 0x103) == 0 and print "a device\n";
        syscall(133, $n, 020666, 0) == 0 and print "a whiteout\n"; syscall(316, $at, $p, $at, $n, 4) == 0 and print "a whiteout by renaming\n";
        POSIX::mkfifo("fifo", 0666) and print "a FIFO\n"; POSIX::mkfifo("/dev/shm/fifo", 0666) or print "no FIFO at all\n"; rename("/dev/shm/fifo", "fifo") and print "a FIFO moved\n";
        link("/dev/shm/fifo", "fifo2") and print "a FIFO linked\n";
        socket(L, AF_UNIX, SOCK_STREAM, 0); bind(L, pack_sockaddr_un("left.sock")) and print "a socket\n"; print "done\n";"#;
    if cfg!(target_arch = "x86_64") {
        for (said, reports) in place.perl(program) {
            assert_eq!(said, "done\n", "{reports}");
        }
        let left: Vec<_> = std::fs::read_dir(place.file("workspace")).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        let facts = left[0].metadata().unwrap();
        assert!(facts.is_file() && facts.permissions().mode() & 0o7000 == 0);
    }
}

#[test]
fn no_filter_of_the_agents_own_answers_in_the_wardens_place() {
    // SECCOMP_SET_MODE_FILTER with SECCOMP_FILTER_FLAG_NEW_LISTENER, and one without, which may only refuse more.
    let program = r#"my $code = pack("SCCL", 6, 0, 0, 0x7fff0000); my $filter = pack("SxxxxxxP", 1, $code); syscall(157, 38, 1, 0, 0, 0);
        for my $flags (8, 0) { $! = 0; my $made = syscall(317, 1, $flags, $filter); print $made, " ", $!{EPERM} ? "refused" : "", "\n" }"#;
    if cfg!(target_arch = "x86_64") {
        let output = run(&[], &format!("perl -MErrno -e '{program}'"));
        assert_eq!(text(&output), "-1 refused\n0 \n");
    }
}

#[test]
fn nothing_of_the_machine_stands_inside() {
    let program = r#"for my $path ("/sys", "/dev/kvm", "/dev/kmsg", "/dev/mem", "/dev/fuse", "/dev/net", "/dev/vsock", "/dev/mapper", "/boot", "/etc/shadow", "/etc/machine-id", "/var/run/docker.sock", "/run/systemd", "/proc/kcore/x") {
            print "$path\n" if -e $path;
        }
        for my $path ("/proc/kmsg", "/proc/keys", "/proc/kallsyms", "/proc/timer_list") { open(F, "<", $path) or next; local $/; my $all = <F>; print "$path tells\n" if length $all }
        open(F, "<", "/proc/self/cgroup"); my $groups = join "", <F>; print $groups if $groups =~ m{/.*bailiwick};
        open(F, "<", "/proc/sys/kernel/hostname"); print <F>; my @facts = stat "/usr"; print "owner $facts[4]\n" if $facts[4] == 0; print "$> $)\n";"#;
    for (said, reports) in Place::new().perl(program) {
        let ids = said.strip_prefix("bailiwick\n").unwrap_or_else(|| panic!("{said} {reports}"));
        assert!(ids.starts_with("1000 1000"), "{said}");
    }
}

#[test]
fn a_program_in_memory_is_not_executed() {
    let program = r#"use Errno; my $name = "x"; my $fd = syscall(319, $name, 0); open(M, ">&=", $fd) or die; open(F, "<", "/usr/bin/true"); local $/; print M <F>; M->flush; $| = 1;
        system { "/proc/self/fd/$fd" } "x"; print $? == 0 ? "executed\n" : $!{EACCES} ? "refused\n" : "$!\n"; my $sealed = 319; my $made = syscall($sealed, $name, 16); print $made < 0 ? "refused\n" : "made\n";"#;
    if cfg!(target_arch = "x86_64") && std::path::Path::new("/proc/sys/vm/memfd_noexec").exists() {
        for (said, reports) in Place::new().perl(program) {
            assert_eq!(said, "refused\nrefused\n", "{reports}");
        }
    }
}
