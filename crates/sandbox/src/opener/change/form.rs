//! Calls that change names or attributes, and which of their arguments is what.

use crate::opener::request::low_unsigned;
use crate::seccomp::SET_ID;
use libc::c_long;
use rustix::fs::FileType;

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) number: c_long,
    /// What is changed; of `rename` and `link`, what was there before.
    pub(super) place: Spot,
    pub(super) act: Act,
}

/// Which argument says where.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    /// A path, by its argument's number.
    Path(usize),
    /// A folder's descriptor and a path.
    At(usize, usize),
    /// A descriptor of the file itself.
    Descriptor(usize),
}

/// Which argument has flags; none stands for no flag.
pub(super) type Flags = Option<usize>;

/// Whether a link at a path's end is followed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Follow {
    Always,
    Never,
    /// By the flags.
    Flags(usize),
}

/// What is done, with the numbers of further arguments.
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "some are asked for by calls of x86-64 alone"))]
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    MakeFolder { mode: usize },
    MakeNode { mode: usize, device: usize },
    MakeLink { text: usize },
    RemoveFile,
    RemoveFolder,
    Remove { flags: usize },
    Rename { to: Spot, flags: Flags },
    Link { to: Spot, flags: Flags },
    Truncate { length: usize },
    Attribute(Attribute),
}

/// What is done to a file's attributes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attribute {
    Mode { mode: usize, flags: Flags },
    Owner { user: usize, follow: Follow },
    Times { times: usize, unit: Unit, flags: Flags },
    Set { follow: Follow },
    Remove { follow: Follow },
}

/// How times are written.
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "some are asked for by calls of x86-64 alone"))]
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    /// Two numbers of seconds (`struct utimbuf`).
    Seconds,
    /// Two of `struct timeval`.
    Microseconds,
    /// Two of `struct timespec`.
    Nanoseconds,
}

impl Form {
    /// Whether it would make what nobody makes inside: a file that lends its owner's or its group's rights to whoever executes it, or a
    /// device. One of them, a whiteout, needs no capability, and newer kernels' Landlock counts it as a file (6.1.192).
    pub(super) fn is_forbidden(&self, arguments: &[u64; 6]) -> bool {
        let mode_in = |place: usize| low_unsigned(arguments.get(place).copied().unwrap_or_default());
        match self.act {
            Act::MakeNode { mode, .. } => {
                let mode = mode_in(mode);
                mode & SET_ID != 0 || matches!(FileType::from_raw_mode(mode), FileType::CharacterDevice | FileType::BlockDevice)
            }
            Act::Attribute(Attribute::Mode { mode, .. }) => mode_in(mode) & SET_ID != 0,
            Act::MakeFolder { .. }
            | Act::MakeLink { .. }
            | Act::RemoveFile
            | Act::RemoveFolder
            | Act::Remove { .. }
            | Act::Rename { .. }
            | Act::Link { .. }
            | Act::Truncate { .. }
            | Act::Attribute(_) => false,
        }
    }
}

/// The form of a call.
pub(super) fn find(number: i32) -> Option<&'static Form> {
    FORMS.iter().chain(OLDER).find(|form| form.number == c_long::from(number))
}

/// Numbers of all calls that have a form.
#[cfg(any(test, fuzzing))]
pub(super) fn numbers() -> impl Iterator<Item = c_long> {
    FORMS.iter().chain(OLDER).map(|form| form.number)
}

const fn form(number: c_long, place: Spot, act: Act) -> Form {
    Form { number, place, act }
}

use Spot::{At, Descriptor, Path};

