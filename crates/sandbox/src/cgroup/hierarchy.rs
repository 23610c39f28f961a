use crate::plan::Limits;
use std::path::{Component, Path, PathBuf};

/// Most groups between this process's own and the top that are looked at.
const LEVELS_MAX: usize = 16;

/// What a control group can bound for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Pids,
    Memory,
}

impl Controller {
    const ALL: [Self; 2] = [Self::Pids, Self::Memory];

    fn name(self) -> &'static str {
        match self {
            Self::Pids => "pids",
            Self::Memory => "memory",
        }
    }

    /// Files that hold the bound, in the unified hierarchy and in one of its own (kernel documentation, cgroup-v2 and cgroup-v1).
    pub(super) fn files(self) -> (&'static str, &'static str) {
        match self {
            Self::Pids => ("pids.max", "pids.max"),
            Self::Memory => ("memory.max", "memory.limit_in_bytes"),
        }
    }

    /// The file to write and the bound.
    pub(super) fn bound(self, limits: &Limits, is_unified: bool) -> (&'static str, u64) {
        let file = if is_unified { self.files().0 } else { self.files().1 };
        match self {
            Self::Pids => (file, limits.processes_max),
            Self::Memory => (file, limits.memory_bytes_max),
        }
    }
}

/// A folder below which this process may be able to make groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    pub(super) folder: PathBuf,
    pub(super) controllers: Vec<Controller>,
    /// Version 2 of control groups.
    pub(super) is_unified: bool,
}

/// Where groups could be made on this host, each controller once.
pub(super) fn find() -> Vec<Hierarchy> {
    let (Ok(mounts), Ok(own)) = (std::fs::read_to_string("/proc/self/mountinfo"), std::fs::read_to_string("/proc/self/cgroup")) else {
        return Vec::new();
    };
    find_in(&mounts, &own)
}

pub(super) fn find_in(mounts: &str, own: &str) -> Vec<Hierarchy> {
    let mut found: Vec<Hierarchy> = Vec::new();
    let mut left = Controller::ALL.to_vec();
    for mount in mounts.lines().filter_map(Mount::parse) {
        let Some(folder) = mount.own_folder(own) else { continue };
        let hierarchy = if mount.is_unified { unified(&mount.point, &folder, &left) } else { separate(&mount, folder, &left) };
        if let Some(hierarchy) = hierarchy {
            left.retain(|controller| !hierarchy.controllers.contains(controller));
            found.push(hierarchy);
        }
    }
    found
}

/// A hierarchy of version 1 has its controllers in each of its groups.
fn separate(mount: &Mount, folder: PathBuf, wanted: &[Controller]) -> Option<Hierarchy> {
    let controllers: Vec<_> = wanted.iter().copied().filter(|one| mount.options.iter().any(|option| option == one.name())).collect();
    (!controllers.is_empty() && folder.is_dir()).then_some(Hierarchy { folder, controllers, is_unified: false })
}

/// In the unified hierarchy, a group has the controllers that its parent passes on, and a group with processes passes none on: so the
/// nearest group above this process's own that passes some on and lets it make a child.
fn unified(top: &Path, own: &Path, wanted: &[Controller]) -> Option<Hierarchy> {
    own.ancestors().take(LEVELS_MAX).take_while(|folder| folder.starts_with(top)).find_map(|folder| {
        let passed_on = std::fs::read_to_string(folder.join("cgroup.subtree_control")).ok()?;
        let controllers: Vec<_> =
            wanted.iter().copied().filter(|one| passed_on.split_whitespace().any(|name| name == one.name())).collect();
        let writable = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
        (!controllers.is_empty() && writable).then(|| Hierarchy { folder: folder.to_owned(), controllers, is_unified: true })
    })
}

/// A mounted hierarchy: which part of it stands where (proc_pid_mountinfo(5)).
struct Mount {
    root: PathBuf,
    point: PathBuf,
    options: Vec<String>,
    is_unified: bool,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ').skip(3);
        let (root, point) = (front.next()?, front.next()?);
        let mut back = back.split(' ');
        let is_unified = match back.next()? {
            "cgroup2" => true,
            "cgroup" => false,
            _ => return None,
        };
        // Escaped characters: nobody mounts control groups at such a place.
        if root.contains('\\') || point.contains('\\') {
            return None;
        }
        let options = back.nth(1)?.split(',').map(str::to_owned).collect();
        Some(Self { root: root.into(), point: point.into(), options, is_unified })
    }

    /// The folder of the group that this process is in.
    fn own_folder(&self, own: &str) -> Option<PathBuf> {
        let path = own.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            let ours = if self.is_unified {
                controllers.is_empty()
            } else {
                controllers.split(',').any(|one| !one.is_empty() && self.options.iter().any(|option| option == one))
            };
            ours.then(|| Path::new(path))
        })?;
        let below = path.strip_prefix(&self.root).ok()?;
        below.components().all(|part| matches!(part, Component::Normal(_))).then(|| self.point.join(below))
    }
}
