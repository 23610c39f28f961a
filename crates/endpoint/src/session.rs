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
use crate::{Error, Measurement, Program, SessionSpec, admission, model, version};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use evidence::{DigestKey, Handle, Keys, Log, Writer};
use rustix::process::DumpableBehavior;
use sandbox::{DoorSockets, Meter, Ready, Signals, Timeline, Warden};
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

/// When the steps of a session were done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timelines {
    /// The supervisor's, from the start of the program to the session's end.
    pub supervisor: Timeline,
    /// The warden's, from its fork to the end of the first probes.
    pub warden: Timeline,
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
pub fn run(
    spec: &SessionSpec,
    clock: SessionClock,
    mut timeline: Timeline,
    serve: impl FnOnce(GatewayHandover) -> i32,
) -> Result<(Outcome, Timelines), Error> {
    // This process holds the keys: no other of the user may read its memory or environment, and none is written to a core file.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| Error::system("hide this process")(errno.into()))?;
    let name = spec.command.first().ok_or(Error::NoProgram)?;
    let program = Program::find(name, &spec.search_path)?;
    policy::decide_session(&spec.policy, Trust::SelfKept, spec.purpose.as_ref()).map_err(Error::Refused)?;
    spec.directories.make()?;
    let folders = Folders::resolve(spec, &program)?;
    let mut subject = subject(spec, &program)?;
    // Held until what the session left is noted.
    let way = if spec.stage { Use::Layered } else { Use::Alone };
    let _claim = Claim::take(&spec.directories, &folders.workspace, &subject.session_id, way)?;
    let admitted = admission::admit(spec, &folders, &program, &subject, &clock)?;
    timeline.done("find the program and the folders");
    let mut models = model::spawn_all(spec, &spec.policy, &subject.session_id)?;
    let mut keeper = Keeper::prepare(spec, &folders.workspace, &subject)?;
    let (session_id, overlays) = (subject.session_id.clone(), keeper.overlays());
    let seat = Seat { session_id, stdio: relay::stdio(), overlays, programs: admitted.programs };
    let mut warden = sandbox::spawn(layout::plan(spec, &folders, &program, &seat)?)?;
    timeline.done("start the warden");
    // The walls rise beside this.
    let mut ledger = Ledger::prepare(spec, &subject, clock.clone())?;
    let snapshotted = Event::WorkspaceSnapshotted(keeper.keep(spec, &subject, &clock)?);
    timeline.done("keep the workspace");
    let measured = admitted.measured.unwrap_or_else(|| program.measure());
    subject.runtime_digest.clone_from(&measured.sha256);
    timeline.done("measure the program");
    let voices = models.iter_mut().map(model::ModelServer::release).collect::<Result<Vec<_>, _>>()?;
    let signals = Signals::collect(&supervise::SIGNALS).map_err(Error::system("collect signals"))?;
    let sockets = warden.door_sockets()?;
    timeline.done("wait for the network");
    let mut roles = start_roles(spec, &subject, sockets, &mut ledger, Gateway { model_sockets: model::sockets(&models), serve })?;
    timeline.done("start the gateway and the door");
    let ledger = ledger.make_room()?;
    timeline.done("make room for the record");
    let mut ready = warden.ready()?;
    roles.door.open()?;
    timeline.done("wait for the walls");
    let streams = Streams::take(&mut ready);
    let first = Event::SessionStarted(started(spec, &subject, &ready, measured.sha256.clone()));
    let facts = WallFacts::new(subject.session_id.clone(), &ready.profile);
    let probed = facts.event(&ready.round);
    let observer = Observer::new(ready.reports, ledger.key().clone(), &folders, facts);
    // From here on there are threads, and nothing is forked any more.
    let running = ledger.begin(&[first, snapshotted, probed], observer)?;
    keeper.on_record(spec, clock.now());
    timeline.done("put the start on record");
    voices.into_iter().for_each(model::pass_on_messages);
    // It is on record that the session started, so that from here on every way out passes `finish`.
    let live = Live { spec, program: &program, measured: &measured, warden, roles, signals, keeper };
    let outcome = live.until_the_end(running, (streams, ready.meter), &mut timeline);
    drop(models);
    drop(clock);
    timeline.done("end what is left");
    outcome.map(|outcome| (outcome, Timelines { supervisor: timeline, warden: ready.timeline }))
}

/// A session on record, whose agent is about to start.
struct Live<'a> {
    spec: &'a SessionSpec,
    program: &'a Program,
    measured: &'a Measurement,
    warden: Warden,
    roles: Roles,
    signals: Signals,
    keeper: Keeper,
}

