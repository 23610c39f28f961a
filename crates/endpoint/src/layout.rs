//! What stands inside a session: the system read-only, the agent's program, documents read-only, the workspace, and nothing else.

use crate::{Error, Program, SessionSpec, adapter, watcher};
use policy::Policy;
use rustix::fs::{AtFlags, CWD};
use sandbox::{
    Access, Calls, Guard, GuardKind, Layer, Limits, Mount, Network, Overlay, Plan, PrivateArea, Programs, Stdio, SyntheticFile, Wall,
};
use schema::{PathPattern, SessionId};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The agent's home inside; it ends with the session.
pub(crate) const HOME: &str = "/home/agent";
/// Folders of the operating system that every program needs.
const SYSTEM: [&str; 6] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"];
/// Files and folders of `/etc` without secrets that programs look for.
const SETTINGS: [&str; 12] = [
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/magic",
    "/etc/os-release",
    "/etc/debian_version",
    "/etc/protocols",
    "/etc/services",
];
/// Files that exist only inside: one user, no resolver but the door, a name for commits.
const SYNTHETIC: [(&str, &str); 7] = [
    // Commits need a name, and agents that find none try to write one into the repository's settings, which are not theirs.
    ("/home/agent/.gitconfig", "[user]\n\tname = agent\n\temail = agent@bailiwick.invalid\n"),
    ("/etc/passwd", "root:x:0:0:root:/:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:/bin/sh\n"),
    ("/etc/group", "root:x:0:\nagent:x:1000:\n"),
    ("/etc/hosts", "127.0.0.1 localhost bailiwick\n::1 localhost\n"),
    ("/etc/hostname", "bailiwick\n"),
    ("/etc/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:2\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"),
];

/// By how much a process's own bound of memory lies above the session's.
const DATA_ROOM_BYTES: u64 = 4 << 30;

/// How many links a path may lead through, as in the kernel.
const LINKS_MAX: u32 = 40;

/// Whether a path lies in what every session sees of the operating system.
pub(crate) fn is_system(path: &Path) -> bool {
    SYSTEM.iter().chain(&SETTINGS).any(|folder| path.starts_with(folder))
}

/// The folders of a session, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folders {
    pub(crate) workspace: PathBuf,
    pub(crate) documents: Vec<PathBuf>,
    pub(crate) programs: BTreeSet<PathBuf>,
}

impl Folders {
    /// Resolves every link now, and refuses what a session must not see.
    pub(crate) fn resolve(spec: &SessionSpec, program: &Program) -> Result<Self, Error> {
        let workspace = folder("the workspace", &spec.workspace, spec)?;
        watcher::refuse_full(&workspace, &spec.policy.session().limits)?;
        let documents = spec.documents.iter().map(|path| folder("the documents", path, spec)).collect::<Result<Vec<_>, _>>()?;
        if documents.contains(&workspace) {
            let reason = "it is the workspace too; give the documents a folder of their own".to_owned();
            return Err(Error::Path { what: "the documents", path: workspace, reason });
        }
        let mut programs = program.trees.clone();
        for path in &spec.programs {
            programs.insert(canonical("the program folder", path)?);
        }
        for path in &programs {
            refuse_too_much("the program folder", path, spec)?;
        }
        if let Some(path) = program.led_out_of(&workspace).filter(|path| !spec.programs.iter().any(|own| path.starts_with(own))) {
            let reason =
                "a script or link in the workspace, where an agent can write, leads to it; name it with --program-dir if it is to be shown";
            return Err(Error::Path { what: "the program's tree", path: path.to_owned(), reason: reason.to_owned() });
        }
        for (what, path) in
            spec.documents.iter().map(|path| ("the documents", path)).chain(spec.programs.iter().map(|path| ("the program folder", path)))
        {
            refuse_link_out(what, path, &workspace)?;
        }
        programs.retain(|path| !is_system(path));
        let folders = Self { workspace, documents, programs };
        folders.refuse_keys(spec)?;
        Ok(folders)
    }

    /// Refuses a session whose agent could read the key of an upstream.
    fn refuse_keys(&self, spec: &SessionSpec) -> Result<(), Error> {
        for upstream in spec.policy.upstreams() {
            let file = upstream.key_file().and_then(|path| std::fs::canonicalize(path).ok());
            if let Some(path) = file.filter(|path| self.shows(path)) {
                let reason = "the agent could read this upstream's key there; move it out of the session's folders".to_owned();
                return Err(Error::Path { what: "a folder with", path, reason });
            }
            let given = |name: &str| spec.environment.iter().any(|(chosen, _)| chosen == name);
            if let Some(name) = upstream.key_env().filter(|name| given(name)) {
                return Err(Error::KeyShown { variable: name.to_owned() });
            }
        }
        Ok(())
    }

    fn shows(&self, path: &Path) -> bool {
        let own = [&self.workspace].into_iter().chain(&self.documents).chain(&self.programs);
        is_system(path) || own.into_iter().any(|folder| path.starts_with(folder))
    }

