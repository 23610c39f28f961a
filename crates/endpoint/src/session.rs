//! One session from its first process to its last record.

use crate::alarm::{self, Bell};
use crate::claim::{Claim, Use};
use crate::layout::{self, Folders, Seat};
use crate::limit::{EndedBy, Limit, LimitLog};
use crate::observer::{self, Observer, WallFacts};
use crate::outflow::Outflow;
use crate::relay::{self, Relay, Streams};
use crate::roles::{self, DoorSeat, GatewayHandover, Role};
use crate::snapshot::Keeper;
use crate::supervise::{self, Cause, Watched};
use crate::watcher::{self, Watcher};
use crate::{Error, Program, SessionSpec, admission, model, version};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use evidence::{DigestKey, Handle, Keys, Log, Writer};
use rustix::process::DumpableBehavior;
use sandbox::{Meter, Ready, Signals, Warden};
use schema::event::{LimitAction, SessionEnded, SessionStarted};
use schema::{Clock, Event, KeyedDigest, SessionId, Subject, Token, Trust};
use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Exit code of a session that was killed: that of a process that SIGKILL ended.
const KILLED: i32 = 137;
/// Exit code of a session whose program did not start, as shells have it.
const NOT_STARTED: i32 = 126;
/// What is added to the number of the signal that ended a process.
const SIGNALLED: i32 = 128;
/// `SIGXCPU` and `SIGXFSZ` (signal(7)).
const SIGNAL_CPU: i32 = 24;
const SIGNAL_FILE: i32 = 25;

/// The time, shared with the thread that writes the log.
pub type SessionClock = Arc<dyn Clock>;

/// How a session went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Which session.
    pub session_id: SessionId,
    /// The agent's exit code (128 + signal number if a signal ended it).
    pub exit_code: i32,
    /// The folder of the session's log.
    pub log: PathBuf,
    /// Why it ended, as its last record says.
    pub cause: Token,
    /// The bound that it was ended for, if it was.
    pub ended_by: Option<EndedBy>,
}

/// A file's id in evidence: the keyed digest of its path inside the session (which is its path on the host for everything that is shown).
pub fn file_id(key: &DigestKey, path: &Path) -> KeyedDigest {
    observer::file_id(key, path)
}

