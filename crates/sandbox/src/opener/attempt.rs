use super::request::{How, Request, lookup};
use super::target::{Target, path_of};
use super::walk::{self, Failure, is_procfs};
use crate::kernel::open_how;
use libc::{RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV};
use rustix::fs::{CWD, FileType, Stat, fstat, fstatfs, major, minor};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

/// Ways to resolve a path that the long way does not know. They mean what they say, but `/proc/self` is not there for them.
pub(super) const SHORT_ONLY: u64 = RESOLVE_BENEATH | RESOLVE_CACHED | RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
/// How often a look-up that others disturbed is made again.
const RACES_MAX: u32 = 64;
/// `/dev/tty`: the terminal of whoever opens it.
const TERMINAL: (u32, u32) = (5, 0);
/// Pipes without a name: opening one once more never waits.
const PIPE_MAGIC: i64 = 0x5049_5045;

/// One try to open what was asked for.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) target: Target<'a>,
    pub(super) request: &'a Request,
    /// The folder from which a relative path starts.
    pub(super) base: Option<&'a OwnedFd>,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is open.
    Opened(OwnedFd),
    /// Opening it waits for another process. The descriptor leads to it.
    Waits(OwnedFd),
    /// It cannot be opened.
    Failed(Failure),
}

impl Attempt<'_> {
    pub(super) fn open(&self) -> Outcome {
        self.outcome().unwrap_or_else(Outcome::Failed)
    }

    fn outcome(&self) -> Result<Outcome, Failure> {
        let how = self.request.how;
        if how.creates() {
            rustix::process::umask(self.target.mask().map_err(bare)?);
        }
        match self.find(how) {
            Ok(file) => self.opened(file).map_err(bare),
            // A terminal of the caller's own, or a FIFO that nobody reads.
            Err(failure) if failure.errno == Errno::NXIO => self.unconnected(failure),
            // Somebody on the host holds a lease on it.
            Err(failure) if failure.errno == Errno::AGAIN && how.waits() => self.find(how.name_only()).map(Outcome::Waits),
            Err(failure) => Err(failure),
        }
    }

    fn opened(&self, file: OwnedFd) -> Result<Outcome, Errno> {
        let how = self.request.how;
        if how.is_path() {
            return Ok(Outcome::Opened(file));
        }
        let stat = fstat(&file)?;
        let is_pipe = FileType::from_raw_mode(stat.st_mode).is_fifo();
        if is_pipe && how.waits() && how.access() == libc::O_RDONLY && fstatfs(&file)?.f_type != PIPE_MAGIC {
            return Ok(Outcome::Waits(file));
        }
        self.refuse_memory(&file, &stat)?;
        Ok(Outcome::Opened(file))
    }

    /// The memory of another process than the caller: the kernel may allow it to the warden and not to the caller.
    fn refuse_memory(&self, file: &OwnedFd, stat: &Stat) -> Result<(), Errno> {
        if !FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_size != 0 || !is_procfs(file.as_fd())? {
            return Ok(());
        }
        let path = path_of(self.target.host_proc, file.as_fd())?;
        let names: Vec<String> = path.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        match &names[..] {
            [.., name] if name.split(' ').next() != Some("mem") => Ok(()),
            [_, _, process, ..] if *process == self.target.numbers()?.0 => Ok(()),
            _ => Err(Errno::ACCESS),
        }
    }

    fn unconnected(&self, failure: Failure) -> Result<Outcome, Failure> {
        let how = self.request.how;
        let file = self.find(how.name_only())?;
        let stat = fstat(&file).map_err(bare)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind.is_fifo() && how.waits() {
            return Ok(Outcome::Waits(file));
        }
        if kind.is_char_device() && (major(stat.st_rdev), minor(stat.st_rdev)) == TERMINAL {
            let path = CString::new(format!("/dev/pts/{}", self.target.terminal().map_err(bare)?)).map_err(|_| bare(Errno::NXIO))?;
            return open_how(CWD, &path, &how.for_terminal()).map(Outcome::Opened).map_err(bare);
        }
        Err(failure)
    }

    /// The short way, in one call; where that depends on who asks, the long way.
    pub(super) fn find(&self, how: How) -> Result<OwnedFd, Failure> {
        if how.resolve != 0 {
            return self.find_bounded(how);
        }
        let once = |resolve| open_how(self.base.map_or(CWD, AsFd::as_fd), &self.request.path, &how.at_once(resolve));
        // Most paths lead through no link. Then nothing depends on who asks, and what is not there is missing at the place that was asked for.
        match once(RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS) {
            Ok(file) => return Ok(file),
            Err(Errno::NOENT) if !self.goes_up() => return Err(bare(Errno::NOENT)),
            Err(Errno::NOENT | Errno::LOOP) => {}
            Err(errno) => return Err(bare(errno)),
        }
        match once(RESOLVE_NO_MAGICLINKS) {
            Ok(file) => Ok(file),
            Err(Errno::NOENT | Errno::LOOP) if !self.request.path.is_empty() => {
                walk::open(self.target, self.base, self.request.path.as_bytes(), how)
            }
            Err(errno) => Err(bare(errno)),
        }
    }

    /// The same where the caller bounds how the path is resolved.
    fn find_bounded(&self, how: How) -> Result<OwnedFd, Failure> {
        let once = || open_how(self.base.map_or(CWD, AsFd::as_fd), &self.request.path, &how.at_once(RESOLVE_NO_MAGICLINKS));
        let mut result = once();
        // Below a folder, the kernel gives up on `..` whenever anything on the machine is mounted or renamed meanwhile (openat2(2)).
        for _ in 0..RACES_MAX {
            if how.resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT) == 0 || !matches!(result, Err(Errno::AGAIN)) {
                break;
            }
            result = once();
        }
        match result {
            Ok(file) => Ok(file),
            Err(Errno::NOENT) if self.is_plainly_absent() => Err(bare(Errno::NOENT)),
            Err(Errno::NOENT | Errno::LOOP) if how.resolve & SHORT_ONLY == 0 && !self.request.path.is_empty() => {
                walk::open(self.target, self.base, self.request.path.as_bytes(), how)
            }
            Err(errno) => Err(bare(errno)),
        }
    }

    /// Whether nothing is there and no link is on the way: then nothing depends on who asks, and the place is the one that was asked for.
    fn is_plainly_absent(&self) -> bool {
        let how = lookup(0, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        !self.goes_up() && open_how(self.base.map_or(CWD, AsFd::as_fd), &self.request.path, &how).err() == Some(Errno::NOENT)
    }

    fn goes_up(&self) -> bool {
        self.request.path.as_bytes().split(|byte| *byte == b'/').any(|name| name == b"..")
    }
}

fn bare(errno: Errno) -> Failure {
    Failure { errno, place: None }
}
