//! Executing a program. Its path stands in the agent's memory, where another thread can swap it between the look and the act, and the
//! kernel can be given no file instead. So the warden looks first (most paths that shells try lead nowhere), traces the thread, lets the
//! kernel go on, and looks again at what *is* about to run, before its first instruction.

use super::attempt::Attempt;
use super::request::{Request, low, low_unsigned};
use super::target::{Target, able, own};
use super::trace::{Asked, Became, Executing, Tracer, kill};
use super::walk::Failure;
use super::{Opener, asked, canonical};
use crate::guard::{GuardKind, Standing};
use crate::programs::{FileIdentity, ProgramRefusal, first_place};
use crate::report::{Arguments, CallRequest, Execution, read_all};
use crate::seccomp::{Notification, Reply};
use crate::{Error, Layer};
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, accessat, fstat, openat};
use rustix::io::Errno;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The largest program: it is read as a whole, to be measured.
const EXECUTABLE_BYTES_MAX: u64 = 1 << 30;
/// More than the kernel lets arguments and environment have together (three quarters of 8 MiB).
const ARGUMENTS_BYTES_MAX: usize = 8 << 20;
/// Longest auxiliary vector, and its entry for the name by which a program was executed (getauxval(3)).
const AUXILIARY_BYTES_MAX: usize = 32 << 10;
const EXECUTED_NAME: u64 = 31;
/// Longest list of what is mapped before a program's first instruction, and how a file that has no name any more ends there (proc(5)).
const MAPS_BYTES_MAX: usize = 256 << 10;
const REMOVED: &[u8] = b" (deleted)";
/// How the kernel names a program that is executed by its descriptor.
const BY_DESCRIPTOR: &[u8] = b"/dev/fd/";

/// Why a program is not executed: what the caller gets, and what is told.
struct Refused {
    errno: Errno,
    told: Option<(PathBuf, ProgramRefusal)>,
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self { errno, told: None }
    }
}

/// A program that runs.
struct Running {
    file: OwnedFd,
    execution: Execution,
    refusal: Option<(PathBuf, ProgramRefusal)>,
}

impl Opener {
    /// Looks at what is to be executed, and lets the kernel execute it under the warden's eyes.
    pub(super) fn execute(&mut self, call: &Notification) -> Result<(), Error> {
        let target = self.target(call.task);
        let looked = self.look(call, target).and_then(|asked| Ok((asked, target.process()?)));
        if !self.listener.is_valid(call.id) {
            return Ok(());
        }
        match looked {
            // A trial executes nothing: as the kernel would say of arguments that are none.
            Ok(_) if self.journal.is_trial() => {
                self.fail(call.id, Errno::FAULT);
                Ok(())
            }
            Ok((asked, process)) => self.go_on(call, process, asked),
            Err(refused) => self.refuse_program(call.id, refused),
        }
    }

    fn look(&self, call: &Notification, target: Target<'_>) -> Result<Asked, Refused> {
        let [a, b, _, _, e, ..] = call.arguments;
        let (folder, path, flags) = match libc::c_long::from(call.number) {
            libc::SYS_execve => (libc::AT_FDCWD, target.text(a)?, 0),
            libc::SYS_execveat => (low(a), target.text(b)?, low(e)),
            _ => return Err(Errno::NOSYS.into()),
        };
        let refuse = |path: PathBuf, reason| Err(Refused { errno: Errno::ACCESS, told: Some((path, reason)) });
        let request = Request::object(folder, path, flags & libc::AT_SYMLINK_NOFOLLOW == 0);
        let (base, file) = if request.path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 {
            (None, target.base(folder)?)
        } else {
            let base = if request.is_relative() { Some(target.base(folder)?) } else { None };
            let found = Attempt { target, request: &request, base: base.as_ref() }.find(request.how);
            let file = match found {
                Err(Failure { errno: Errno::ACCESS | Errno::PERM, .. }) => {
                    return refuse(asked(self.host_proc.as_fd(), base.as_ref(), &request), ProgramRefusal::Unreadable);
                }
                found => found.map_err(|failure| failure.errno)?,
            };
            (base, file)
        };
        let stat = fstat(&file)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind.is_symlink() {
            return Err(Errno::LOOP.into());
        }
        if !kind.is_file() {
            return refuse(asked(self.host_proc.as_fd(), base.as_ref(), &request), ProgramRefusal::NotExecutable);
        }
        let Some(path) = self.place_of(&file)? else {
            return refuse(asked(self.host_proc.as_fd(), base.as_ref(), &request), ProgramRefusal::Nameless);
        };
        let identity = FileIdentity::of(&stat);
        match self.unfit(&path, &identity, file.as_fd()) {
            Some(reason) => refuse(path, reason),
            None => Ok(Asked { path, identity }),
        }
    }

