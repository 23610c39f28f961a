//! Answers the calls that the filter hands to the warden: opens files for the agent, refuses what is not on the list, reports both.
//!
//! A call that opens a file is never let through to be carried out by the kernel itself: another thread of the agent could swap the path between the look
//! and the act. The warden opens the file, reports where the descriptor leads, and then hands it over. It does so one call at a time and in
//! its own process: a process that made a pid namespace can have no threads, and a process inside would be in the agent's reach.

mod attempt;
mod change;
mod connect;
mod dumps;
mod exec;
mod guarded;
#[cfg(any(test, fuzzing))]
pub(crate) mod hostile;
mod masked;
mod request;
mod target;
mod trace;
mod waiting;
mod walk;
mod watch;

use crate::guard::Guards;
use crate::programs::Programs;
use crate::report::Journal;
use crate::root::Root;
use crate::seccomp::{self, Listener, Notification, Reply, Rule};
use crate::{Error, kernel};
use attempt::{Attempt, Outcome};
use connect::Knock;
use guarded::Lent;
use request::{How, Request, low_unsigned};
use rustix::event::Timespec;
use rustix::fs::{MemfdFlags, OFlags};
use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets};
use schema::event::FileMode;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use target::{Target, TaskFolder, own, path_of};
use trace::Tracer;
use waiting::{Goal, Side, Waiting};
use walk::Failure;

/// Where a missing file tells nothing about the agent: libraries and settings are looked for in many places.
const SYSTEM: [&str; 9] = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/proc", "/sys", "/dev"];
/// `MFD_NOEXEC_SEAL` and `MFD_EXEC` (Linux 6.3).
const NOT_EXECUTABLE: u32 = 8;
const EXECUTABLE: u32 = 16;

/// Answers for as long as it is asked to.
#[derive(Debug)]
pub(crate) struct Opener {
    listener: Listener,
    journal: Journal,
    host_proc: OwnedFd,
    task_folder: TaskFolder,
    /// Device numbers of the file systems in which the session's own sockets have their names.
    devices: Vec<u64>,
    second_places: Vec<(PathBuf, PathBuf)>,
    waiting: Waiting,
    /// What the agent may ask for.
    calls: seccomp::Table,
    guards: Guards,
    fixed: Vec<PathBuf>,
    file_bytes_max: u64,
    programs: Programs,
    tracer: Tracer,
}

impl Opener {
    /// Makes this process open files exactly as the agent would: no capability in effect, a file mode mask of its own.
    pub(crate) fn new(listener: OwnedFd, journal: Journal, root: &Root, programs: &Programs, calls: seccomp::Table) -> Result<Self, Error> {
        kernel::unshare(rustix::thread::UnshareFlags::FS).map_err(Error::errno("separate the warden's file mode mask"))?;
        raise(CapabilitySet::empty()).map_err(Error::errno("lower the warden's capability"))?;
        let host_proc = root.host_proc.try_clone().map_err(Error::system("keep the host's /proc"))?;
        let devices = root.devices.clone();
        let (guards, fixed, file_bytes_max) = (root.guards.clone(), root.fixed.clone(), root.file_bytes_max);
        Ok(Self {
            listener: Listener::new(listener),
            journal,
            host_proc,
            task_folder: TaskFolder::default(),
            devices,
            second_places: root.second_places.clone(),
            waiting: Waiting::default(),
            calls,
            programs: programs.clone(),
            tracer: Tracer::default(),
            guards,
            fixed,
            file_bytes_max,
        })
    }

    /// From now on programs may be executed: by the agent, whose number this is, and by what it starts.
    pub(crate) fn trace(&mut self, agent: rustix::process::Pid) -> Result<(), Error> {
        self.tracer = Tracer::new(agent.as_raw_pid())?;
        Ok(())
    }