const FORMS: &[Form] = &[
    form(libc::SYS_mkdirat, At(0, 1), Act::MakeFolder { mode: 2 }),
    form(libc::SYS_mknodat, At(0, 1), Act::MakeNode { mode: 2, device: 3 }),
    form(libc::SYS_symlinkat, At(1, 2), Act::MakeLink { text: 0 }),
    form(libc::SYS_unlinkat, At(0, 1), Act::Remove { flags: 2 }),
    form(RENAMEAT, At(0, 1), Act::Rename { to: At(2, 3), flags: None }),
    form(libc::SYS_renameat2, At(0, 1), Act::Rename { to: At(2, 3), flags: Some(4) }),
    form(libc::SYS_linkat, At(0, 1), Act::Link { to: At(2, 3), flags: Some(4) }),
    form(libc::SYS_truncate, Path(0), Act::Truncate { length: 1 }),
    form(libc::SYS_fchmod, Descriptor(0), Act::Attribute(Attribute::Mode { mode: 1, flags: None })),
    form(libc::SYS_fchmodat, At(0, 1), Act::Attribute(Attribute::Mode { mode: 2, flags: None })),
    form(FCHMODAT2, At(0, 1), Act::Attribute(Attribute::Mode { mode: 2, flags: Some(3) })),
    form(libc::SYS_fchown, Descriptor(0), Act::Attribute(Attribute::Owner { user: 1, follow: Follow::Always })),
    form(libc::SYS_fchownat, At(0, 1), Act::Attribute(Attribute::Owner { user: 2, follow: Follow::Flags(4) })),
    form(libc::SYS_utimensat, At(0, 1), Act::Attribute(Attribute::Times { times: 2, unit: Unit::Nanoseconds, flags: Some(3) })),
    form(libc::SYS_setxattr, Path(0), Act::Attribute(Attribute::Set { follow: Follow::Always })),
    form(libc::SYS_lsetxattr, Path(0), Act::Attribute(Attribute::Set { follow: Follow::Never })),
    form(libc::SYS_fsetxattr, Descriptor(0), Act::Attribute(Attribute::Set { follow: Follow::Always })),
    form(libc::SYS_removexattr, Path(0), Act::Attribute(Attribute::Remove { follow: Follow::Always })),
    form(libc::SYS_lremovexattr, Path(0), Act::Attribute(Attribute::Remove { follow: Follow::Never })),
    form(libc::SYS_fremovexattr, Descriptor(0), Act::Attribute(Attribute::Remove { follow: Follow::Always })),
];

/// By their numbers: not every architecture's C library crate names them.
pub(super) const FCHMODAT2: c_long = 452;
#[cfg(target_arch = "x86_64")]
const RENAMEAT: c_long = libc::SYS_renameat;
#[cfg(not(target_arch = "x86_64"))]
const RENAMEAT: c_long = 38;

#[cfg(target_arch = "x86_64")]
const OLDER: &[Form] = &[
    form(libc::SYS_mkdir, Path(0), Act::MakeFolder { mode: 1 }),
    form(libc::SYS_mknod, Path(0), Act::MakeNode { mode: 1, device: 2 }),
    form(libc::SYS_symlink, Path(1), Act::MakeLink { text: 0 }),
    form(libc::SYS_unlink, Path(0), Act::RemoveFile),
    form(libc::SYS_rmdir, Path(0), Act::RemoveFolder),
    form(libc::SYS_rename, Path(0), Act::Rename { to: Path(1), flags: None }),
    form(libc::SYS_link, Path(0), Act::Link { to: Path(1), flags: None }),
    form(libc::SYS_chmod, Path(0), Act::Attribute(Attribute::Mode { mode: 1, flags: None })),
    form(libc::SYS_chown, Path(0), Act::Attribute(Attribute::Owner { user: 1, follow: Follow::Always })),
    form(libc::SYS_lchown, Path(0), Act::Attribute(Attribute::Owner { user: 1, follow: Follow::Never })),
    form(libc::SYS_utime, Path(0), Act::Attribute(Attribute::Times { times: 1, unit: Unit::Seconds, flags: None })),
    form(libc::SYS_utimes, Path(0), Act::Attribute(Attribute::Times { times: 1, unit: Unit::Microseconds, flags: None })),
    form(libc::SYS_futimesat, At(0, 1), Act::Attribute(Attribute::Times { times: 2, unit: Unit::Microseconds, flags: None })),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[Form] = &[];
