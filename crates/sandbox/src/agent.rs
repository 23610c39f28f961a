//! The agent's process: everything is computed before the fork; between fork and exec there are only system calls.

use crate::limits::Table;
use crate::plan::{Plan, Stdio};
use crate::probe::{self, Scene};
use crate::{Error, kernel};
use rustix::process::Signal;
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::ffi::{CString, OsStr, c_char};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;

/// A program's name, arguments and environment as the kernel takes them.
#[derive(Debug)]
pub(crate) struct Image {
    program: CString,
    cwd: CString,
    arguments: Strings,
    environment: Strings,
}

#[derive(Debug)]
struct Strings {
    // Keeps alive what `pointers` lead to.
    _owned: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl Strings {
    fn new(owned: Vec<CString>) -> Self {
        let pointers = owned.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect();
        Self { _owned: owned, pointers }
    }
}

impl Image {
    /// Refuses texts with a NUL byte.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Error> {
        let arguments = plan.args.iter().map(|text| c_text(text)).collect::<Result<_, _>>()?;
        let environment = plan.env.iter().map(|(name, value)| {
            let mut text = name.clone();
            text.push("=");
            text.push(value);
            c_text(&text)
        });
        Ok(Self {
            program: c_text(plan.program.as_os_str())?,
            cwd: c_text(plan.cwd.as_os_str())?,
            arguments: Strings::new(arguments),
            environment: Strings::new(environment.collect::<Result<_, _>>()?),
        })
    }
}

fn c_text(text: &OsStr) -> Result<CString, Error> {
    CString::new(text.as_bytes()).map_err(|_| Error::Plan { problem: "a text has a NUL byte", path: std::path::PathBuf::new() })
}

/// Descriptors of the new process, each already moved above every target number.
#[derive(Debug)]
pub(crate) struct Descriptors {
    /// Source and target of each.
    pub(crate) moves: Vec<(RawFd, RawFd)>,
    gaps: Vec<(u32, u32)>,
    /// Keeps the sources alive.
    _sources: Vec<OwnedFd>,
    /// The number of a standard stream that is the terminal.
    terminal: Option<RawFd>,
    /// Where the child tells which step failed.
    status: OwnedFd,
    /// Where the child hands over its seccomp listener and waits for the go.
    handshake: OwnedFd,
    /// Landlock rules that hold for this child alone.
    domain: Option<OwnedFd>,
}

/// What a new process is linked to the warden by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links<'a> {
    /// Where it tells which step failed.
    pub(crate) status: BorrowedFd<'a>,
    /// Where it hands over its listener, waits for the go, and is commanded.
    pub(crate) handshake: BorrowedFd<'a>,
    /// The rules of a Landlock domain that it enters.
    pub(crate) domain: Option<BorrowedFd<'a>>,
}

impl Descriptors {
    /// Plans the moves: standard streams first, then what the plan passes on. Everything else is closed.
    pub(crate) fn new(plan: &Plan, streams: [BorrowedFd<'_>; 3], links: Links<'_>, is_agent: bool) -> Result<Self, Error> {
        let above = plan.pass.iter().map(|(_, target)| *target).max().unwrap_or(2).max(2) + 1;
        let lift = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, above).map_err(Error::errno("move a descriptor"));
        let (mut moves, mut sources) = (Vec::new(), Vec::new());
        for (fd, target) in streams.into_iter().zip(0..) {
            let source = lift(fd)?;
            moves.push((source.as_raw_fd(), target));
            sources.push(source);
        }
        for (fd, target) in &plan.pass {
            let source = lift(std::os::fd::AsFd::as_fd(fd))?;
            moves.push((source.as_raw_fd(), *target));
            sources.push(source);
        }
        let (status, handshake, domain) = (lift(links.status)?, lift(links.handshake)?, links.domain.map(lift).transpose()?);
        let mut kept: Vec<RawFd> = moves.iter().map(|(_, target)| *target).collect();
        kept.extend([status.as_raw_fd(), handshake.as_raw_fd()]);
        kept.extend(domain.as_ref().map(AsRawFd::as_raw_fd));
        let gaps = gaps(kept);
        let terminal = (0..).zip(&plan.stdio).find(|(_, kind)| is_agent && **kind == Stdio::Terminal).map(|(number, _)| number);
        Ok(Self { moves, gaps, _sources: sources, terminal, status, handshake, domain })
    }
}

/// Ranges of numbers between and after those that are kept.
pub(crate) fn gaps(mut kept: Vec<RawFd>) -> Vec<(u32, u32)> {
    kept.sort_unstable();
    kept.dedup();
    let mut ranges = Vec::new();
    let mut next = 0_u32;
    for fd in kept.into_iter().filter_map(|fd| u32::try_from(fd).ok()) {
        if fd > next {
            ranges.push((next, fd - 1));
        }
        next = fd + 1;
    }
    ranges.push((next, u32::MAX));
    ranges
}