    /// Readable when [`Opener::attend`] is to be called.
    pub(crate) fn stops(&self) -> Option<BorrowedFd<'_>> {
        self.tracer.descriptor()
    }

    /// Whether [`Opener::attend`] is to be called although nothing is readable.
    pub(crate) fn is_stirred(&self) -> bool {
        self.tracer.is_stirred()
    }

    /// Waits for one call and answers it. An error is one of the warden's: the session cannot go on.
    pub(crate) fn answer_one(&mut self) -> Result<(), Error> {
        let received = self.listener.receive().map_err(Error::system("take a call of the agent"))?;
        received.map_or(Ok(()), |call| self.answer(&call))
    }

    fn answer(&mut self, call: &Notification) -> Result<(), Error> {
        match self.calls.rule(call.number) {
            Some(Rule::Open(_)) => self.open(call),
            Some(Rule::Change(_)) => self.change(call),
            Some(Rule::Make) => self.make(call),
            Some(Rule::Connect) => self.connect(call),
            Some(Rule::Execute) => self.execute(call),
            Some(Rule::Trace | Rule::Tell) => self.observe(call),
            Some(Rule::Watch) => self.watch(call),
            Some(Rule::When(..)) => match dumps::wanted(call) {
                Some(limit) => self.keep_from_dumps(call, limit),
                None => self.refuse(call),
            },
            Some(Rule::Allow | Rule::Refuse | Rule::RefuseAbsent) | None => self.refuse(call),
        }
    }

    /// Looks after calls that wait for something; to be called again after [`Opener::patience`].
    pub(crate) fn tend(&mut self) -> Result<(), Error> {
        for call in self.waiting.tend(&self.listener) {
            if let Goal::Open(how, file) = &call.goal {
                self.hand_over(call.id, *how, file)?;
            }
        }
        self.look_after_unconfirmed()
    }

    /// How long [`Opener::tend`] may be left out; none if nothing waits.
    pub(crate) fn patience(&self) -> Option<Timespec> {
        self.waiting.patience().or((!self.tracer.unconfirmed.is_empty()).then_some(waiting::PERIOD))
    }

    /// What was reported so far.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Tells what was counted and not told yet.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        self.journal.settle()
    }

    /// Forgets what a trial was told.
    pub(crate) fn begin_trial(&mut self) {
        self.journal = Journal::trial();
    }

    fn target(&self, task: i32) -> Target<'_> {
        Target { host_proc: self.host_proc.as_fd(), folder: &self.task_folder, task }
    }

    fn refuse(&mut self, call: &Notification) -> Result<(), Error> {
        self.journal.call(call.full)?;
        self.listener.reply(call.id, &Reply::Error(self.calls.refusal(call.number, &call.arguments)));
        Ok(())
    }

    /// A file in memory: made here, so that it cannot be executed.
    fn make(&mut self, call: &Notification) -> Result<(), Error> {
        let [name, flags, ..] = call.arguments;
        let flags = low_unsigned(flags);
        if flags & EXECUTABLE != 0 {
            return self.refuse(call);
        }
        let target = self.target(call.task);
        let made = target.text(name).and_then(|name| {
            let make = |flags: u32| rustix::fs::memfd_create(name.as_c_str(), MemfdFlags::from_bits_retain(flags | libc::MFD_CLOEXEC));
            // A kernel that does not know the flag does not know how to keep the file from being executed either.
            make(flags | NOT_EXECUTABLE).or_else(|errno| if errno == Errno::INVAL { make(flags) } else { Err(errno) })
        });
        match made {
            Ok(file) => self.listener.reply(call.id, &Reply::Descriptor(file.as_fd(), flags & libc::MFD_CLOEXEC != 0)),
            Err(errno) => self.listener.reply(call.id, &Reply::Error(errno.raw_os_error())),
        }
        Ok(())
    }

    fn open(&mut self, call: &Notification) -> Result<(), Error> {
        let target = self.target(call.task);
        let read = Request::read(call, target).and_then(|request| {
            let base = if request.is_relative() { Some(target.base(request.folder)?) } else { None };
            Ok((request, base))
        });
        let (request, base) = match read {
            Ok(read) => read,
            Err(errno) => {
                self.fail(call.id, errno);
                return Ok(());
            }
        };
        // Everything about the caller was read while it still was the caller.
        if !self.listener.is_valid(call.id) {
            return Ok(());
        }
        if request.how.lends_rights() {
            return self.refuse(call);
        }
        let attempt = Attempt { target, request: &request, base: base.as_ref() };
        let outcome = match self.admit(&attempt) {
            Ok(()) => attempt.open(),
            Err(Failure { errno: Errno::ACCESS, place: Some(place) }) => {
                self.journal.refused(&place, FileMode::Write, libc::EACCES)?;
                self.fail(call.id, Errno::ACCESS);
                return Ok(());
            }
            Err(failure) => Outcome::Failed(failure),
        };
        match outcome {
            Outcome::Opened(file) => self.hand_over(call.id, request.how, &file),
            Outcome::Waits(file) => self.wait(call.id, request.how, file),
            Outcome::Failed(failure) => {
                let asked = asked(self.host_proc.as_fd(), base.as_ref(), &request);
                let failure = self.of_hidden(failure, &asked);
                self.note(&asked, failure.place.as_deref(), request.how, failure.errno)?;
                self.fail(call.id, failure.errno);
                Ok(())
            }
        }
    }

    /// Connects a socket, in a process of its own where the other end lets it wait.
    fn connect(&mut self, call: &Notification) -> Result<(), Error> {
        let target = self.target(call.task);
        let read = Knock::read(call, target);
        if !self.listener.is_valid(call.id) {
            return Ok(());
        }
        let knock = match read.and_then(|knock| knock.admit(target, &self.devices)) {
            Ok(knock) => knock,
            Err(refusal) => {
                if let Some(path) = refusal.path {
                    self.journal.refused(&path, FileMode::ReadWrite, refusal.errno.raw_os_error())?;
                }
                self.fail(call.id, refusal.errno);
                return Ok(());
            }
        };
        if self.journal.socket().is_none() {
            // The probe's sockets do not wait.
            let result = knock.connect(self.host_proc.as_fd());
            return self.connected(call, &knock, result);
        }
        if let Some(result) = knock.at_once() {
            return self.connected(call, &knock, result);
        }
        self.task_folder.forget();
        let mut kept = vec![self.listener.as_fd(), self.host_proc.as_fd()];
        kept.extend(self.journal.socket());
        kept.extend(knock.descriptors());
        match self.waiting.start(&kept)? {
            Side::Full => self.fail(call.id, Errno::AGAIN),
            Side::Warden(helper) => self.waiting.keep(call.id, Goal::Connect, helper),
            Side::Helper => {
                self.journal.leave_counts();
                let result = knock.connect(self.host_proc.as_fd());
                let told = self.connected(call, &knock, result).and_then(|()| self.journal.settle());
                kernel::exit_now(i32::from(told.is_err()))
            }
        }
        Ok(())
    }

    fn connected(&mut self, call: &Notification, knock: &Knock, result: Result<(), Errno>) -> Result<(), Error> {
        let Err(errno) = result else {
            self.listener.reply(call.id, &Reply::Done);
            return Ok(());
        };
        if connect::is_refusal(errno) {
            match knock.path(self.host_proc.as_fd()) {
                Some(path) => self.journal.refused(&path, FileMode::ReadWrite, errno.raw_os_error())?,
                None => self.journal.call(call.full)?,
            }
        }
        self.fail(call.id, errno);
        Ok(())
    }

    fn fail(&self, id: u64, errno: Errno) {
        self.listener.reply(id, &Reply::Error(errno.raw_os_error()));
    }

    /// Reports a refusal if it tells something about the agent.
    fn note(&mut self, asked: &Path, place: Option<&Path>, how: How, errno: Errno) -> Result<(), Error> {
        let tells = match errno {
            Errno::ACCESS | Errno::PERM | Errno::ROFS => true,
            Errno::NOENT => !SYSTEM.iter().any(|folder| place.unwrap_or(asked).starts_with(folder)),
            _ => false,
        };
        if tells { self.journal.refused(asked, how.file_mode(), errno.raw_os_error()) } else { Ok(()) }
    }

    /// Reports a file and then hands it over.
    fn hand_over(&mut self, id: u64, how: How, file: &OwnedFd) -> Result<(), Error> {
        let path = finish(how, file).and_then(|()| if how.is_path() { Ok(None) } else { canonical(self.host_proc.as_fd(), file) });
        let lent = match path {
            Ok(Some(path)) => {
                let lent = match self.lend(&path, how, file) {
                    Ok(lent) => lent,
                    Err(errno) => {
                        self.journal.refused(&path, how.file_mode(), errno.raw_os_error())?;
                        self.fail(id, errno);
                        return Ok(());
                    }
                };
                if !self.journal.opened(&path, how.file_mode())? {
                    self.fail(id, Errno::NFILE);
                    return Ok(());
                }
                lent
            }
            Ok(None) => Lent::Itself,
            // What cannot be named in the evidence is not opened.
            Err(errno) => {
                self.fail(id, errno);
                return Ok(());
            }
        };
        let file = match &lent {
            Lent::Itself => file.as_fd(),
            Lent::Copy(copy) => copy.as_fd(),
        };
        self.listener.reply(id, &Reply::Descriptor(file, how.has(libc::O_CLOEXEC)));
        Ok(())
    }

    /// Opens a file that makes its opener wait, in a process of its own.
    fn wait(&mut self, id: u64, how: How, file: OwnedFd) -> Result<(), Error> {
        self.task_folder.forget();
        let mut kept = vec![self.listener.as_fd(), self.host_proc.as_fd(), file.as_fd()];
        kept.extend(self.journal.socket());
        match self.waiting.start(&kept)? {
            Side::Full => self.fail(id, Errno::NFILE),
            Side::Warden(helper) => self.waiting.keep(id, Goal::Open(how, file), helper),
            Side::Helper => {
                self.journal.leave_counts();
                let opened = kernel::open_how(self.host_proc.as_fd(), &own(file.as_fd()), &how.again());
                match opened.map(|opened| self.hand_over(id, how, &opened)) {
                    Ok(told) => kernel::exit_now(i32::from(told.and_then(|()| self.journal.settle()).is_err())),
                    Err(errno) => self.fail(id, errno),
                }
                kernel::exit_now(0)
            }
        }
        Ok(())
    }
}

