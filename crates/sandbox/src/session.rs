use crate::agent::Image;
use crate::cgroup::Group;
use crate::kernel::Fork;
use crate::message::{Answer, BYTES_MAX, Request};
use crate::meter::Meter;
use crate::plan::Limits;
use crate::probe::Round;
use crate::role::Child;
use crate::root::Pinned;
use crate::warden::{self, Setup};
use crate::{Error, Observation, Plan, Stdio, Timeline, Wall, descriptors, guard, kernel, network, probe, profile, root, seccomp};
use rustix::pipe::{PipeFlags, pipe_with};
use std::collections::BTreeMap;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// The sockets by which a session's network leads out: made inside, served from outside. A session without a door has none.
#[derive(Debug, Default)]
pub struct DoorSockets {
    /// 127.0.0.1 at the gateway's port, inside.
    pub gateway: Option<TcpListener>,
    /// 127.0.0.1 at the proxy's port, inside.
    pub proxy: Option<TcpListener>,
    /// Every other IPv4 TCP connection.
    pub redirect_v4: Option<TcpListener>,
    /// Every other IPv6 TCP connection (none on a host without IPv6).
    pub redirect_v6: Option<TcpListener>,
    /// Name queries by UDP over IPv4, to any address.
    pub dns_udp_v4: Option<UdpSocket>,
    /// Name queries by UDP over IPv6, to any address.
    pub dns_udp_v6: Option<UdpSocket>,
    /// Name queries by TCP over IPv4, to any address.
    pub dns_tcp_v4: Option<TcpListener>,
    /// Name queries by TCP over IPv6, to any address.
    pub dns_tcp_v6: Option<TcpListener>,
}

/// A session whose walls stand and whose agent has not started.
#[derive(Debug)]
pub struct Ready {
    /// What each wall did when it was tried from inside.
    pub observed: BTreeMap<Wall, Observation>,
    /// What came of each probe.
    pub round: Round,
    /// What the walls are made of, as bytes that are the same for the same walls: the compiled filter, Landlock's rights, the mounts.
    pub profile: Vec<u8>,
    /// The master of the session's terminal.
    pub terminal: Option<OwnedFd>,
    /// Write end of the program's standard input, if it is a pipe.
    pub stdin: Option<OwnedFd>,
    /// Read end of the program's standard output, if it is a pipe.
    pub stdout: Option<OwnedFd>,
    /// Read end of the program's standard error, if it is a pipe.
    pub stderr: Option<OwnedFd>,
    /// Tells what the session uses.
    pub meter: Meter,
    /// One report (file opened, file refused, system call refused) a datagram. When it is full, the agent stands still.
    pub reports: OwnedFd,
    /// When the warden's steps were done.
    pub timeline: Timeline,
}

/// The process that holds the walls, seen from the supervisor. Dropping it ends the session.
#[derive(Debug)]
pub struct Warden {
    child: Child,
    control: OwnedFd,
    reports: Option<OwnedFd>,
    pipes: [Option<OwnedFd>; 3],
    terminal: Option<OwnedFd>,
    is_listening: bool,
    is_ready: bool,
    group: Option<Group>,
    /// Where the private areas stand, in the plan's order.
    areas: Vec<PathBuf>,
    profile: Vec<u8>,
}

/// Starts the warden. Must be called before this process starts a second thread.
///
/// # Errors
/// [`Error::Threaded`]; [`Error::Plan`] for a plan that contradicts itself; [`Error::Path`] for a source that is not there;
/// [`Error::System`].
pub fn spawn(mut plan: Plan) -> Result<Warden, Error> {
    if !kernel::is_single_threaded().map_err(Error::system("count this process's threads"))? {
        return Err(Error::Threaded);
    }
    root::check(&plan)?;
    plan.guards.extend(guard::behind_links(&plan));
    let sources = plan.mounts.iter().map(Pinned::pin).collect::<Result<_, _>>()?;
    let image = Image::new(&plan)?;
    let calls = seccomp::Table::new(&plan.calls)?;
    let (control, control_warden) = descriptors::socketpair_seqpacket()?;
    let (reports, reports_warden) = descriptors::socketpair_seqpacket()?;
    let (pipes, pipes_warden) = pipes(&plan)?;
    let areas = plan.private.iter().map(|area| area.path.clone()).collect();
    let mut setup = Setup {
        group: Group::make(&group_limits(&plan)),
        plan,
        sources,
        image,
        calls,
        outside: probe::namespaces(),
        control: control_warden,
        reports: reports_warden,
        pipes: pipes_warden.into(),
        supervisor: rustix::process::getpid(),
        timeline: Timeline::begin().into(),
    };
    match kernel::fork().map_err(Error::system("fork the warden"))? {
        Fork::Child => warden::run(&setup),
        Fork::Parent(pid) => {
            let (child, group) = (Child::open(pid)?, setup.group.take());
            // The walls rise beside this.
            let profile = profile::describe(&setup.plan, &setup.calls);
            Ok(Warden {
                child,
                control,
                reports: Some(reports),
                pipes,
                terminal: None,
                is_listening: false,
                is_ready: false,
                group,
                areas,
                profile,
            })
        }
    }
}