impl Live<'_> {
    /// Lets the agent run, ends what still runs and writes the last record.
    fn until_the_end(mut self, running: Running, session: (Streams, Meter), timeline: &mut Timeline) -> Result<Outcome, Error> {
        let log = LimitLog::new(running.writer.client(), running.session_id.clone(), self.spec.policy.session().clone());
        let (mut threads, ended) = match Threads::start(self.spec, &self.keeper.written(), session, &log) {
            Ok(threads) => {
                let ended = self.watch(&threads, &running, timeline);
                (Some(threads), ended)
            }
            Err(error) => (None, Err((Cause::NotStarted, error))),
        };
        timeline.done("let the agent run");
        let ended = ended.map(|cause| threads.as_mut().map_or(cause, |threads| threads.settle(cause, &log)));
        timeline.done("end the threads");
        let Self { warden, roles, signals, keeper, .. } = &mut self;
        let walls = end_walls(warden, ended.is_err());
        // Where the warden itself said that the session is over, nobody is left to change the workspace.
        let is_still = walls.is_ok();
        let (end, noted) = std::thread::scope(|scope| {
            let noting = is_still.then(|| scope.spawn(|| keeper.finish()));
            let end = finish(roles, ended, walls, (running, &log));
            // A thread that panicked has noted nothing; the next session's state is taken whole then.
            (end, noting.map(|noting| noting.join().unwrap_or(Ok(()))))
        });
        let noted = noted.unwrap_or_else(|| keeper.finish());
        timeline.done("end the processes and the record");
        // Last, since a reader that does not read holds it up: by now the record is complete.
        if let Some(Threads { relay, .. }) = threads {
            relay.finish(signals);
        }
        // The session itself is over and on record: what went wrong there costs later rollbacks their knowledge of its end.
        end.and_then(|outcome| noted.map(|()| outcome).map_err(Error::from))
    }

    /// Starts the agent and watches over it.
    fn watch(&mut self, threads: &Threads, running: &Running, timeline: &mut Timeline) -> Result<Cause, (Cause, Error)> {
        timeline.done("start threads");
        relay::resize(&self.warden);
        self.warden.release().map_err(|error| (Cause::NotStarted, Error::from(error)))?;
        timeline.done("start the agent");
        if !self.program.is_still(self.measured) {
            return Err((Cause::ProgramChanged, Error::ProgramChanged { path: self.program.path.clone() }));
        }
        let lasts_max = Duration::from_secs(self.spec.policy.session().limits.wall_clock_seconds_max);
        let watched = Watched {
            warden: &self.warden,
            gateway: &self.roles.gateway,
            door: &self.roles.door,
            lifeline: running.writer.lifeline(),
            signals: &self.signals,
            relay: &threads.relay,
            bell: &threads.bell,
            lasts_max,
        };
        watched.until_the_end().map_err(|error| (Cause::SupervisionFailed, error))
    }
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

/// Waits until nothing inside is left.
fn end_walls(warden: &mut Warden, is_unwatched: bool) -> Result<i32, sandbox::Error> {
    if is_unwatched {
        warden.kill();
    }
    warden.wait()
}

/// Ends the processes beside the warden and writes the last record.
fn finish(
    roles: &mut Roles,
    ended: Result<Cause, (Cause, Error)>,
    walls: Result<i32, sandbox::Error>,
    running: (Running, &LimitLog),
) -> Result<Outcome, Error> {
    let (running, limits) = running;
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

/// Who works for whom, as far as it is known before anything is measured.
pub(crate) fn subject(spec: &SessionSpec, program: &Program) -> Result<Subject, Error> {
    Ok(Subject {
        session_id: new_session_id()?,
        user_id: spec.account.name.clone(),
        agent_id: program.name(),
        purpose: spec.purpose.clone(),
        trust: Trust::SelfKept,
        agent_version: Some(version::of(program)),
        runtime_digest: None,
    })
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

/// The folder of a log that has not begun; without a beginning, it is taken away.
struct Room {
    ledger: Ledger,
    signing: Keys,
    is_begun: bool,
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

    /// Loads the signing key and makes the log's folder. No role may be forked after it.
    fn make_room(self) -> Result<Room, Error> {
        let signing = Keys::load_or_create(&self.keys)?;
        let room = Room { ledger: self, signing, is_begun: false };
        Log::make_room(&room.ledger.folder, &room.signing)?;
        Ok(room)
    }
}

impl Room {
    fn key(&self) -> &DigestKey {
        &self.ledger.key
    }

    /// Writes the session's first records, then takes what clients and the warden have to say. Starts a thread.
    fn begin(mut self, first: &[Event], observer: Observer) -> Result<Running, Error> {
        let (folder, clock) = (self.ledger.folder.clone(), self.ledger.clock.clone());
        let mut log = Log::open(&folder, self.signing.clone(), clock)?;
        log.append(first)?;
        self.is_begun = true;
        let mut writer = Writer::new(log);
        for client in std::mem::take(&mut self.ledger.clients) {
            writer.adopt_client(client);
        }
        writer.add_source(Box::new(observer));
        let writer = writer.run().map_err(Error::system("start the thread that writes the log"))?;
        Ok(Running { writer, session_id: self.ledger.session_id.clone(), log: folder })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.is_begun {
            // A session that did not start leaves no log: an empty one would read as one whose records were taken away.
            let _left = std::fs::remove_dir_all(&self.ledger.folder);
        }
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
    sockets: DoorSockets,
    ledger: &mut Ledger,
    gateway: Gateway<impl FnOnce(GatewayHandover) -> i32>,
) -> Result<Roles, Error> {
    let pair = || UnixStream::pair().map_err(Error::system("make a role's stop signal"));
    let listener = sockets.gateway.ok_or(Error::Walls(sandbox::Error::Order("the session has no gateway port")))?;
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
        redirect: listeners([sockets.redirect_v4, sockets.redirect_v6]),
        proxy: listeners([sockets.proxy, None]),
        dns_udp: [sockets.dns_udp_v4, sockets.dns_udp_v6].into_iter().flatten().collect::<Vec<UdpSocket>>(),
        dns_tcp: listeners([sockets.dns_tcp_v4, sockets.dns_tcp_v6]),
        stop,
    };
    Ok(Roles { gateway, door: roles::start_door(seat, ours)? })
}

/// What the gateway's process is made of.
struct Gateway<S> {
    model_sockets: BTreeMap<Token, PathBuf>,
    serve: S,
}