impl AsFd for Opener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

/// The path as it was asked for, made absolute.
fn asked(host_proc: BorrowedFd<'_>, base: Option<&OwnedFd>, request: &Request) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let path = Path::new(std::ffi::OsStr::from_bytes(request.path.as_bytes()));
    match base.map(|base| path_of(host_proc, base.as_fd())) {
        Some(Ok(folder)) => folder.join(path.strip_prefix("/").unwrap_or(path)),
        Some(Err(_)) | None => path.to_owned(),
    }
}

/// Lets a descriptor that was opened without waiting wait from now on, unless that was asked for.
fn finish(how: How, file: &OwnedFd) -> Result<(), Errno> {
    if how.is_path() || how.has(libc::O_NONBLOCK) {
        return Ok(());
    }
    rustix::fs::fcntl_setfl(file, how.settable() & !OFlags::NONBLOCK)
}

/// Where a descriptor leads, as the session sees it; none for pipes and memory, which have no name.
fn canonical(host_proc: BorrowedFd<'_>, file: &OwnedFd) -> Result<Option<PathBuf>, Errno> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let path = path_of(host_proc, file.as_fd())?;
    if !path.is_absolute() {
        return Ok(None);
    }
    let bytes = path.as_os_str().as_bytes();
    match bytes.strip_suffix(b" (deleted)") {
        // The root cannot be written, so nothing else there begins like memory.
        Some(name) if name.starts_with(b"/memfd:") => Ok(None),
        Some(name) if rustix::fs::fstat(file)?.st_nlink == 0 => Ok(Some(std::ffi::OsString::from_vec(name.to_vec()).into())),
        Some(_) | None => Ok(Some(path)),
    }
}

/// Puts capabilities of the warden into effect, or (empty) out of it.
fn raise(effective: CapabilitySet) -> rustix::io::Result<()> {
    let sets = CapabilitySets { effective, permitted: CapabilitySet::SYS_PTRACE, inheritable: CapabilitySet::empty() };
    rustix::thread::set_capabilities(None, sets)
}