    /// The one place where a file stands, by which it is listed and told; none for memory and pipes.
    fn place_of(&self, file: &OwnedFd) -> Result<Option<PathBuf>, Errno> {
        let path = canonical(self.host_proc.as_fd(), file)?;
        Ok(path.map(|path| first_place(&self.second_places, path)))
    }

    /// Why a file cannot or may not be executed.
    fn unfit(&self, path: &Path, identity: &FileIdentity, file: BorrowedFd<'_>) -> Option<ProgramRefusal> {
        let may = |access| accessat(&self.host_proc, own(file), access, AtFlags::EACCESS).is_ok();
        if !may(Access::EXEC_OK) {
            return Some(ProgramRefusal::NotExecutable);
        }
        if !may(Access::READ_OK) {
            return Some(ProgramRefusal::Unreadable);
        }
        self.forbidden(path, identity)
    }

    fn forbidden(&self, path: &Path, identity: &FileIdentity) -> Option<ProgramRefusal> {
        if self.is_kept(path) {
            return Some(ProgramRefusal::Unreadable);
        }
        if identity.bytes > EXECUTABLE_BYTES_MAX { Some(ProgramRefusal::TooLarge) } else { self.programs.refusal(path, identity) }
    }

    /// Whether a file's content is kept from the agent. What the user hides or masks after the start has no cover: the guards alone know.
    fn is_kept(&self, path: &Path) -> bool {
        let is_kept = |path: &Path| matches!(self.guards.standing(path), Standing::Guarded(GuardKind::Masked | GuardKind::Hidden));
        let second = |(second, first): &(PathBuf, PathBuf)| path.strip_prefix(first).is_ok_and(|rest| is_kept(&second.join(rest)));
        is_kept(path) || !self.guards.is_empty() && self.second_places.iter().any(second)
    }

    fn refuse_program(&mut self, id: u64, refused: Refused) -> Result<(), Error> {
        if let Some((path, reason)) = refused.told {
            self.journal.program_refused(&path, reason)?;
        }
        self.fail(id, refused.errno);
        Ok(())
    }

    /// Traces the thread and lets the kernel go on.
    fn go_on(&mut self, call: &Notification, process: i32, asked: Asked) -> Result<(), Error> {
        let refused = |reason, errno, asked: Asked| Refused { errno, told: Some((asked.path, reason)) };
        if self.journal.is_full_of_programs() {
            return self.refuse_program(call.id, refused(ProgramRefusal::TooMany, Errno::AGAIN, asked));
        }
        if self.tracer.is_full() {
            self.fail(call.id, Errno::AGAIN);
            return Ok(());
        }
        // One at a time in a process: the kernel makes whoever executes wait for the end of its other threads, and whoever traces one of
        // them would make it wait for ever.
        if let Some(other) = self.tracer.other_of(process, call.task) {
            let own = rustix::process::getpid().as_raw_pid();
            let is_traced = |task| self.target(task).tracer() == Ok(own);
            // It may have the number of its process by now.
            if is_traced(other) || is_traced(process) {
                self.tracer.hold(process, *call);
                return Ok(());
            }
            self.tracer.forget(other);
        }
        match self.tracer.seize(call.task, process, asked.clone()) {
            Ok(()) => {
                self.listener.reply(call.id, &Reply::Continue);
                Ok(())
            }
            Err(Errno::SRCH) => {
                self.fail(call.id, Errno::AGAIN);
                Ok(())
            }
            Err(_) if self.may_go_unconfirmed() && self.is_debugged(call.task) => self.go_unconfirmed(call, process, asked),
            Err(_) => self.refuse_program(call.id, refused(ProgramRefusal::Untraced, Errno::ACCESS, asked)),
        }
    }

    /// Whether what nobody confirms may run. A debugger can keep its child's call waiting for as long as it likes, with another path in the
    /// end: no list would hold.
    fn may_go_unconfirmed(&self) -> bool {
        self.calls.has(Layer::Developer) && self.programs.listed.is_none()
    }

