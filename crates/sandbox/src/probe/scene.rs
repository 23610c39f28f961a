use super::registry;
use crate::limits::Table;
use crate::plan::{Access, Network, Plan};
use crate::programs::{FileIdentity, ProgramRefusal, first_place};
use crate::{Error, kernel, seccomp};
use rustix::fs::StatVfsMountFlags;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Namespaces in the order of [`namespaces`].
pub(crate) const NAMESPACES: [&CStr; 8] = [
    c"/proc/self/ns/user",
    c"/proc/self/ns/mnt",
    c"/proc/self/ns/pid",
    c"/proc/self/ns/net",
    c"/proc/self/ns/ipc",
    c"/proc/self/ns/uts",
    c"/proc/self/ns/cgroup",
    c"/proc/self/ns/time",
];
/// Programs that almost every system has, and almost no list names.
const COMMON_PROGRAMS: [&str; 8] =
    ["/usr/bin/yes", "/usr/bin/wall", "/usr/bin/nice", "/usr/bin/tac", "/usr/bin/id", "/usr/bin/env", "/bin/true", "/bin/busybox"];
/// Longest path of a Unix socket's address, its end included (unix(7)).
const SOCKET_PATH_BYTES: usize = 108;

/// Inode numbers of the namespaces that this process is in; 0 where there is none.
pub(crate) fn namespaces() -> [u64; NAMESPACES.len()] {
    NAMESPACES.map(|path| rustix::fs::stat(path).map_or(0, |stat| stat.st_ino))
}

/// What the probes need to know of the session. Made before the fork: whoever makes the attempts allocates nothing.
#[derive(Debug)]
pub(crate) struct Scene {
    /// The supervisor's namespaces: the session's must be others.
    pub(super) outside: [u64; NAMESPACES.len()],
    /// System call filters that held before the session's own.
    pub(super) filters_outside: u32,
    /// Mounts, and the flags that they must have.
    pub(super) mounts: Vec<(CString, StatVfsMountFlags)>,
    /// A name in a private area that nothing has.
    pub(super) node: Option<CString>,
    /// The address of a socket in a folder of the host that the session may write.
    pub(super) host_socket: Option<Vec<u8>>,
    /// The address of the warden's abstract socket.
    pub(super) abstract_socket: Vec<u8>,
    /// A program that the list, if there is one, does not name, and a dynamic loader that it needs and does not name.
    pub(super) unlisted: Option<CString>,
    pub(super) loader: Option<CString>,
    pub(super) limits: Table,
    pub(super) open_files_max: u64,
    pub(super) data_bytes_max: u64,
    /// Whether something other than the user's own count bounds the processes.
    pub(super) counted: bool,
    pub(super) observes_files: bool,
    pub(super) has_door: bool,
    pub(super) landlock_abi: u32,
    pub(super) has_group: [bool; 2],
    /// How each probe's call is refused by this session's lists; zero for one that is more than a call.
    pub(super) refusals: Vec<i32>,
}

/// What the warden knows beside the plan.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) outside: [u64; NAMESPACES.len()],
    pub(crate) counted: bool,
    /// Whether a control group has a bound on processes, and one on memory.
    pub(crate) has_group: [bool; 2],
    pub(crate) abstract_name: String,
    /// Where files stand a second time, and the first place of each.
    pub(crate) second_places: Vec<(PathBuf, PathBuf)>,
}

impl Scene {
    pub(crate) fn new(plan: &Plan, calls: &seccomp::Table, surroundings: Surroundings) -> Result<Self, Error> {
        let Surroundings { outside, counted, has_group, abstract_name, second_places } = surroundings;
        let random = kernel::random_name().map_err(Error::system("take a random name"))?;
        let node = plan.private.first().map(|area| area.path.join(format!(".probe-{random}")));
        let writable = plan.mounts.iter().find(|mount| mount.access == Access::ReadWrite).map(|mount| mount.target.as_os_str());
        Ok(Self {
            outside,
            filters_outside: filters(),
            mounts: mounts(plan)?,
            node: node.map(|path| text(path.as_os_str())).transpose()?,
            host_socket: writable.filter(|path| path.len() < SOCKET_PATH_BYTES).map(|path| address(path.as_bytes())),
            abstract_socket: address(abstract_name.as_bytes()),
            unlisted: program(plan, &second_places, ProgramRefusal::NotListed)?,
            loader: program(plan, &second_places, ProgramRefusal::Loader)?,
            limits: crate::limits::table(&plan.limits),
            open_files_max: plan.limits.open_files_max,
            data_bytes_max: plan.limits.data_bytes_max,
            counted,
            observes_files: plan.observe_files,
            has_door: matches!(plan.network, Network::Door { .. }),
            landlock_abi: plan.landlock_abi(),
            has_group,
            refusals: registry::all().map(|probe| probe.refusal(calls)).collect(),
        })
    }
}

/// A program that stands inside and that the list refuses for this reason; none without a list.
fn program(plan: &Plan, second_places: &[(PathBuf, PathBuf)], why: ProgramRefusal) -> Result<Option<CString>, Error> {
    let programs = &plan.programs;
    if !programs.observe || programs.listed.is_none() {
        return Ok(None);
    }
    let is_refused = |path: &PathBuf| {
        let Ok(stat) = rustix::fs::stat(path) else { return false };
        programs.refusal(&first_place(second_places, path.clone()), &FileIdentity::of(&stat)) == Some(why)
    };
    let common = COMMON_PROGRAMS.iter().map(PathBuf::from);
    let mut found = programs.loaders.iter().cloned().chain(common).filter_map(|path| std::fs::canonicalize(path).ok());
    found.find(is_refused).map(|path| text(path.as_os_str())).transpose()
}

fn mounts(plan: &Plan) -> Result<Vec<(CString, StatVfsMountFlags)>, Error> {
    let base = StatVfsMountFlags::NOSUID | StatVfsMountFlags::NODEV;
    let sealed = base | StatVfsMountFlags::NOEXEC | StatVfsMountFlags::RDONLY;
    let of_plan = plan.mounts.iter().map(|mount| match mount.access {
        Access::ReadOnly => (mount.target.as_os_str(), base | StatVfsMountFlags::RDONLY),
        Access::ReadWrite => (mount.target.as_os_str(), base),
    });
    let private = plan.private.iter().map(|area| (area.path.as_os_str(), base));
    let own = [(OsStr::new("/"), sealed), (OsStr::new("/proc"), sealed)];
    own.into_iter().chain(of_plan).chain(private).map(|(path, flags)| Ok((text(path)?, flags))).collect()
}

fn text(path: &OsStr) -> Result<CString, Error> {
    CString::new(path.as_bytes()).map_err(|_| Error::Plan { problem: "a path has a NUL byte", path: path.into() })
}

/// A Unix socket's address as the kernel reads it.
fn address(name: &[u8]) -> Vec<u8> {
    let family = libc::sa_family_t::try_from(libc::AF_UNIX).unwrap_or_default().to_ne_bytes();
    family.into_iter().chain(name.iter().copied()).chain((name.first() != Some(&0)).then_some(0)).collect()
}

/// System call filters that hold for this process (proc_pid_status(5)).
fn filters() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("Seccomp_filters:")).and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// One round's view of the session from inside.
pub(super) struct Look<'a> {
    pub(super) scene: &'a Scene,
    /// The process's own status (proc_pid_status(5)).
    pub(super) status: &'a [u8],
}

impl Look<'_> {
    /// A line of the status, without its name.
    pub(super) fn field(&self, name: &[u8]) -> Option<&[u8]> {
        let line = self.status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_ascii())
    }
}
