//! Reports about programs, and about calls that are let through and told.

use super::{Journal, PATH_BYTES_MAX, Report, text};
use crate::Error;
use crate::programs::{FileIdentity, ProgramRefusal};
use rustix::fs::MemfdFlags;
use rustix::io::Errno;
use schema::event::FileMode;
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many different programs, by file, script and arguments, run in a session; after these none is executed any more.
const EXECUTED_MAX: usize = 65_536;
/// How many different refusals of programs are told apart; later ones are reported once, at the root.
const REFUSED_MAX: usize = 4096;
/// Longest arguments that stand in the report itself; longer ones come along as a file in memory.
const INLINE_BYTES_MAX: usize = PATH_BYTES_MAX;
/// Numbers of a file's identity, and the flags behind them.
const IDENTITY_BYTES: usize = 40;
const CONFIRMED: u8 = 1;
const WITH_EXECUTABLE: u8 = 2;
const WITH_ARGUMENTS: u8 = 4;
const WITHOUT_ARGUMENTS: u8 = 8;

/// A program that is about to run its first instruction, or (unconfirmed) was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The canonical path, inside, of the file that runs (of a script: its interpreter).
    pub program: PathBuf,
    /// Which file that is.
    pub identity: FileIdentity,
    /// The canonical path that was asked for, if that is another file.
    pub script: Option<PathBuf>,
    /// Its arguments.
    pub arguments: Arguments,
    /// Whether it was seen between the kernel's exec and its first instruction.
    pub confirmed: bool,
    /// Whether the first descriptor that comes along is the file, open for reading: the first time that it runs.
    pub with_executable: bool,
}

impl Execution {
    /// Of the descriptors that came along with this report, its executable and its arguments, as far as it announces them.
    ///
    /// # Errors
    /// [`Error::Message`] if others came along.
    pub fn take_along(&self, received: Vec<OwnedFd>) -> Result<(Option<OwnedFd>, Option<OwnedFd>), Error> {
        let mut received = received.into_iter();
        let passes = self.arguments == Arguments::Passed;
        let executable = if self.with_executable { received.next() } else { None };
        let arguments = if passes { received.next() } else { None };
        let is_whole = executable.is_some() == self.with_executable && arguments.is_some() == passes && received.next().is_none();
        if is_whole { Ok((executable, arguments)) } else { Err(Error::Message { problem: "a report lacks its files" }) }
    }
}

/// A program's arguments, each ended by a NUL byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// Here they are.
    Inline(Vec<u8>),
    /// In the last descriptor that comes along, a file in memory.
    Passed,
    /// They could not be taken.
    Unknown,
}

