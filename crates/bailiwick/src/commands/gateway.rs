//! A gateway of its own: one process writes the log, a confined one opens content.

use super::gateway_role::{self, KeyVariables};
use super::policy as policies;
use crate::cli::GatewayArgs;
use crate::clock::SystemClock;
use crate::exit::{DONE, Failure, NEGATIVE, REFUSED, UNREADABLE};
use crate::print;
use crate::settings::Settings;
use evidence::{Keys, Log, Writer};
use gateway::{Client, Config, Listen, Listener, PolicySource, SharedClock, Socket, StandaloneFile, Upstreams};
use policy::Policy;
use rustix::event::{PollFd, PollFlags, poll};
use sandbox::Signals;
use schema::{SessionId, Trust};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;

const INTERRUPT: i32 = 2;
const TERMINATE: i32 = 15;

pub(super) fn run(args: &GatewayArgs, settings: &Settings) -> Result<u8, Failure> {
    let name = args.config.display().to_string();
    let file = StandaloneFile::parse(&name, &policies::read(&args.config)?).map_err(|wrong| policies::refused(&wrong))?;
    let policy = policy_of(&file.policy)?;
    if args.check {
        print::line(format_args!("{name}: valid; {} clients, policy `{}`", file.clients.len(), policy.profile()));
        return Ok(DONE);
    }
    serve(file, policy, settings)
}

fn policy_of(source: &PolicySource) -> Result<Policy, Failure> {
    let (name, text) = match source {
        PolicySource::Profile(name) => (name.clone(), policy::builtin(name).unwrap_or_default().to_owned()),
        PolicySource::File(path) => (path.display().to_string(), policies::read(path)?),
    };
    Policy::parse(&name, &text).map_err(|wrong| policies::refused(&wrong))
}

fn refused(error: impl Display) -> Failure {
    Failure::new(REFUSED, error)
}

/// What the confined process is made of.
struct Parts {
    socket: OwnedFd,
    is_unix: bool,
    clients: Vec<Client>,
    policy: Policy,
    upstreams: Upstreams,
    evidence: OwnedFd,
    digest_key: evidence::DigestKey,
    stop: UnixStream,
}

fn serve(file: StandaloneFile, policy: Policy, settings: &Settings) -> Result<u8, Failure> {
    let environment = |name: &str| settings.variable(name);
    let (socket, is_unix, address) = bind(&file.listen)?;
    let _socket_file = SocketFile::of(&file.listen);
    let mut clients = Vec::new();
    for client in file.clients {
        clients.push(client.load(new_session_id()?, Trust::SelfKept, &environment).map_err(refused)?);
    }
    let unreadable = |error: evidence::Error| Failure::new(UNREADABLE, error);
    let digest_key = Keys::digest_key_alone(&file.keys_directory).map_err(unreadable)?;
    let variables = KeyVariables::take(&policy, environment);
    let upstreams = Upstreams::prepare(&policy, &BTreeMap::new(), &|name| variables.get(name)).map_err(refused)?;
    let (ours, stop) = UnixStream::pair().map_err(refused)?;
    let (theirs, evidence) = evidence::client_pair().map_err(refused)?;
    let parts = Parts { socket, is_unix, clients, policy, upstreams, evidence, digest_key, stop };
    let mut role = fork(parts)?;
    // After the fork: the gateway's process gets no copy of the signing key.
    let keys = Keys::load_or_create(&file.keys_directory).map_err(unreadable)?;
    let mut writer = Writer::new(Log::open(&file.evidence_directory, keys, Arc::new(SystemClock)).map_err(unreadable)?);
    writer.adopt_client(theirs);
    let signals = Signals::collect(&[INTERRUPT, TERMINATE]).map_err(refused)?;
    let handle = writer.run().map_err(refused)?;
    print::line(format_args!("the gateway serves on {address}; stop it with Ctrl-C"));
    wait([signals.as_fd(), role.pidfd()], handle.lifeline())?;
    drop(ours);
    let code = role.wait().map_err(refused)?;
    handle.shutdown().map_err(unreadable)?;
    if code == 0 { Ok(DONE) } else { Err(Failure::new(NEGATIVE, format_args!("the gateway ended with code {code}"))) }
}

