//! The process that builds the walls and then holds them.

mod outsider;
mod probing;
mod watch;

use crate::agent::{Descriptors, Goal, Image, Links, Step, Walls, become_child};
use crate::cgroup::{Gauge, Group};
use crate::init::{self, Init};
use crate::kernel::{self, Fork};
use crate::message::{Answer, Request};
use crate::plan::{Network, Plan, Stdio};
use crate::probe::Round;
use crate::root::{Pinned, Root};
use crate::{Error, Observation, Timeline, Wall, descriptors, identity, limits, network, probe, role, root, rules, seccomp};
use outsider::Outsider;
use rustix::process::{Pid, PidfdFlags};
use rustix::thread::{CapabilitySet, UnshareFlags};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// The session's name of its host.
pub(crate) const HOST_NAME: &[u8] = b"bailiwick";

/// What the supervisor prepared before the fork.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) plan: Plan,
    pub(crate) sources: Vec<Pinned>,
    pub(crate) image: Image,
    /// The lists of system calls that hold.
    pub(crate) calls: seccomp::Table,
    /// The supervisor's namespaces: the session's must be others.
    pub(crate) outside: [u64; probe::NAMESPACES.len()],
    pub(crate) control: OwnedFd,
    pub(crate) reports: OwnedFd,
    /// The program's ends of its pipes.
    pub(crate) pipes: RefCell<[Option<OwnedFd>; 3]>,
    pub(crate) supervisor: Pid,
    /// Bounds of the session as a whole, where the host lends a control group.
    pub(crate) group: Option<Group>,
    /// What the warden has done so far, from just before its fork.
    pub(crate) timeline: RefCell<Timeline>,
}

impl Setup {
    fn done(&self, step: &'static str) {
        self.timeline.borrow_mut().done(step);
    }
}

/// A session whose walls stand.
#[derive(Debug)]
struct Built {
    init: Init,
    root: Root,
    /// The session's own procfs.
    process_files: OwnedFd,
    listeners: network::Listeners,
    observed: BTreeMap<Wall, Observation>,
    null: OwnedFd,
    gauge: Gauge,
    /// None where the kernel has no filters and the plan allows that.
    filter: Option<Vec<libc::sock_filter>>,
    /// The runner's, where the agent's lists are narrower than the probes need.
    runner_filter: Option<Vec<libc::sock_filter>>,
    /// Rules of the agent's own: with them it is in a domain below that of everything else inside.
    domain: Option<OwnedFd>,
    /// An abstract socket from before the walls; nobody inside may connect to it.
    outsider: Outsider,
}

/// The warden's part: never returns.
pub(crate) fn run(setup: &Setup) -> ! {
    let code = match hold(setup) {
        Ok(()) => 0,
        Err(error) => {
            let _gone = answer(setup, &Answer::Failed(error), &[]);
            1
        }
    };
    kernel::exit_now(code)
}

fn hold(setup: &Setup) -> Result<(), Error> {
    let null = hide(setup)?;
    setup.done("hide");
    let mut built = build(setup, null)?;
    let (runner, round) = probing::try_walls(setup, &mut built)?;
    announce(setup, &built, round)?;
    watch::serve(setup, built, runner)
}

/// Cuts every tie to the supervisor's terminal, memory and descriptors.
fn hide(setup: &Setup) -> Result<OwnedFd, Error> {
    if !role::die_with_parent(setup.supervisor) {
        return Err(Error::WardenLost);
    }
    role::scrub_arguments();
    role::hide_memory()?;
    let _cosmetic = rustix::thread::set_name(c"bailiwick-walls");
    rustix::process::setsid().map_err(Error::errno("leave the supervisor's terminal"))?;
    kernel::reset_signals();
    rustix::process::chdir(c"/").map_err(Error::errno("leave the working directory"))?;
    let mut kept: Vec<RawFd> = vec![setup.control.as_raw_fd(), setup.reports.as_raw_fd()];
    kept.extend(setup.pipes.borrow().iter().flatten().map(AsRawFd::as_raw_fd));
    kept.extend(setup.plan.pass.iter().map(|(fd, _)| fd.as_raw_fd()));
    if kept.iter().any(|fd| *fd < role::STANDARD_STREAMS) {
        return Err(Error::Order("standard input, output and error must be open when a session is started"));
    }
    role::close_others(kept, 0..role::STANDARD_STREAMS)?;
    rustix::fs::open(c"/dev/null", rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC, rustix::fs::Mode::empty())
        .map_err(Error::errno("open /dev/null"))
}