/// Runs a session. Must be called before this process starts a second thread; afterwards it has several, so that a process runs one
/// session. `serve` is the gateway's process: it confines itself and serves until its handover says stop.
///
/// # Errors
/// [`Error`] if the session cannot start: nothing of the agent has run then. Once it runs, how it ended is in the [`Outcome`].
pub fn run(spec: &SessionSpec, clock: SessionClock, serve: impl FnOnce(GatewayHandover) -> i32) -> Result<Outcome, Error> {
    // This process holds the keys: no other of the user may read its memory or environment, and none is written to a core file.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| Error::system("hide this process")(errno.into()))?;
    let name = spec.command.first().ok_or(Error::NoProgram)?;
    let program = Program::find(name, &spec.search_path)?;
    policy::decide_session(&spec.policy, Trust::SelfKept, spec.purpose.as_ref()).map_err(Error::Refused)?;
    spec.directories.make()?;
    let folders = Folders::resolve(spec, &program)?;
    let session_id = new_session_id()?;
    let mut subject = Subject {
        session_id: session_id.clone(),
        user_id: spec.account.name.clone(),
        agent_id: program.name(),
        purpose: spec.purpose.clone(),
        trust: Trust::SelfKept,
        agent_version: Some(version::of(&program)),
        runtime_digest: None,
    };
    // Held until what the session left is noted.
    let _claim = Claim::take(&spec.directories, &folders.workspace, &session_id, if spec.stage { Use::Layered } else { Use::Alone })?;
    let admitted = admission::admit(spec, &folders, &program, &subject, &clock)?;
    let mut models = model::spawn_all(spec, &spec.policy, &session_id)?;
    let mut keeper = Keeper::prepare(spec, &folders.workspace, &subject)?;
    let seat = Seat { session_id, stdio: relay::stdio(), overlays: keeper.overlays(), programs: admitted.programs };
    let mut warden = sandbox::spawn(layout::plan(spec, &folders, &program, &seat)?)?;
    // The walls rise beside this.
    let mut ledger = Ledger::prepare(spec, &subject, clock.clone())?;
    let snapshotted = Event::WorkspaceSnapshotted(keeper.keep(spec, &subject, &clock)?);
    let measured = admitted.measured.unwrap_or_else(|| program.measure());
    subject.runtime_digest.clone_from(&measured.sha256);
    let mut ready = warden.ready()?;
    let messages = models.iter_mut().map(model::ModelServer::release).collect::<Result<Vec<_>, _>>()?;
    let signals = Signals::collect(&supervise::SIGNALS).map_err(Error::system("collect signals"))?;
    let mut roles = start_roles(spec, &subject, &mut ready, &mut ledger, Gateway { model_sockets: model::sockets(&models), serve })?;
    let streams = Streams::take(&mut ready);
    let first = Event::SessionStarted(started(spec, &subject, &ready, measured.sha256.clone()));
    let facts = WallFacts::new(subject.session_id.clone(), &ready.profile);
    let probed = facts.event(&ready.round);
    let observer = Observer::new(ready.reports, ledger.key.clone(), &folders, facts);
    // From here on there are threads, and nothing is forked any more.
    let running = ledger.begin(&[first, snapshotted, probed], observer)?;
    keeper.on_record();
    messages.into_iter().flatten().for_each(model::pass_on_messages);
    // It is on record that the session started, so that from here on every way out passes `finish`.
    let bounds = spec.policy.session();
    let log = LimitLog::new(running.writer.client(), subject.session_id.clone(), bounds.clone());
    let (mut threads, ended) = match Threads::start(spec, &keeper.written(), (streams, ready.meter), &log) {
        Ok(threads) => {
            relay::resize(&warden);
            let ended = warden.release().map_err(|error| (Cause::NotStarted, Error::from(error))).and_then(|()| {
                if !program.is_still(&measured) {
                    return Err((Cause::ProgramChanged, Error::ProgramChanged { path: program.path.clone() }));
                }
                let (gateway, door, lifeline) = (&roles.gateway, &roles.door, running.writer.lifeline());
                let (relay, bell, lasts_max) = (&threads.relay, &threads.bell, Duration::from_secs(bounds.limits.wall_clock_seconds_max));
                let watched = Watched { warden: &warden, gateway, door, lifeline, signals: &signals, relay, bell, lasts_max };
                watched.until_the_end().map_err(|error| (Cause::SupervisionFailed, error))
            });
            (Some(threads), ended)
        }
        Err(error) => (None, Err((Cause::NotStarted, error))),
    };
    let ended = ended.map(|cause| threads.as_mut().map_or(cause, |threads| threads.settle(cause, &log)));
    let end = finish(&mut warden, &mut roles, ended, (running, &log));
    // The session itself is over and on record: what goes wrong here costs later rollbacks their knowledge of its end.
    let noted = keeper.finish(spec, clock.now());
    // Last, since a reader that does not read holds it up: by now the record is complete.
    if let Some(Threads { relay, .. }) = threads {
        relay.finish(&signals);
    }
    drop(models);
    drop(clock);
    end.and_then(|outcome| noted.map(|()| outcome).map_err(Error::from))
}

/// The threads that run beside the one that watches over the session.
struct Threads {
    relay: Relay,
    watcher: Watcher,
    bell: Bell,
}

impl Threads {
    fn start(spec: &SessionSpec, written: &Path, session: (Streams, Meter), log: &LimitLog) -> Result<Self, Error> {
        let ((streams, meter), (alarm, bell)) = (session, alarm::pair()?);
        let outflow = Outflow::new(log.clone(), alarm.clone(), &spec.policy.session().limits);
        let relay = Relay::start(streams, &outflow)?;
        let watcher = Watcher::start(watcher::Watched { meter, log: log.clone(), alarm }, spec, written)?;
        Ok(Self { relay, watcher, bell })
    }