macro_rules! requests {
    ($($(#[$doc:meta])* $variant:ident = $letter:literal, $name:literal;)*) => {
        /// What a call that is let through asked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum CallRequest {
            $($(#[$doc])* $variant,)*
        }

        impl CallRequest {
            /// Every request.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The request in a word, as it stands in evidence.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn letter(self) -> u8 {
                match self { $(Self::$variant => $letter,)* }
            }
        }
    };
}

requests! {
    /// To be traced by one's parent.
    TraceMe = b't', "trace_me";
    /// To trace another process.
    Attach = b'a', "attach";
    /// The same, without stopping it.
    Seize = b's', "seize";
    /// To be who one is.
    OwnId = b'i', "own_id";
    /// To be somebody else: there is nobody.
    OtherId = b'o', "other_id";
    /// Something that stands in memory.
    Asked = b'm', "asked";
}

/// What a journal remembers of programs.
#[derive(Debug, Default)]
pub(super) struct Known {
    executed: HashSet<u128>,
    executables: HashSet<FileIdentity>,
    refused: HashSet<u128>,
    observed: BTreeSet<(i32, CallRequest)>,
}

impl Journal {
    /// Whether no further program can be told.
    pub(crate) fn is_full_of_programs(&self) -> bool {
        self.known.executed.len() >= EXECUTED_MAX
    }

    /// Reports a program that runs or (unconfirmed) was asked for; `file` is its executable.
    pub(crate) fn executed(&mut self, mut execution: Execution, file: BorrowedFd<'_>) -> Result<(), Error> {
        let hash = self.hash((&execution.program, execution.identity, &execution.script, arguments(&execution), execution.confirmed));
        if self.known.executed.contains(&hash) {
            return Ok(());
        }
        execution.with_executable = !self.known.executables.contains(&execution.identity);
        let passed = pass(&mut execution)?;
        let identity = execution.identity;
        let mut along: Vec<BorrowedFd<'_>> = if execution.with_executable { vec![file] } else { Vec::new() };
        along.extend(passed.as_ref().map(AsFd::as_fd));
        self.send_with(Report::ProgramExecuted(execution), &along)?;
        self.known.executables.insert(identity);
        self.known.executed.insert(hash);
        Ok(())
    }

    /// Reports a program that is not run.
    pub(crate) fn program_refused(&mut self, path: &Path, reason: ProgramRefusal) -> Result<(), Error> {
        let path = if self.known.refused.len() < REFUSED_MAX { path } else { Path::new("/") };
        let hash = self.hash((path, reason));
        if self.known.refused.contains(&hash) {
            return Ok(());
        }
        self.send_with(Report::ProgramRefused { path: path.to_owned(), reason }, &[])?;
        self.known.refused.insert(hash);
        Ok(())
    }

    /// Reports a call that is let through.
    pub(crate) fn observed(&mut self, number: i32, request: CallRequest) -> Result<(), Error> {
        // Only calls that the list names come here, so that the set is bounded.
        if self.known.observed.contains(&(number, request)) {
            return Ok(());
        }
        self.send_with(Report::SystemCallObserved { name: crate::seccomp::name(number), request }, &[])?;
        self.known.observed.insert((number, request));
        Ok(())
    }
}

fn arguments(execution: &Execution) -> Option<&[u8]> {
    match &execution.arguments {
        Arguments::Inline(bytes) => Some(bytes),
        Arguments::Passed | Arguments::Unknown => None,
    }
}

/// Puts arguments that are too long for a report into a file in memory.
fn pass(execution: &mut Execution) -> Result<Option<OwnedFd>, Error> {
    let Arguments::Inline(bytes) = &execution.arguments else { return Ok(None) };
    if bytes.len() <= INLINE_BYTES_MAX {
        return Ok(None);
    }
    let failed = Error::errno("keep a program's arguments");
    let file = rustix::fs::memfd_create(c"arguments", MemfdFlags::CLOEXEC).map_err(failed)?;
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let written = rustix::io::write(&file, rest).map_err(Error::errno("keep a program's arguments"))?;
        rest = rest.get(written..).unwrap_or_default();
    }
    rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0)).map_err(Error::errno("keep a program's arguments"))?;
    execution.arguments = Arguments::Passed;
    Ok(Some(file))
}

/// The body of a report about a program: its identity, flags, the lengths of both paths, the paths, the arguments.
pub(super) fn encode(execution: &Execution) -> Vec<u8> {
    let Execution { program, identity, script, arguments, confirmed, with_executable } = execution;
    let mut bytes = Vec::new();
    for number in [identity.device, identity.inode, identity.bytes, identity.changed.0.cast_unsigned(), identity.changed.1.cast_unsigned()]
    {
        bytes.extend(number.to_le_bytes());
    }
    let (flag, inline) = match arguments {
        Arguments::Inline(inline) => (0, inline.as_slice()),
        Arguments::Passed => (WITH_ARGUMENTS, &[][..]),
        Arguments::Unknown => (WITHOUT_ARGUMENTS, &[][..]),
    };
    bytes.push(flag | if *confirmed { CONFIRMED } else { 0 } | if *with_executable { WITH_EXECUTABLE } else { 0 });
    let paths = [program.as_os_str().as_bytes(), script.as_ref().map_or(&[][..], |script| script.as_os_str().as_bytes())];
    for path in paths {
        bytes.extend(u32::try_from(path.len()).unwrap_or(u32::MAX).to_le_bytes());
    }
    bytes.extend(paths.into_iter().chain([inline]).flatten());
    text(b'x', FileMode::Read, 0, &bytes)
}