/// The bounds of the session's control group.
fn group_limits(plan: &Plan) -> Limits {
    if plan.is_away(Wall::Cgroup) { Limits { processes_max: 1 << 21, memory_bytes_max: 1 << 60, ..plan.limits } } else { plan.limits }
}

type Pipes = [Option<OwnedFd>; 3];

/// Our ends and the program's ends of the pipes that the plan asks for.
fn pipes(plan: &Plan) -> Result<(Pipes, Pipes), Error> {
    let (mut ours, mut theirs) = ([const { None }; 3], [const { None }; 3]);
    for (number, _) in plan.stdio.iter().enumerate().filter(|(_, kind)| **kind == Stdio::Pipe) {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(Error::errno("make a pipe"))?;
        let (our, their) = if number == 0 { (write, read) } else { (read, write) };
        for (list, end) in [(&mut ours, our), (&mut theirs, their)] {
            if let Some(place) = list.get_mut(number) {
                *place = Some(end);
            }
        }
    }
    Ok((ours, theirs))
}

impl Warden {
    /// Waits until the session's network stands, which is before the other walls do. What comes to these sockets before [`Warden::ready`]
    /// are the probes: none may be accepted until then.
    ///
    /// # Errors
    /// [`Error::Order`] if it was asked for before; otherwise as [`Warden::ready`].
    pub fn door_sockets(&mut self) -> Result<DoorSockets, Error> {
        const AGAIN: Error = Error::Order("the door's sockets were handed out before");
        if self.is_listening {
            return Err(AGAIN);
        }
        let (answer, mut passed) = self.answer()?;
        let Answer::Listening { present } = answer else { return Err(AGAIN) };
        self.is_listening = true;
        passed.reverse();
        let mut listeners: network::Listeners = [const { None }; network::COUNT];
        for (place, _) in listeners.iter_mut().zip(&present).filter(|(_, present)| **present) {
            *place = passed.pop();
        }
        let [gateway, proxy, redirect_v4, redirect_v6, dns_udp_v4, dns_udp_v6, dns_tcp_v4, dns_tcp_v6] = listeners;
        Ok(DoorSockets {
            gateway: gateway.map(TcpListener::from),
            proxy: proxy.map(TcpListener::from),
            redirect_v4: redirect_v4.map(TcpListener::from),
            redirect_v6: redirect_v6.map(TcpListener::from),
            dns_udp_v4: dns_udp_v4.map(UdpSocket::from),
            dns_udp_v6: dns_udp_v6.map(UdpSocket::from),
            dns_tcp_v4: dns_tcp_v4.map(TcpListener::from),
            dns_tcp_v6: dns_tcp_v6.map(TcpListener::from),
        })
    }

    /// Waits until the walls stand and the probes ran. The agent has not started.
    ///
    /// # Errors
    /// [`Error::WallMissing`] if a required wall is missing or did not hold; [`Error::WardenLost`]; whatever failed inside.
    pub fn ready(&mut self) -> Result<Ready, Error> {
        if !self.is_listening {
            // Nobody serves them.
            drop(self.door_sockets()?);
        }
        let (answer, mut passed) = self.answer()?;
        let Answer::Ready { observed, round, timeline } = answer else { return Err(Error::Order("the warden was ready before")) };
        let reports = self.reports.take().ok_or(Error::Order("the warden was ready before"))?;
        passed.reverse();
        let lost = || Error::Message { problem: "a descriptor is missing" };
        let processes = passed.pop().ok_or_else(lost)?;
        let areas = std::mem::take(&mut self.areas);
        let areas = areas.into_iter().map(|path| passed.pop().map(|area| (path, area))).collect::<Option<Vec<_>>>().ok_or_else(lost)?;
        let counters = self.group.as_ref().filter(|_| observed.get(&Wall::Cgroup) == Some(&Observation::Held)).map(Group::counters);
        let meter = Meter::new(&processes, areas, counters)?;
        let terminal = passed.pop();
        self.terminal = terminal.as_ref().map(OwnedFd::try_clone).transpose().map_err(Error::system("keep the terminal"))?;
        self.is_ready = true;
        let [stdin, stdout, stderr] = std::mem::take(&mut self.pipes);
        Ok(Ready { observed, round, profile: std::mem::take(&mut self.profile), terminal, stdin, stdout, stderr, meter, reports, timeline })
    }