    /// Looks for a last time at what the session used, while its control group is there, and records the bound that it ended for. An
    /// agent, or a warden, that the kernel ended for want of memory says no more than that it is gone.
    fn settle(&mut self, cause: Cause, log: &LimitLog) -> Cause {
        self.watcher.finish();
        log.finish();
        let cause = if cause == Cause::AgentExited { self.bell.rung().unwrap_or(cause) } else { cause };
        if let Cause::Limit(limit) = cause {
            log.reached(limit, LimitAction::Ended);
        }
        cause
    }
}

/// Ends what still runs and writes the last record.
fn finish(
    warden: &mut Warden,
    roles: &mut Roles,
    ended: Result<Cause, (Cause, Error)>,
    running: (Running, &LimitLog),
) -> Result<Outcome, Error> {
    let (running, limits) = running;
    if ended.is_err() {
        // Nobody watches it any more.
        warden.kill();
    }
    let walls = warden.wait();
    if let Some(limit) = walls.as_ref().ok().and_then(|code| killed_by(*code)) {
        limits.reached(limit, LimitAction::Killed);
    }
    // The door writes its last counts, the gateway the outcomes of calls under way.
    roles.door.stop();
    roles.gateway.stop();
    let (door_done, gateway_done) = (roles.door.wait(), roles.gateway.wait());
    let (cause, error) = match ended {
        Ok(Cause::AgentExited) if walls.is_err() => (Cause::WallsLost, None),
        Ok(Cause::AgentExited) if !gateway_done => (Cause::GatewayLost, None),
        Ok(Cause::AgentExited) if !door_done => (Cause::DoorLost, None),
        Ok(cause) => (cause, None),
        Err((cause, error)) => (cause, Some(error)),
    };
    let exit_code = if cause == Cause::NotStarted { NOT_STARTED } else { walls.unwrap_or(KILLED) };
    let Running { writer, session_id, log } = running;
    let last = writer.append(Event::SessionEnded(SessionEnded { session_id: session_id.clone(), exit_code, cause: cause.token() }));
    // What stopped the writer says more than that it is gone.
    let kept = writer.shutdown().and(last);
    match (error, kept) {
        (Some(error), _) => Err(error),
        (None, Err(source)) => Err(Error::Unrecorded { session_id, source }),
        (None, Ok(_)) => {
            let ended_by = if let Cause::Limit(limit) = cause { Some(limits.ended_by(limit)) } else { None };
            Ok(Outcome { session_id, exit_code, log, cause: cause.token(), ended_by })
        }
    }
}

/// The bound of a process that the kernel ends a process for, as far as the agent's exit code tells: its own, or that of a child that it
/// passes on.
fn killed_by(exit_code: i32) -> Option<Limit> {
    match exit_code - SIGNALLED {
        SIGNAL_CPU => Some(Limit::Cpu),
        SIGNAL_FILE => Some(Limit::File),
        _ => None,
    }
}

pub(crate) fn new_session_id() -> Result<SessionId, Error> {
    let mut random = [0; 16];
    // The kernel's own generator: the library's takes tens of milliseconds to start.
    let filled = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
    if filled != Ok(random.len()) {
        return Err(Error::Evidence(evidence::Error::Random));
    }
    Ok(SessionId::from_random(random))
}

fn started(spec: &SessionSpec, subject: &Subject, ready: &Ready, runtime_digest: Option<Token>) -> SessionStarted {
    let (policy, observed) = (&spec.policy, &ready.observed);
    let policy_digest = Token::lossy(&HEXLOWER.encode(digest(&SHA256, policy.digest_input().as_bytes()).as_ref()));
    let sees_files = observed.get(&sandbox::Wall::FileObservation) == Some(&sandbox::Observation::Held);
    SessionStarted {
        subject: subject.clone(),
        bailiwick_version: Token::lossy(env!("CARGO_PKG_VERSION")),
        profile: policy.profile().clone(),
        policy_digest,
        runtime_digest,
        walls: observed.iter().map(|(wall, seen)| (Token::lossy(wall.name()), seen.token())).collect(),
        file_observation: Token::lossy(if sees_files { "seccomp-addfd" } else { "none" }),
        limits_by: Token::lossy(ready.meter.keeper().name()),
        upstreams: policy.upstreams().iter().map(policy::Upstream::facts).collect(),
    }
}