fn fork(parts: Parts) -> Result<sandbox::Child, Failure> {
    let keep: Vec<BorrowedFd<'_>> = vec![parts.socket.as_fd(), parts.evidence.as_fd(), parts.stop.as_fd()];
    let copies = || -> std::io::Result<_> { Ok((parts.socket.try_clone()?, parts.evidence.try_clone()?, parts.stop.try_clone()?)) };
    let (clients, upstreams) = (parts.clients.clone(), std::cell::Cell::new(Some(parts.upstreams)));
    sandbox::fork_role(&keep, || {
        let served = copies().map_err(Into::into).and_then(|(socket, evidence, stop)| -> Result<(), Box<dyn std::error::Error>> {
            let random = gateway_role::random()?;
            let detectors = dlp::Detectors::standard();
            let upstreams = upstreams.take().ok_or("the gateway is started twice")?;
            gateway_role::confine()?;
            let socket = if parts.is_unix { Socket::Unix(UnixListener::from(socket)) } else { Socket::Tcp(TcpListener::from(socket)) };
            Ok(gateway::serve(Config {
                listener: Listener::Standalone { socket, clients },
                policy: parts.policy.clone(),
                upstreams,
                evidence: evidence::Client::new(evidence)?,
                digest_key: parts.digest_key.clone(),
                random,
                detectors,
                clock: SharedClock(Arc::new(SystemClock)),
                stop: Some(stop),
            })?)
        });
        match served {
            Ok(()) => 0,
            Err(error) => {
                print::note(format_args!("bailiwick: the gateway: {error}"));
                1
            }
        }
    })
    .map_err(refused)
}

/// Waits for a signal, the gateway's end, or the log's.
fn wait(ends: [BorrowedFd<'_>; 2], lifeline: BorrowedFd<'_>) -> Result<(), Failure> {
    loop {
        let [signals, role] = ends;
        let mut polled = [
            PollFd::from_borrowed_fd(signals, PollFlags::IN),
            PollFd::from_borrowed_fd(role, PollFlags::IN),
            PollFd::from_borrowed_fd(lifeline, PollFlags::empty()),
        ];
        match poll(&mut polled, None) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(refused(std::io::Error::from(errno))),
        }
    }
}

fn new_session_id() -> Result<SessionId, Failure> {
    let mut random = [0; 16];
    gateway_role::fill(&mut random).map_err(refused)?;
    Ok(SessionId::from_random(random))
}

/// The file of a Unix socket that this process made; it goes when the gateway does.
struct SocketFile(PathBuf);

impl SocketFile {
    fn of(listen: &Listen) -> Option<Self> {
        match listen {
            Listen::Unix(path) => Some(Self(path.clone())),
            Listen::Tcp(_) => None,
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // One that somebody else took away is gone as well.
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// The listening socket, whether it is a Unix socket, and its address for people.
fn bind(listen: &Listen) -> Result<(OwnedFd, bool, String), Failure> {
    match listen {
        Listen::Tcp(address) => {
            let wrong = |error: std::io::Error| refused(format_args!("cannot listen on {address}: {error}"));
            let listener = TcpListener::bind(address).map_err(wrong)?;
            let bound = listener.local_addr().map_err(wrong)?;
            Ok((listener.into(), false, bound.to_string()))
        }
        Listen::Unix(path) => {
            let wrong = |error: std::io::Error| {
                refused(format_args!("cannot listen on {}: {error}; remove it if no gateway runs there", path.display()))
            };
            Ok((UnixListener::bind(path).map_err(wrong)?.into(), true, path.display().to_string()))
        }
    }
}
