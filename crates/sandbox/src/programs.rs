//! Which programs a session may run. Whoever makes the plan has decided; this only compares.

use rustix::fs::Stat;
use std::path::{Path, PathBuf};

/// Which programs may run, and what is told of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Programs {
    /// Whether each program is looked at before its first instruction, and reported.
    pub observe: bool,
    /// The only programs that may run; none: whatever the session can reach. Counts only with `observe`.
    pub listed: Option<Vec<ListedProgram>>,
    /// Canonical paths of the dynamic loaders that listed programs need. The kernel may load them; run as programs they would run
    /// anything, so that they count as listed only by their own path.
    pub loaders: Vec<PathBuf>,
    /// Mounts and private areas, by where they stand inside, from which nothing is executed.
    pub without_execution: Vec<PathBuf>,
}

/// A program, or several, that may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedProgram {
    /// The file at this canonical path; with an identity only as long as it is the file that was measured.
    File {
        /// Where it is.
        path: PathBuf,
        /// What it was when it was measured.
        identity: Option<FileIdentity>,
    },
    /// Every file below this canonical path.
    Tree(PathBuf),
}

/// A file and its state: the kernel sets the change time anew with every write, whoever sets the other times back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Device number of its file system.
    pub device: u64,
    /// Number of the file there.
    pub inode: u64,
    /// Size.
    pub bytes: u64,
    /// Change time: seconds and nanoseconds since 1970.
    pub changed: (i64, i64),
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Why a program was not run.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProgramRefusal {
            $($(#[$doc])* $variant,)*
        }

        impl ProgramRefusal {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The reason in a word, as it stands in evidence.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

refusals! {
    /// It is not listed.
    NotListed = "not_listed";
    /// It is a dynamic loader, which would run anything.
    Loader = "loader";
    /// It has no name in a file system: memory, a pipe.
    Nameless = "nameless";
    /// It is not the file that was measured before the start.
    Changed = "changed";
    /// Its mode or its mount does not let it be executed.
    NotExecutable = "not_executable";
    /// It cannot be read, and so not be measured.
    Unreadable = "unreadable";
    /// It is too large to be measured.
    TooLarge = "too_large";
    /// The session ran as many different programs as can be told.
    TooMany = "too_many";
    /// Nothing could confirm what is run.
    Untraced = "untraced";
}

/// The one place of a file that stands inside twice, by which it is listed and told; each pair is a second place and the first.
pub(crate) fn first_place(second_places: &[(PathBuf, PathBuf)], path: PathBuf) -> PathBuf {
    let first = second_places.iter().find_map(|(second, first)| Some((first, path.strip_prefix(second).ok()?)));
    match first {
        Some((first, rest)) if rest.as_os_str().is_empty() => first.clone(),
        Some((first, rest)) => first.join(rest),
        None => path,
    }
}

impl FileIdentity {
    /// From what the kernel says of a file.
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            bytes: u64::try_from(stat.st_size).unwrap_or_default(),
            changed: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or_default()),
        }
    }

    /// Whether both are the same file, whatever was done to it.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl Programs {
    /// Why the file at this canonical path may not run; none if it may.
    pub(crate) fn refusal(&self, path: &Path, identity: &FileIdentity) -> Option<ProgramRefusal> {
        let listed = self.listed.as_ref()?;
        let by_path = listed.iter().find_map(|one| match one {
            ListedProgram::File { path: own, identity } if own == path => Some(identity),
            ListedProgram::File { .. } | ListedProgram::Tree(_) => None,
        });
        match by_path {
            Some(Some(measured)) if measured != identity => return Some(ProgramRefusal::Changed),
            Some(_) => return None,
            None => {}
        }
        if self.loaders.iter().any(|loader| loader == path) {
            return Some(ProgramRefusal::Loader);
        }
        let in_tree = listed.iter().any(|one| matches!(one, ListedProgram::Tree(tree) if path.starts_with(tree)));
        if in_tree { None } else { Some(ProgramRefusal::NotListed) }
    }

    /// Whether nothing at this place inside is executed.
    pub(crate) fn forbids_execution_at(&self, place: &Path) -> bool {
        self.without_execution.iter().any(|one| one == place)
    }
}

#[cfg(test)]
mod tests;