/// The log before it begins, and the sockets of its clients. The signing key is not loaded before the last fork, so that neither the
/// gateway nor the door has a copy.
struct Ledger {
    keys: PathBuf,
    key: DigestKey,
    clock: SessionClock,
    clients: Vec<OwnedFd>,
    session_id: SessionId,
    folder: PathBuf,
}

/// The log with its thread.
struct Running {
    writer: Handle,
    session_id: SessionId,
    log: PathBuf,
}

impl Ledger {
    fn prepare(spec: &SessionSpec, subject: &Subject, clock: SessionClock) -> Result<Self, Error> {
        let (keys, session_id) = (spec.directories.keys(), subject.session_id.clone());
        let key = Keys::digest_key_alone(&keys)?;
        let folder = spec.directories.evidence().join(session_id.as_str());
        Ok(Self { keys, key, clock, clients: Vec::new(), session_id, folder })
    }

    /// A way to the log; what is sent before the log begins waits.
    fn add_client(&mut self) -> Result<OwnedFd, Error> {
        let (ours, theirs) = evidence::client_pair().map_err(Error::system("make a way to the log"))?;
        self.clients.push(ours);
        Ok(theirs)
    }

    /// Writes the session's first records, then takes what clients and the warden have to say. Starts a thread.
    fn begin(self, first: &[Event], observer: Observer) -> Result<Running, Error> {
        let keys = Keys::load_or_create(&self.keys)?;
        let begun = Log::open(&self.folder, keys, self.clock).and_then(|mut log| log.append(first).map(|_| log));
        let log = begun.inspect_err(|_| {
            // A session that did not start leaves no log: an empty one would read as one whose records were taken away.
            let _left = std::fs::remove_dir_all(&self.folder);
        })?;
        let mut writer = Writer::new(log);
        for client in self.clients {
            writer.adopt_client(client);
        }
        writer.add_source(Box::new(observer));
        let writer = writer.run().map_err(Error::system("start the thread that writes the log"))?;
        Ok(Running { writer, session_id: self.session_id, log: self.folder })
    }
}

/// The processes beside the warden.
struct Roles {
    gateway: Role,
    door: Role,
}

fn start_roles(
    spec: &SessionSpec,
    subject: &Subject,
    ready: &mut Ready,
    ledger: &mut Ledger,
    gateway: Gateway<impl FnOnce(GatewayHandover) -> i32>,
) -> Result<Roles, Error> {
    let pair = || UnixStream::pair().map_err(Error::system("make a role's stop signal"));
    let listener = ready.gateway.take().ok_or(Error::Walls(sandbox::Error::Order("the session has no gateway port")))?;
    let ((ours, stop), evidence) = (pair()?, ledger.add_client()?);
    let handover = GatewayHandover {
        listener,
        subject: subject.clone(),
        policy: spec.policy.clone(),
        evidence,
        digest_key: ledger.key.clone(),
        model_sockets: gateway.model_sockets,
        stop,
    };
    let gateway = roles::start_gateway(handover, ours, gateway.serve)?;
    let ((ours, stop), evidence) = (pair()?, ledger.add_client()?);
    let listeners = |list: [Option<TcpListener>; 2]| list.into_iter().flatten().collect();
    let seat = DoorSeat {
        subject: subject.clone(),
        policy: spec.policy.clone(),
        evidence,
        digest_key: ledger.key.clone(),
        redirect: listeners([ready.redirect_v4.take(), ready.redirect_v6.take()]),
        proxy: listeners([ready.proxy.take(), None]),
        dns_udp: [ready.dns_udp_v4.take(), ready.dns_udp_v6.take()].into_iter().flatten().collect::<Vec<UdpSocket>>(),
        dns_tcp: listeners([ready.dns_tcp_v4.take(), ready.dns_tcp_v6.take()]),
        stop,
    };
    Ok(Roles { gateway, door: roles::start_door(seat, ours)? })
}

/// What the gateway's process is made of.
struct Gateway<S> {
    model_sockets: BTreeMap<Token, PathBuf>,
    serve: S,
}