    fn is_debugged(&self, task: i32) -> bool {
        self.target(task).tracer().is_ok_and(|tracer| tracer != 0)
    }

    /// The child of a debugger of the agent's own: what it asked for is told, and later what it became.
    fn go_unconfirmed(&mut self, call: &Notification, process: i32, asked: Asked) -> Result<(), Error> {
        let before = self.executable(process).ok().map(|(_, identity)| identity);
        let file = openat(&self.host_proc, format!("{process}/exe"), OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
        let Asked { path, identity } = asked;
        let opened = openat(rustix::fs::CWD, &path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty());
        let Ok(file) = opened.or(file) else {
            self.fail(call.id, Errno::ACCESS);
            return Ok(());
        };
        let execution =
            Execution { program: path, identity, script: None, arguments: Arguments::Unknown, confirmed: false, with_executable: false };
        self.journal.executed(execution, file.as_fd())?;
        self.tracer.look_after(process, identity, before);
        self.listener.reply(call.id, &Reply::Continue);
        Ok(())
    }

    /// What a traced thread that stopped became: it is told and goes on, or is ended. One at a time, as far as reports have room.
    pub(crate) fn attend(&mut self) -> Result<(), Error> {
        let Some((executing, became)) = self.tracer.next() else { return Ok(()) };
        let process = executing.process;
        match became {
            Became::Program => self.confirm(executing)?,
            Became::Itself(signal) => Tracer::release(executing.task, signal),
            Became::Gone => {}
        }
        for call in self.tracer.take_held(process) {
            self.execute(&call)?;
        }
        Ok(())
    }

    fn confirm(&mut self, executing: Executing) -> Result<(), Error> {
        let process = executing.process;
        match self.running(process, true) {
            Ok(Running { refusal: Some((path, reason)), .. }) => {
                self.journal.program_refused(&path, reason)?;
                self.tracer.kill(executing);
            }
            Ok(Running { file, execution, refusal: None }) => {
                self.journal.executed(execution, file.as_fd())?;
                Tracer::release(process, 0);
            }
            // It was killed meanwhile.
            Err(Errno::SRCH | Errno::NOENT) => self.tracer.kill(executing),
            // What cannot be told does not run.
            Err(_) => {
                self.journal.program_refused(&executing.asked.path, ProgramRefusal::Unreadable)?;
                self.tracer.kill(executing);
            }
        }
        Ok(())
    }

    /// What a process runs now.
    fn running(&self, process: i32, confirmed: bool) -> Result<Running, Errno> {
        let target = self.target(process);
        let (file, identity) = self.executable(process)?;
        let arguments = self.process_file(process, "cmdline", ARGUMENTS_BYTES_MAX)?;
        let execution = |program: PathBuf, script: Option<PathBuf>, arguments| Execution {
            program,
            identity,
            script,
            arguments: Arguments::Inline(arguments),
            confirmed,
            with_executable: false,
        };
        let Some(program) = self.place_of(&file)? else {
            let name = super::target::path_of(self.host_proc.as_fd(), file.as_fd())?;
            let refusal = Some((name.clone(), ProgramRefusal::Nameless));
            return Ok(Running { file, execution: execution(name, None, Vec::new()), refusal });
        };
        let script = self.script(target, &identity)?;
        let mut refusal = self.forbidden(&program, &identity).map(|reason| (program.clone(), reason));
        let script = script.map(|(path, own)| {
            let own = own.and_then(|own| self.forbidden(&path, &own)).map(|reason| (path.clone(), reason));
            refusal = refusal.take().or(own);
            path
        });
        if refusal.is_none() {
            refusal = self.kept_loader(process)?.map(|path| (path, ProgramRefusal::Unreadable));
        }
        Ok(Running { file, execution: execution(program, script, arguments), refusal })
    }

    /// What the kernel loaded along with a program, by the name in the program's head, although its content is kept from the agent.
    fn kept_loader(&self, process: i32) -> Result<Option<PathBuf>, Errno> {
        if self.guards.is_empty() {
            return Ok(None);
        }
        let maps = self.process_file(process, "maps", MAPS_BYTES_MAX)?;
        let paths = maps.split(|byte| *byte == b'\n').filter_map(|line| line.get(line.iter().position(|byte| *byte == b'/')?..));
        let paths = paths.map(|path| Path::new(OsStr::from_bytes(path.strip_suffix(REMOVED).unwrap_or(path))));
        Ok(paths.filter(|path| self.is_kept(path)).map(Path::to_owned).next())
    }

    fn executable(&self, process: i32) -> Result<(OwnedFd, FileIdentity), Errno> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let file = able(|| openat(&self.host_proc, format!("{process}/exe"), flags, Mode::empty()))?;
        let identity = FileIdentity::of(&fstat(&file)?);
        Ok((file, identity))
    }