    /// Starts the agent; returns when its program runs.
    ///
    /// # Errors
    /// [`Error::Order`] before [`Warden::ready`]; [`Error::Path`] if the program could not be executed; [`Error::WardenLost`].
    pub fn release(&mut self) -> Result<(), Error> {
        if !self.is_ready {
            return Err(Error::Order("the agent cannot be released before its walls stand"));
        }
        self.ask(Request::Release).map_err(|_| Error::WardenLost)?;
        match self.answer()?.0 {
            Answer::Started => Ok(()),
            Answer::Listening { .. } | Answer::Ready { .. } | Answer::Exited(_) | Answer::Breached | Answer::Failed(_) => {
                Err(Error::Message { problem: "it is not what was asked for" })
            }
        }
    }

    /// Sends a signal to the agent's process group.
    pub fn signal(&self, signal: i32) {
        // A session that is over needs no signal.
        let _over = self.ask(Request::Signal(signal));
    }

    /// Tells the session's terminal its new size.
    pub fn resize(&self, rows: u16, cols: u16) {
        if let Some(terminal) = &self.terminal {
            let size = rustix::termios::Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
            // A terminal that is gone has no size.
            let _over = rustix::termios::tcsetwinsize(terminal, size);
        }
    }

    /// Ends the session and everything in it at once.
    pub fn kill(&self) {
        self.child.kill();
    }

    /// Waits for the agent's end and that of everything it left behind; returns its exit code (128 + signal number). The warden itself may
    /// still be on its way out then, which takes the kernel some time: dropping this waits for it.
    ///
    /// # Errors
    /// [`Error::WardenLost`] if the warden was killed.
    pub fn wait(&mut self) -> Result<i32, Error> {
        let answer = self.answer();
        if let Ok((Answer::Exited(code), _)) = answer {
            return Ok(code);
        }
        self.child.wait()?;
        match answer?.0 {
            Answer::Exited(code) => Ok(code),
            Answer::Breached => Err(Error::WardenLost),
            Answer::Started | Answer::Listening { .. } | Answer::Ready { .. } | Answer::Failed(_) => {
                Err(Error::Message { problem: "it is not an exit code" })
            }
        }
    }

    /// Readable when the warden has something to say: that its session is over, or that a wall was breached.
    pub fn control(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }

    /// Whether the warden says that a probe got through. Everything inside stands still then, for good.
    pub fn is_breached(&self) -> bool {
        let mut buffer = [0_u8; BYTES_MAX];
        let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
        let said = rustix::net::recv(&self.control, &mut buffer, flags).map_or(0, |(_, length)| length);
        matches!(Answer::decode(buffer.get(..said).unwrap_or_default()), Ok(Answer::Breached))
    }

    /// Readable when the session is over.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.child.pidfd()
    }

    fn ask(&self, request: Request) -> Result<(), Error> {
        descriptors::send_fds(self.control.as_fd(), &request.encode(), &[])
    }

    fn answer(&self) -> Result<(Answer, Vec<OwnedFd>), Error> {
        let mut buffer = [0_u8; BYTES_MAX];
        let received = descriptors::recv_fds(self.control.as_fd(), &mut buffer)?;
        if received.bytes == 0 {
            return Err(Error::WardenLost);
        }
        match Answer::decode(buffer.get(..received.bytes).unwrap_or_default())? {
            Answer::Failed(error) => Err(error),
            answer @ (Answer::Listening { .. } | Answer::Ready { .. } | Answer::Started | Answer::Breached | Answer::Exited(_)) => {
                Ok((answer, received.descriptors))
            }
        }
    }
}

impl Drop for Warden {
    fn drop(&mut self) {
        self.child.kill();
        // Nothing is left to be told.
        let _ended = self.child.wait();
    }
}
