//! Confines a forked role and lets it do one thing: `confined ROLE THING [PATH]`. The exit code is the role's: 0 if the thing was done,
//! 1 if it was refused, 159 if the kernel killed the role for it. For tests; the paths that may be read and written come from the
//! variables `READ` and `WRITE`, separated by colons.

use rustix::net::{AddressFamily, SocketType, ipproto};
use sandbox::{Confinement, Role};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// Exit codes.
const UNKNOWN: i32 = 2;
const NOT_CONFINED: i32 = 3;

fn main() {
    let code = run().unwrap_or_else(|error| {
        let _gone = writeln!(io::stderr(), "confined: {error}");
        UNKNOWN
    });
    std::process::exit(code)
}

fn run() -> Result<i32, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [role, thing, path @ ..] = &arguments[..] else { return Err("which role, which thing?".into()) };
    let (role, connect) = match role.as_str() {
        "door" => (Role::Door, false),
        "model" => (Role::Model, false),
        "gateway" => (Role::Gateway, true),
        "gateway-alone" => (Role::Gateway, false),
        _ => return Err("which role?".into()),
    };
    let paths = |name: &str| {
        let list = std::env::var_os(name).unwrap_or_default();
        std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect()
    };
    let confinement = Confinement { role, read: paths("READ"), write: paths("WRITE"), connect };
    let path = PathBuf::from(path.first().cloned().unwrap_or_default());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut child = sandbox::fork_role(&[listener.as_fd()], || {
        if let Err(error) = sandbox::confine(&confinement) {
            let _gone = writeln!(io::stderr(), "confined: {error}");
            return NOT_CONFINED;
        }
        let done = listener.try_clone().and_then(|listener| act(thing, &path, listener));
        if let Err(error) = &done {
            let _gone = writeln!(io::stderr(), "refused: {error}");
        }
        i32::from(done.is_err())
    })?;
    drop(listener);
    if thing == "serve" {
        let mut connection = TcpStream::connect(address)?;
        connection.write_all(b"ping")?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        if answer != "ping" {
            return Err("no echo".into());
        }
    }
    Ok(child.wait()?)
}

fn act(thing: &str, path: &PathBuf, listener: TcpListener) -> io::Result<()> {
    let socket = |family, kind, protocol| rustix::net::socket(family, kind, protocol).map(drop).map_err(io::Error::from);
    match thing {
        "nothing" => Ok(()),
        "exec" => Err(Command::new("/bin/true").exec()),
        "spawn" => Command::new("/bin/true").status().map(drop),
        "read" => std::fs::read(path).map(drop),
        "list" => std::fs::read_dir(path).map(drop),
        "write" => std::fs::write(path, "written"),
        "remove" => std::fs::remove_file(path),
        "chmod" => std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)),
        "tcp" => socket(AddressFamily::INET, SocketType::STREAM, None),
        "unix" => std::os::unix::net::UnixStream::connect(path).map(drop),
        "abstract" => {
            use std::os::linux::net::SocketAddrExt;
            let name = path.as_os_str().as_encoded_bytes();
            std::os::unix::net::UnixStream::connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?).map(drop)
        }
        "raw" => socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP)),
        "connect" => TcpStream::connect(path.to_string_lossy().as_ref()).map(drop),
        "bind" => TcpListener::bind("127.0.0.1:0").map(drop),
        "listen" => rustix::net::listen(&listener, 1).map_err(io::Error::from),
        "resolve" => ("localhost", 80).to_socket_addrs()?.next().map(drop).ok_or_else(|| io::Error::other("no address")),
        "signal" => rustix::process::test_kill_process(rustix::process::getpid()).map_err(io::Error::from),
        "threads" => {
            std::thread::spawn(|| std::thread::spawn(|| 1).join().is_ok()).join().map(drop).map_err(|_| io::ErrorKind::Other.into())
        }
        "panic" => {
            std::thread::spawn(move || assert!(listener.local_addr().is_err())).join().err().map(drop).ok_or(io::ErrorKind::Other.into())
        }
        "serve" => serve(listener),
        _ => Err(io::Error::other("which thing?")),
    }
}

/// Echoes one connection, as the roles serve theirs: an event loop, and a thread beside it for each step that computes.
fn serve(listener: TcpListener) -> io::Result<()> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (mut connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        let mut buffer = [0; 4];
        connection.read_exact(&mut buffer).await?;
        let computed = tokio::task::spawn_blocking(move || buffer).await.map_err(io::Error::other)?;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        connection.write_all(&computed).await
    })
}