    fn process_file(&self, process: i32, name: &str, bytes_max: usize) -> Result<Vec<u8>, Errno> {
        let file = able(|| openat(&self.host_proc, format!("{process}/{name}"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()))?;
        read_all(file.as_fd(), bytes_max)
    }

    /// The file that was asked for, by the name that the kernel took, if it is another one than what runs; with its identity if it is
    /// still there.
    fn script(&self, target: Target<'_>, program: &FileIdentity) -> Result<Option<(PathBuf, Option<FileIdentity>)>, Errno> {
        let vector = self.process_file(target.task, "auxv", AUXILIARY_BYTES_MAX)?;
        let mut words = vector.chunks_exact(8).filter_map(|word| word.try_into().ok()).map(u64::from_ne_bytes);
        let address = loop {
            match (words.next(), words.next()) {
                (Some(EXECUTED_NAME), Some(address)) => break address,
                (Some(_), Some(_)) => {}
                _ => return Ok(None),
            }
        };
        let name: CString = target.text(address)?;
        let by_descriptor = name.as_bytes().starts_with(BY_DESCRIPTOR);
        let request = Request::object(libc::AT_FDCWD, name, true);
        let base = if request.is_relative() { Some(target.base(libc::AT_FDCWD)?) } else { None };
        let found = Attempt { target, request: &request, base: base.as_ref() }.find(request.how);
        let Ok(file) = found else {
            // A descriptor that closed on exec; a script of that kind could not run.
            return Ok((!by_descriptor).then(|| (asked(self.host_proc.as_fd(), base.as_ref(), &request), None)));
        };
        let identity = FileIdentity::of(&fstat(&file)?);
        if identity.is_same_file(program) {
            return Ok(None);
        }
        Ok(self.place_of(&file)?.map(|path| (path, Some(identity))))
    }

    /// Looks at what children of debuggers became.
    pub(super) fn look_after_unconfirmed(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        for one in std::mem::take(&mut self.tracer.unconfirmed) {
            let Ok((_, identity)) = self.executable(one.process) else { continue };
            if identity == one.asked {
                continue;
            }
            if Some(identity) == one.before {
                // Not yet, or never.
                if now < one.until {
                    self.tracer.unconfirmed.push(one);
                }
                continue;
            }
            let Ok(running) = self.running(one.process, false) else { continue };
            match running.refusal {
                Some((path, reason)) => {
                    self.journal.program_refused(&path, reason)?;
                    kill(one.process);
                }
                None => self.journal.executed(running.execution, running.file.as_fd())?,
            }
        }
        Ok(())
    }

    /// Tells of a call that changes who a process is or whom it traces, and lets it through: what counts of it stands in registers.
    pub(super) fn observe(&mut self, call: &Notification) -> Result<(), Error> {
        self.journal.observed(call.number, requested(call))?;
        self.listener.reply(call.id, &Reply::Continue);
        Ok(())
    }
}

/// What a call asks for.
fn requested(call: &Notification) -> CallRequest {
    const NOT_CHANGED: u32 = u32::MAX;
    let [first, ..] = call.arguments;
    let ids = match libc::c_long::from(call.number) {
        libc::SYS_ptrace => {
            return match first {
                0 => CallRequest::TraceMe,
                crate::seccomp::ATTACH => CallRequest::Attach,
                crate::seccomp::SEIZE => CallRequest::Seize,
                _ => CallRequest::Asked,
            };
        }
        libc::SYS_setuid | libc::SYS_setgid | libc::SYS_setfsuid | libc::SYS_setfsgid => 1,
        libc::SYS_setreuid | libc::SYS_setregid => 2,
        libc::SYS_setresuid | libc::SYS_setresgid => 3,
        _ => return CallRequest::Asked,
    };
    let own = |id: &u64| matches!(low_unsigned(*id), crate::identity::ID_INSIDE | NOT_CHANGED);
    if call.arguments.iter().take(ids).all(own) { CallRequest::OwnId } else { CallRequest::OtherId }
}