    fn mounts(&self) -> Vec<Mount> {
        let mount = |path: &Path, access| Mount { source: path.to_owned(), target: path.to_owned(), access };
        let read_only = |path: &PathBuf| mount(path, Access::ReadOnly);
        let mut own: Vec<Mount> = self.programs.iter().chain(&self.documents).map(read_only).collect();
        own.push(mount(&self.workspace, Access::ReadWrite));
        // What lies inside another must be laid after it; where both lie at one place, the program wins over documents.
        own.sort_by_key(|mount| (mount.target.components().count(), mount.target.clone()));
        own.dedup_by(|later, earlier| later.target == earlier.target);
        system_mounts().into_iter().chain(own).collect()
    }
}

/// The operating system, read-only.
pub(crate) fn system_mounts() -> Vec<Mount> {
    let there = SYSTEM.iter().chain(&SETTINGS).map(Path::new).filter(|path| path.exists());
    there.map(|path| Mount { source: path.to_owned(), target: path.to_owned(), access: Access::ReadOnly }).collect()
}

/// The files that exist only inside.
pub(crate) fn synthetic_files() -> Vec<SyntheticFile> {
    SYNTHETIC.iter().map(|(path, text)| SyntheticFile { path: path.into(), content: text.as_bytes().to_vec() }).collect()
}

fn canonical(what: &'static str, path: &Path) -> Result<PathBuf, Error> {
    std::fs::canonicalize(path).map_err(|error| Error::Path { what, path: path.to_owned(), reason: format!("{error}; make it first") })
}

fn folder(what: &'static str, path: &Path, spec: &SessionSpec) -> Result<PathBuf, Error> {
    let path = canonical(what, path)?;
    if !path.is_dir() {
        return Err(Error::Path { what, path, reason: "it is not a folder".to_owned() });
    }
    refuse_too_much(what, &path, spec)?;
    rustix::fs::accessat(CWD, &path, rustix::fs::Access::READ_OK | rustix::fs::Access::EXEC_OK, AtFlags::EACCESS).map_err(|errno| {
        Error::Path {
            what,
            path: path.clone(),
            reason: format!("it cannot be read ({}); check its mode and owner", std::io::Error::from(errno)),
        }
    })?;
    Ok(path)
}

/// Refuses a path that a link in the workspace leads out of it: an agent of an earlier session may have made the link.
fn refuse_link_out(what: &'static str, path: &Path, workspace: &Path) -> Result<(), Error> {
    if canonical(what, path)?.starts_with(workspace) || !passes_through(path, workspace) {
        return Ok(());
    }
    let reason = "a link in the workspace, where an agent can write, leads to it; give the folder's own path".to_owned();
    Err(Error::Path { what, path: path.to_owned(), reason })
}

/// Whether a name of the path, or of a link on its way, is looked up in `folder` or below. True if it cannot be told.
fn passes_through(path: &Path, folder: &Path) -> bool {
    let Ok(path) = std::path::absolute(path) else { return true };
    let mut names: Vec<OsString> = path.iter().rev().map(OsString::from).collect();
    let (mut reached, mut links) = (PathBuf::from("/"), 0);
    while let Some(name) = names.pop() {
        if name == ".." {
            reached.pop();
            continue;
        }
        if name != "/" && reached.starts_with(folder) {
            return true;
        }
        let next = reached.join(&name);
        let Ok(target) = std::fs::read_link(&next) else {
            reached = next;
            continue;
        };
        links += 1;
        if links > LINKS_MAX {
            return true;
        }
        if target.is_absolute() {
            reached = PathBuf::from("/");
        }
        names.extend(target.iter().rev().map(OsString::from));
    }
    false
}

/// Refuses the home folder or anything around it, the root, places of the system, and Bailiwick's own state.
fn refuse_too_much(what: &'static str, path: &Path, spec: &SessionSpec) -> Result<(), Error> {
    let refuse = |reason: &str| Err(Error::Path { what, path: path.to_owned(), reason: reason.to_owned() });
    let mut homes = spec.account.home.iter().chain(&spec.home).map(|home| std::fs::canonicalize(home).unwrap_or_else(|_| home.clone()));
    if homes.any(|home| home.starts_with(path)) {
        return refuse("it would show the session the whole home folder; give a folder of your project instead");
    }
    if ["/proc", "/sys", "/dev", "/run", "/etc", "/boot"].iter().any(|place| path.starts_with(place)) {
        return refuse("it belongs to the operating system");
    }
    if what != "the program folder" && is_system(path) {
        return refuse("it belongs to the operating system");
    }
    if ["/tmp", "/var/tmp", "/home", "/root", "/var", "/opt", "/srv", "/mnt", "/media"].iter().any(|place| path == Path::new(place)) {
        return refuse("it is shared by many programs; give a folder below it");
    }
    spec.directories.refuse_inside(what, path)
}

