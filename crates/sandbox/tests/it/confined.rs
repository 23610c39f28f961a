use crate::{as_ordinary_user, example};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const DONE: i32 = 0;
const REFUSED: i32 = 1;
const KILLED: i32 = 159;
const ROLES: [&str; 4] = ["door", "model", "gateway", "gateway-alone"];

/// What becomes of a thing that a role does, for root and for an ordinary user.
fn outcome(role: &str, thing: &str, path: &str, read: &str, write: &str) -> i32 {
    let codes = [Command::new(example("confined")), as_ordinary_user("confined")].map(|mut command| {
        let output = command.args([role, thing, path]).env("READ", read).env("WRITE", write).output().unwrap();
        output.status.code().unwrap()
    });
    assert_eq!(codes[0], codes[1], "{role} {thing} {path}: root and an ordinary user differ");
    codes[0]
}

fn alone(role: &str, thing: &str) -> i32 {
    outcome(role, thing, "", "", "")
}

#[test]
fn no_role_starts_a_program_a_process_or_a_listener() {
    for role in ROLES {
        assert_eq!(alone(role, "nothing"), DONE, "{role}");
        for thing in ["exec", "spawn", "listen", "signal", "remove", "chmod"] {
            assert_eq!(alone(role, thing), KILLED, "{role} {thing}");
        }
    }
}

#[test]
fn a_role_reads_and_writes_what_is_listed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let open = |path: &str, mode: u32| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    for name in ["listed", "secret", "log"] {
        std::fs::write(path(name), "content").unwrap();
        open(&path(name), 0o666);
    }
    open(&folder.path().to_string_lossy(), 0o777);
    for role in ROLES {
        let outcome = |thing: &str, name: &str| outcome(role, thing, &path(name), &path("listed"), &path("log"));
        assert_eq!(outcome("read", "listed"), DONE);
        assert_eq!(outcome("write", "log"), DONE);
        for (thing, name) in [("read", "secret"), ("write", "secret"), ("write", "listed"), ("write", "new"), ("list", ".")] {
            assert_eq!(outcome(thing, name), REFUSED, "{role} {thing} {name}");
        }
        assert_eq!(outcome("read", "../../etc/passwd"), REFUSED);
    }
    assert_eq!(std::fs::read_to_string(path("secret")).unwrap(), "content");
    assert_eq!(std::fs::read_to_string(path("listed")).unwrap(), "content");
    assert!(!Path::new(&path("new")).exists());
}

#[test]
fn only_a_gateway_makes_sockets() {
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    host.set_nonblocking(true).unwrap();
    let address = host.local_addr().unwrap().to_string();
    for role in ["door", "model"] {
        for thing in ["tcp", "unix", "raw", "bind", "resolve"] {
            assert_eq!(alone(role, thing), KILLED, "{role} {thing}");
        }
        assert_eq!(outcome(role, "connect", &address, "", ""), KILLED);
    }
    assert_eq!(outcome("gateway-alone", "connect", &address, "", ""), REFUSED);
    assert_eq!(alone("gateway-alone", "resolve"), REFUSED);
    assert!(host.accept().is_err());
    assert_eq!(alone("gateway", "raw"), REFUSED);
    assert_eq!(outcome("gateway", "connect", &address, "", ""), DONE);
    assert!(host.accept().is_ok());
}

#[test]
fn a_gateway_binds_no_port() {
    // Landlock before version 4 lets it bind; no list of calls lets it listen.
    assert_ne!(alone("gateway", "bind"), DONE);
    assert_eq!(alone("gateway-alone", "bind"), REFUSED);
}

#[test]
fn a_gateway_reaches_sockets_with_a_path_and_no_abstract_ones() {
    use std::os::linux::net::SocketAddrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    let _model = std::os::unix::net::UnixListener::bind(&path).unwrap();
    for path in [&path, &folder.path().to_owned()] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    // The kernel keeps abstract sockets apart since version 6 of Landlock's interface.
    let first = String::from_utf8(Command::new(example("survey")).output().unwrap().stdout).unwrap();
    let version: u32 = first.lines().next().unwrap().rsplit_once(' ').unwrap().1.parse().unwrap();
    let expected = if version >= 6 { REFUSED } else { DONE };
    let name = format!("bailiwick-role-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let _abstract = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    for role in ["gateway", "gateway-alone"] {
        assert_eq!(outcome(role, "unix", &path.to_string_lossy(), "", ""), DONE);
        assert_eq!(outcome(role, "abstract", &name, "", ""), expected);
    }
}

#[test]
fn a_gateway_looks_up_names() {
    let read = "/etc/hosts:/etc/resolv.conf:/etc/nsswitch.conf:/etc/host.conf:/etc/gai.conf:/etc/ld.so.cache:/lib:/lib64:/usr/lib";
    assert_eq!(outcome("gateway", "resolve", "", read, ""), DONE);
}

#[test]
fn every_role_serves_what_it_was_handed_with_threads() {
    for role in ROLES {
        for thing in ["threads", "panic", "serve"] {
            assert_eq!(alone(role, thing), DONE, "{role} {thing}");
        }
    }
}