/// Reads such a body; none if it is not one.
pub(super) fn decode(bytes: &[u8]) -> Option<Execution> {
    let (numbers, rest) = bytes.split_at_checked(IDENTITY_BYTES)?;
    let mut numbers = numbers.chunks_exact(8).filter_map(|part| part.try_into().ok()).map(u64::from_le_bytes);
    let mut number = || numbers.next();
    let (device, inode, size) = (number()?, number()?, number()?);
    let identity = FileIdentity { device, inode, bytes: size, changed: (number()?.cast_signed(), number()?.cast_signed()) };
    let (flags, rest) = rest.split_first()?;
    let (program_bytes, rest) = rest.split_first_chunk::<4>()?;
    let (script_bytes, rest) = rest.split_first_chunk::<4>()?;
    let length = |bytes: &[u8; 4]| usize::try_from(u32::from_le_bytes(*bytes)).ok();
    let (program, rest) = rest.split_at_checked(length(program_bytes)?)?;
    let (script, inline) = rest.split_at_checked(length(script_bytes)?)?;
    let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
    let arguments = match flags & (WITH_ARGUMENTS | WITHOUT_ARGUMENTS) {
        0 => Arguments::Inline(inline.to_vec()),
        WITH_ARGUMENTS => Arguments::Passed,
        WITHOUT_ARGUMENTS => Arguments::Unknown,
        _ => return None,
    };
    Some(Execution {
        program: path(program),
        identity,
        script: (!script.is_empty()).then(|| path(script)),
        arguments,
        confirmed: flags & CONFIRMED != 0,
        with_executable: flags & WITH_EXECUTABLE != 0,
    })
}

/// A program that is not run: the reason's place in the list, and the path.
pub(super) fn encode_refusal(path: &Path, reason: ProgramRefusal) -> Vec<u8> {
    let place = ProgramRefusal::ALL.iter().position(|one| *one == reason).and_then(|place| u8::try_from(place).ok());
    let mut bytes = vec![place.unwrap_or(u8::MAX)];
    bytes.extend(path.as_os_str().as_bytes());
    text(b'n', FileMode::Read, 0, &bytes)
}

pub(super) fn decode_refusal(bytes: &[u8]) -> Option<Report> {
    let (place, path) = bytes.split_first()?;
    let reason = *ProgramRefusal::ALL.get(usize::from(*place))?;
    Some(Report::ProgramRefused { path: PathBuf::from(OsStr::from_bytes(path)), reason })
}

/// A call that is let through: the request's letter, and the call's name.
pub(super) fn encode_observed(name: &str, request: CallRequest) -> Vec<u8> {
    let mut bytes = vec![request.letter()];
    bytes.extend(name.as_bytes());
    text(b'y', FileMode::Read, 0, &bytes)
}

pub(super) fn decode_observed(bytes: &[u8]) -> Option<Report> {
    let (letter, name) = bytes.split_first()?;
    let request = *CallRequest::ALL.iter().find(|one| one.letter() == *letter)?;
    Some(Report::SystemCallObserved { name: String::from_utf8(name.to_vec()).ok()?, request })
}

/// A bounded whole file, as the kernel gives it piece by piece.
pub(crate) fn read_all(file: BorrowedFd<'_>, bytes_max: usize) -> Result<Vec<u8>, Errno> {
    const PIECE: usize = 16 * 1024;
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len();
        if start >= bytes_max {
            return Err(Errno::TOOBIG);
        }
        bytes.resize(start + PIECE, 0);
        let length = rustix::io::retry_on_intr(|| rustix::io::read(file, bytes.get_mut(start..).unwrap_or_default()))?;
        bytes.truncate(start + length);
        if length == 0 {
            return Ok(bytes);
        }
    }
}