/// The variables of an agent: nothing of the caller's environment but what the terminal and texts look like.
pub(crate) fn environment(spec: &SessionSpec, program: &Program, session_id: &SessionId) -> Vec<(OsString, OsString)> {
    let mut folders: Vec<PathBuf> = program.folders.clone();
    folders.extend(["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from));
    let mut seen = BTreeSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    let path = std::env::join_paths(&folders).unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into());
    let mut list: Vec<(OsString, OsString)> = vec![
        ("PATH".into(), path),
        ("HOME".into(), HOME.into()),
        ("USER".into(), "agent".into()),
        ("LOGNAME".into(), "agent".into()),
        ("SHELL".into(), "/bin/sh".into()),
        ("TMPDIR".into(), "/tmp".into()),
        ("BAILIWICK_SESSION".into(), session_id.as_str().into()),
    ];
    list.extend(spec.locale.iter().cloned());
    list.extend(adapter::variables());
    // What the user names wins, whatever it is: the session's walls do not depend on it.
    list.retain(|(name, _)| !spec.environment.iter().any(|(chosen, _)| chosen == name));
    list.extend(spec.environment.iter().cloned());
    list
}

/// The bounds and private areas that a policy sets.
pub(crate) fn limits(policy: &Policy) -> Limits {
    let limits = &policy.session().limits;
    Limits {
        memory_bytes_max: limits.memory_bytes_max,
        // Refused without a trace, so a process comes to the session's bound first; but none goes far past it before that is seen.
        data_bytes_max: limits.memory_bytes_max.saturating_add(DATA_ROOM_BYTES),
        processes_max: limits.processes_max,
        open_files_max: limits.open_files_max,
        file_bytes_max: limits.file_bytes_max,
        cpu_seconds_max: Some(limits.cpu_seconds_max),
    }
}

/// Which system calls the policy lets the agent make.
fn calls(policy: &Policy) -> Calls {
    let mut calls = Calls::default();
    if policy.session().programs.debuggers {
        calls.layers.push(Layer::Developer);
    }
    calls
}

/// Places inside that end with the session.
pub(crate) fn private_places(policy: &Policy) -> Vec<PathBuf> {
    private_areas(policy).into_iter().map(|area| area.path).collect()
}

fn private_areas(policy: &Policy) -> Vec<PrivateArea> {
    let sizes = &policy.session().private;
    let area = |path: &str, size_bytes_max| PrivateArea { path: path.into(), size_bytes_max };
    vec![
        area("/tmp", sizes.tmp_bytes_max),
        area("/var/tmp", sizes.tmp_bytes_max),
        area(HOME, sizes.home_bytes_max),
        area("/dev/shm", sizes.shared_memory_bytes_max),
        area("/run", sizes.run_bytes_max),
    ]
}

/// Walls that the policy lets be missing.
pub(crate) fn allowed_missing(policy: &Policy) -> Result<Vec<Wall>, Error> {
    let names = policy.session().danger_allow_missing.iter();
    names.map(|name| Wall::from_name(name.as_str()).ok_or_else(|| Error::UnknownWall(name.clone()))).collect()
}

/// What of the workspace is not the agent's.
fn guards(policy: &Policy, workspace: &Path) -> Vec<Guard> {
    let files = &policy.session().files;
    let kinds = [(&files.protected, GuardKind::Protected), (&files.masked, GuardKind::Masked), (&files.hidden, GuardKind::Hidden)];
    let of = |(list, kind): (&Vec<PathPattern>, GuardKind)| {
        let guard = |pattern: &PathPattern| Guard { folder: workspace.to_owned(), pattern: pattern.clone(), kind };
        list.iter().map(guard).collect::<Vec<_>>()
    };
    kinds.into_iter().flat_map(of).collect()
}

/// The whole plan of an agent's session.
pub(crate) fn plan(spec: &SessionSpec, folders: &Folders, program: &Program, seat: &Seat) -> Result<Plan, Error> {
    let mut args = spec.command.clone();
    if let Some(own_name) = args.first_mut() {
        *own_name = program.path.clone().into();
    }
    Ok(Plan {
        program: program.path.clone(),
        args,
        env: environment(spec, program, &seat.session_id),
        cwd: folders.workspace.clone(),
        mounts: folders.mounts(),
        files: synthetic_files(),
        private: private_areas(&spec.policy),
        limits: limits(&spec.policy),
        network: Network::Door { gateway_port: adapter::GATEWAY_PORT, proxy_port: adapter::PROXY_PORT },
        stdio: seat.stdio,
        pass: Vec::new(),
        observe_files: true,
        calls: calls(&spec.policy),
        programs: seat.programs.clone(),
        danger_allow_missing: allowed_missing(&spec.policy)?,
        probe_period: Some(std::time::Duration::from_secs(spec.policy.session().probe_period_seconds)),
        guards: guards(&spec.policy, &folders.workspace),
        overlays: seat.overlays.clone(),
    })
}

/// What a plan needs to know of the running session.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) session_id: SessionId,
    pub(crate) stdio: [Stdio; 3],
    /// Folders whose changes are kept apart.
    pub(crate) overlays: Vec<Overlay>,
    /// Which programs may run.
    pub(crate) programs: Programs,
}

#[cfg(test)]
mod tests;