/// Which step of the child failed; sent with the error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Step {
    Session = 1,
    Descriptors,
    Folder,
    Limits,
    Privileges,
    Filter,
    Execute,
}

impl Step {
    /// What was attempted.
    pub(crate) fn attempt(code: u8) -> &'static str {
        match code {
            1 => "make the agent's session",
            2 => "hand descriptors to the agent",
            3 => "enter the working directory",
            4 => "set the agent's limits",
            5 => "drop the agent's privileges",
            6 => "install the system call filter",
            _ => "execute the program",
        }
    }
}

/// What becomes of the child once its walls stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal<'a> {
    /// Execute the program.
    Execute(&'a Image),
    /// Try the walls, whenever the warden asks for it.
    Probe(&'a Scene),
}

/// The walls that a process takes on itself; those that are not there are `None` or false.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walls<'a> {
    pub(crate) limits: Option<&'a Table>,
    pub(crate) filter: Option<&'a [libc::sock_filter]>,
    pub(crate) drops_capabilities: bool,
    pub(crate) gains_nothing: bool,
}

/// The child's part: never returns. No allocation, no lock, no panic.
pub(crate) fn become_child(descriptors: &Descriptors, walls: &Walls<'_>, goal: Goal<'_>) -> ! {
    let failed = match prepare(descriptors, walls, goal) {
        Ok(()) => match goal {
            Goal::Execute(image) => (Step::Execute, execute(image)),
            Goal::Probe(scene) => {
                probe::serve(scene, &descriptors.handshake);
                kernel::exit_now(0)
            }
        },
        Err(failed) => failed,
    };
    let mut message = [failed.0 as u8, 0, 0, 0, 0];
    for (to, from) in message.iter_mut().skip(1).zip(failed.1.to_ne_bytes()) {
        *to = from;
    }
    let _lost = rustix::io::write(&descriptors.status, &message);
    kernel::exit_now(127)
}

type Failed = (Step, i32);

fn prepare(descriptors: &Descriptors, walls: &Walls<'_>, goal: Goal<'_>) -> Result<(), Failed> {
    let at = |step: Step| move |errno: rustix::io::Errno| (step, errno.raw_os_error());
    let io = |step: Step| move |error: std::io::Error| (step, error.raw_os_error().unwrap_or(0));
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(at(Step::Session))?;
    // Only who takes a terminal needs a session of its own. Else the agent stays in the warden's: the kernel shares processors out among
    // sessions, and a call that is answered within one need not wake another processor. Either way it has a process group of its own.
    if descriptors.terminal.is_some() {
        rustix::process::setsid().map_err(at(Step::Session))?;
    } else {
        rustix::process::setpgid(None, None).map_err(at(Step::Session))?;
    }
    for (source, target) in &descriptors.moves {
        kernel::duplicate_to(*source, *target).map_err(io(Step::Descriptors))?;
    }
    for (first, last) in &descriptors.gaps {
        kernel::close_range(*first, *last).map_err(io(Step::Descriptors))?;
    }
    if let Some(number) = descriptors.terminal {
        kernel::take_terminal(number).map_err(io(Step::Session))?;
    }
    if let Goal::Execute(image) = goal {
        rustix::process::chdir(image.cwd.as_c_str()).map_err(at(Step::Folder))?;
    }
    for (resource, limit) in walls.limits.into_iter().flatten() {
        rustix::process::setrlimit(*resource, *limit).map_err(at(Step::Limits))?;
    }
    kernel::reset_signals();
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    give_up(walls).map_err(at(Step::Privileges))?;
    if let Some(domain) = &descriptors.domain {
        kernel::enter_domain(domain.as_raw_fd()).map_err(io(Step::Privileges))?;
    }
    if matches!(goal, Goal::Execute(_)) {
        // No program of the agent's exists yet; the opener must be able to read this process's arguments, and to trace it.
        let readable = rustix::process::DumpableBehavior::Dumpable;
        rustix::process::set_dumpable_behavior(readable).map_err(at(Step::Privileges))?;
    }
    if let Some(filter) = walls.filter {
        kernel::install_and_hand_over(filter, &descriptors.handshake).map_err(io(Step::Filter))?;
    }
    Ok(())
}

fn give_up(walls: &Walls<'_>) -> rustix::io::Result<()> {
    if walls.drops_capabilities {
        let none = CapabilitySet::empty();
        rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    }
    if walls.gains_nothing {
        rustix::thread::set_no_new_privs(true)?;
    }
    Ok(())
}

fn execute(image: &Image) -> i32 {
    // SAFETY: `program` is a C string; both arrays end with null and lead to C strings that `image` keeps alive.
    unsafe { libc::execve(image.program.as_ptr(), image.arguments.pointers.as_ptr(), image.environment.pointers.as_ptr()) };
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}