fn build(setup: &Setup, null: OwnedFd) -> Result<Built, Error> {
    let plan = &setup.plan;
    let mut observed = BTreeMap::new();
    // A group that cannot be entered bounds nothing: the trial sees that.
    let gauge = setup.group.as_ref().and_then(|group| group.enter().ok()).unwrap_or_default();
    setup.done("enter the control group");
    if !plan.is_away(Wall::Rlimits) {
        allow(plan, &mut observed, limits::keep_dumps_inside())?;
    }
    let offsets = identity::enter_namespaces(plan)?;
    for (wall, flag) in [
        (Wall::IpcNamespace, UnshareFlags::NEWIPC),
        (Wall::UtsNamespace, UnshareFlags::NEWUTS),
        (Wall::CgroupNamespace, UnshareFlags::NEWCGROUP),
    ] {
        if !plan.is_away(wall) {
            allow(plan, &mut observed, identity::enter_namespace(wall, flag))?;
        }
    }
    if !plan.is_away(Wall::TimeNamespace) {
        allow(plan, &mut observed, identity::enter_time_namespace(offsets))?;
    }
    if !plan.is_away(Wall::UtsNamespace) {
        // The probe of the name sees whether that was done.
        let _probed = rustix::system::sethostname(HOST_NAME);
    }
    setup.done("enter namespaces");
    // The warden alone is alive.
    let bounds_numbers = !gauge.bounds_processes(1, plan.limits.processes_max) && !plan.is_away(Wall::Rlimits);
    let (init, process_files) = init::start(bounds_numbers.then_some(plan.limits.processes_max))?;
    setup.done("start process 1");
    let listeners = door(plan, &mut observed)?;
    listening(setup, &listeners)?;
    let outsider = Outsider::listen()?;
    setup.done("build the network");
    let root = root::build(plan, &setup.sources, &process_files)?;
    setup.done("build the root");
    if !plan.is_away(Wall::NoCapabilities) {
        identity::drop_capabilities(CapabilitySet::SYS_PTRACE)?;
    }
    let mut domain = None;
    if !plan.is_away(Wall::Landlock) {
        let enforced = rules::enforce(plan, &root.host_proc).and_then(|()| rules::inner_domain(plan.landlock_abi()));
        allow(plan, &mut observed, enforced.map(|inner| domain = Some(inner)))?;
    }
    setup.done("restrict with Landlock");
    let filter = filter(setup, &mut observed)?;
    let runner_calls = setup.calls.widened();
    let is_narrow = filter.is_some() && runner_calls != setup.calls;
    let runner_filter = is_narrow.then(|| seccomp::build(&runner_calls, watched(plan)));
    setup.done("compile the filter");
    Ok(Built { init, root, process_files, listeners, observed, null, gauge, filter, runner_filter, domain, outsider })
}

fn filter(setup: &Setup, observed: &mut BTreeMap<Wall, Observation>) -> Result<Option<Vec<libc::sock_filter>>, Error> {
    let plan = &setup.plan;
    if plan.is_away(Wall::Seccomp) {
        return Ok(None);
    }
    if seccomp::is_available() {
        return Ok(Some(seccomp::build(&setup.calls, watched(plan))));
    }
    let missing = Error::WallMissing { wall: Wall::Seccomp, found: "no filters that ask a listener".to_owned() };
    if !plan.guards.is_empty() {
        // Nothing would keep the agent from what is guarded.
        return Err(missing);
    }
    allow(plan, observed, Err(missing))?;
    Ok(None)
}

/// What the warden is told of. Folders are listed without the warden where nothing is hidden.
pub(crate) fn watched(plan: &Plan) -> seccomp::Watched {
    let hides = plan.guards.iter().any(|guard| guard.kind == crate::guard::GuardKind::Hidden);
    let files = match (plan.observe_files && !plan.is_away(Wall::FileObservation), hides) {
        (false, _) => seccomp::Watch::Nothing,
        (true, false) => seccomp::Watch::Contents,
        (true, true) => seccomp::Watch::Listings,
    };
    seccomp::Watched { files, programs: plan.programs.observe }
}

fn door(plan: &Plan, observed: &mut BTreeMap<Wall, Observation>) -> Result<network::Listeners, Error> {
    if plan.is_away(Wall::NetNamespace) {
        // The host's network stays as it is.
        return Ok([const { None }; network::COUNT]);
    }
    network::raise_loopback()?;
    let Network::Door { gateway_port, proxy_port } = plan.network else {
        return Ok([const { None }; network::COUNT]);
    };
    if plan.is_away(Wall::DoorRedirect) {
        return network::listen(gateway_port, proxy_port);
    }
    let redirected = network::redirect_to_door().map_err(|error| Error::WallMissing { wall: Wall::DoorRedirect, found: error.to_string() });
    allow(plan, observed, redirected)?;
    network::listen(gateway_port, proxy_port)
}

/// Turns a missing wall into an observation where the plan allows it.
fn allow(plan: &Plan, observed: &mut BTreeMap<Wall, Observation>, result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(Error::WallMissing { wall, found }) if plan.danger_allow_missing.contains(&wall) || wall.is_optional() => {
            observed.insert(wall, Observation::Missing(schema::Token::lossy(&found)));
            Ok(())
        }
        other => other,
    }
}

/// Hands the door's sockets out: the door and the gateway can be made ready while the other walls rise.
fn listening(setup: &Setup, listeners: &network::Listeners) -> Result<(), Error> {
    let present = listeners.iter().map(Option::is_some).collect();
    let passed: Vec<BorrowedFd<'_>> = listeners.iter().flatten().map(AsFd::as_fd).collect();
    answer(setup, &Answer::Listening { present }, &passed)
}

fn announce(setup: &Setup, built: &Built, round: Round) -> Result<(), Error> {
    let mut passed: Vec<BorrowedFd<'_>> = vec![built.process_files.as_fd()];
    passed.extend(built.root.areas.iter().map(AsFd::as_fd));
    passed.extend(built.root.terminal.as_ref().map(|(master, _)| master.as_fd()));
    let timeline = setup.timeline.borrow().clone();
    answer(setup, &Answer::Ready { observed: built.observed.clone(), round, timeline }, &passed)
}

fn answer(setup: &Setup, answer: &Answer, passed: &[BorrowedFd<'_>]) -> Result<(), Error> {
    descriptors::send_fds(setup.control.as_fd(), &answer.encode(), passed)
}

/// A child inside the walls.
#[derive(Debug)]
struct Inmate {
    pid: Pid,
    pidfd: OwnedFd,
    /// Readable with what the child has to say; ends when it executes the program.
    status: OwnedFd,
    /// Arrives from the child once its filter stands.
    listener: Option<OwnedFd>,
    // The other end tells the child, by closing, that the warden is gone.
    handshake: OwnedFd,
}

impl Inmate {
    /// Lets the child go on behind its filter: whoever answers its calls is ready.
    fn go(&self) -> Result<(), Error> {
        descriptors::send_fds(self.handshake.as_fd(), b"+", &[])
    }
}

fn launch(setup: &Setup, built: &Built, goal: Goal<'_>) -> Result<Inmate, Error> {
    let (status, status_child) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(Error::errno("make a pipe"))?;
    let (handshake, handshake_child) = descriptors::socketpair_seqpacket()?;
    let is_agent = matches!(goal, Goal::Execute(_));
    let pipes = setup.pipes.take();
    let stream = |number: usize| match (setup.plan.stdio.get(number), pipes.get(number)) {
        (Some(Stdio::Terminal), _) if is_agent => built.root.terminal.as_ref().map(|(_, slave)| slave.as_fd()),
        (Some(Stdio::Pipe), Some(pipe)) if is_agent => pipe.as_ref().map(AsFd::as_fd),
        _ => None,
    };
    let streams = [0, 1, 2].map(|number| stream(number).unwrap_or(built.null.as_fd()));
    let domain = built.domain.as_ref().filter(|_| is_agent).map(AsFd::as_fd);
    let links = Links { status: status_child.as_fd(), handshake: handshake_child.as_fd(), domain };
    let table = Descriptors::new(&setup.plan, streams, links, is_agent)?;
    let limits = limits::table(&setup.plan.limits);
    let walls = Walls {
        limits: Some(&limits).filter(|_| !setup.plan.is_away(Wall::Rlimits)),
        filter: built.runner_filter.as_deref().filter(|_| !is_agent).or(built.filter.as_deref()),
        drops_capabilities: !setup.plan.is_away(Wall::NoCapabilities),
        gains_nothing: !setup.plan.is_away(Wall::NoNewPrivileges),
    };
    let forked = kernel::fork().map_err(Error::system("fork the agent"))?;
    let Fork::Parent(pid) = forked else { become_child(&table, &walls, goal) };
    if !is_agent {
        setup.pipes.replace(pipes);
    }
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(Error::errno("open the agent's process"))?;
    // From here on only the child holds its ends: their closing tells that it is gone.
    drop((table, status_child, handshake_child));
    let mut inmate = Inmate { pid, pidfd, status, listener: None, handshake };
    if built.filter.is_some() {
        let arrived = descriptors::recv_fds(inmate.handshake.as_fd(), &mut [0_u8; 8])?.descriptors.into_iter().next();
        inmate.listener = Some(arrived.ok_or_else(|| failed_child(setup, &inmate))?);
    }
    Ok(inmate)
}

/// Why a child ended before its filter stood.
fn failed_child(setup: &Setup, inmate: &Inmate) -> Error {
    let mut message = [0_u8; 8];
    let length = rustix::io::retry_on_intr(|| rustix::io::read(&inmate.status, &mut message)).unwrap_or_default();
    failed_step(setup, message.get(..length).unwrap_or_default())
}

/// A step of the child that failed, as an error.
fn failed_step(setup: &Setup, message: &[u8]) -> Error {
    let (step, number) = match message {
        [step, rest @ ..] => (*step, <[u8; 4]>::try_from(rest).map_or(libc::EIO, i32::from_ne_bytes)),
        [] => (0, libc::EIO),
    };
    let path = if step == Step::Folder as u8 { &setup.plan.cwd } else { &setup.plan.program };
    Error::Path { attempt: Step::attempt(step).into(), path: path.clone(), source: std::io::Error::from_raw_os_error(number) }
}

fn decode_request(bytes: &[u8]) -> Result<Request, Error> {
    Request::decode(bytes).ok_or(Error::Message { problem: "the supervisor's request is unknown" })
}
