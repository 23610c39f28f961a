//! A call, taken from the caller's registers and memory once.

use super::form::{Act, Attribute, Follow, Form, Spot, Unit};
use crate::opener::request::{Request, low, low_unsigned};
use crate::opener::target::Target;
use crate::seccomp::Notification;
use libc::{AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, RENAME_EXCHANGE, RENAME_NOREPLACE};
use rustix::fs::{FileType, Timespec, Timestamps, UTIME_NOW};
use rustix::io::Errno;
use std::ffi::CString;
use std::os::fd::OwnedFd;

/// Longest name of an extended attribute (`XATTR_NAME_MAX`), and largest value (`XATTR_SIZE_MAX`).
const ATTRIBUTE_NAME_BYTES_MAX: usize = 255;
const ATTRIBUTE_BYTES_MAX: usize = 65_536;
const ATTRIBUTE_FLAGS: u32 = (libc::XATTR_CREATE | libc::XATTR_REPLACE).cast_unsigned();

/// What is to be done.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) place: Said,
    pub(super) what: What,
}

/// A place as the caller named it.
#[derive(Debug)]
pub(super) enum Said {
    /// A name in a folder, there or not.
    Entry(Way),
    /// A file that is there.
    Object(Way),
    /// One that the caller has open: a copy of its descriptor.
    Descriptor(OwnedFd),
    /// The same, by `AT_EMPTY_PATH`; it may be a descriptor for the name only.
    Held(OwnedFd),
}

/// A path and where it starts.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) request: Request,
    pub(super) base: Option<OwnedFd>,
}

/// What is done, with everything that was said about it.
#[derive(Debug)]
pub(super) enum What {
    Name(OnName),
    Rename { to: Said, flags: u32 },
    Link(Said),
    File(OnFile),
}

/// Done to a name in a folder.
#[derive(Debug)]
pub(super) enum OnName {
    MakeFolder(u32),
    MakeNode { mode: u32, device: u64 },
    MakeLink(CString),
    RemoveFile,
    RemoveFolder,
}

/// Done to a file.
#[derive(Debug)]
pub(super) enum OnFile {
    Truncate(u64),
    Mode(u32),
    /// By `fchmodat2`.
    ExactMode(u32),
    Owner {
        user: u32,
        group: u32,
    },
    Times(Timestamps),
    SetAttribute {
        name: CString,
        value: Vec<u8>,
        flags: u32,
    },
    RemoveAttribute(CString),
}

impl Asked {
    /// None if nothing is to be done, whatever the path.
    pub(super) fn read(form: &Form, call: &Notification, target: Target<'_>) -> Result<Option<Self>, Errno> {
        let reader = Reader { arguments: &call.arguments, target };
        let Some((what, flags, kind)) = reader.what(form)? else { return Ok(None) };
        let place = match (form.act, form.place) {
            // Without a path, times are set by the descriptor.
            (Act::Attribute(Attribute::Times { .. }), Spot::At(folder, path))
                if reader.whole(path) == 0 && low(reader.whole(folder)) != AT_FDCWD =>
            {
                if flags != 0 {
                    return Err(Errno::INVAL);
                }
                reader.place(Spot::Descriptor(folder), kind, flags)?
            }
            _ => reader.place(form.place, kind, flags)?,
        };
        Ok(Some(Self { place, what }))
    }

    /// Whether the file mode mask counts.
    pub(super) fn makes_mode(&self) -> bool {
        matches!(self.what, What::Name(OnName::MakeFolder(_) | OnName::MakeNode { .. }))
    }

    /// What is changed, and where to.
    pub(super) fn places(&self) -> (&Said, Option<&Said>) {
        let second = match &self.what {
            What::Rename { to, .. } | What::Link(to) => Some(to),
            What::Name(_) | What::File(_) => None,
        };
        (&self.place, second)
    }
}

/// Whether the last name is looked up, and whether a link there is followed.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Entry,
    Object { follows: bool },
}

struct Reader<'a> {
    arguments: &'a [u64; 6],
    target: Target<'a>,
}

impl Reader<'_> {
    /// What is done; the flags that say how its place is looked up; and what kind of place it is.
    fn what(&self, form: &Form) -> Result<Option<(What, i32, Kind)>, Errno> {
        let entry = |what| Ok(Some((What::Name(what), 0, Kind::Entry)));
        match form.act {
            Act::MakeFolder { mode } => entry(OnName::MakeFolder(self.number(mode))),
            Act::MakeNode { mode, device } => {
                let (mode, device) = (self.number(mode), self.number(device).into());
                can_be_made(mode)?;
                entry(OnName::MakeNode { mode, device })
            }
            Act::MakeLink { text } => {
                let text = self.target.text(self.whole(text))?;
                if text.is_empty() { Err(Errno::NOENT) } else { entry(OnName::MakeLink(text)) }
            }
            Act::RemoveFile => entry(OnName::RemoveFile),
            Act::RemoveFolder => entry(OnName::RemoveFolder),
            Act::Remove { flags } => {
                let flags = self.flags(Some(flags), AT_REMOVEDIR)?;
                entry(if flags == 0 { OnName::RemoveFile } else { OnName::RemoveFolder })
            }
            Act::Rename { to, flags } => {
                // A whiteout would be a device, which nobody makes here.
                let known = (RENAME_NOREPLACE | RENAME_EXCHANGE).cast_signed();
                let flags = self.flags(flags, known)?.cast_unsigned();
                if flags == known.cast_unsigned() {
                    return Err(Errno::INVAL);
                }
                Ok(Some((What::Rename { to: self.place(to, Kind::Entry, 0)?, flags }, 0, Kind::Entry)))
            }
            Act::Link { to, flags } => {
                let flags = self.flags(flags, AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)?;
                let kind = Kind::Object { follows: flags & AT_SYMLINK_FOLLOW != 0 };
                Ok(Some((What::Link(self.place(to, Kind::Entry, 0)?), flags, kind)))
            }
            Act::Truncate { length } if i64::try_from(self.whole(length)).is_err() => Err(Errno::INVAL),
            Act::Truncate { length } => Ok(Some((What::File(OnFile::Truncate(self.whole(length))), 0, Kind::Object { follows: true }))),
            Act::Attribute(attribute) => {
                let (what, flags, follows) = self.attribute(attribute)?;
                Ok(what.map(|what| (What::File(what), flags, Kind::Object { follows })))
            }
        }
    }

    /// What is done to a file's attributes, the flags, and whether a link at the end is followed.
    fn attribute(&self, attribute: Attribute) -> Result<(Option<OnFile>, i32, bool), Errno> {
        let known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
        let follows = |follow| !matches!(follow, Follow::Never);
        match attribute {
            Attribute::Mode { mode, flags } => {
                let (mode, bits) = (self.number(mode), self.flags(flags, known)?);
                let what = if flags.is_some() { OnFile::ExactMode(mode) } else { OnFile::Mode(mode) };
                Ok((Some(what), bits, bits & AT_SYMLINK_NOFOLLOW == 0))
            }
            Attribute::Owner { user, follow } => {
                let bits = if let Follow::Flags(flags) = follow { self.flags(Some(flags), known)? } else { 0 };
                let what = OnFile::Owner { user: self.number(user), group: self.number(user + 1) };
                Ok((Some(what), bits, follows(follow) && bits & AT_SYMLINK_NOFOLLOW == 0))
            }
            Attribute::Times { times, unit, flags } => {
                let bits = self.flags(flags, known)?;
                Ok((self.times(self.whole(times), unit)?, bits, bits & AT_SYMLINK_NOFOLLOW == 0))
            }
            Attribute::Set { follow } => {
                if self.number(4) & !ATTRIBUTE_FLAGS != 0 {
                    return Err(Errno::INVAL);
                }
                let size = usize::try_from(self.whole(3)).ok().filter(|size| *size <= ATTRIBUTE_BYTES_MAX).ok_or(Errno::TOOBIG)?;
                let value = if size == 0 { Vec::new() } else { self.target.bytes(self.whole(2), size)? };
                Ok((Some(OnFile::SetAttribute { name: self.attribute_name()?, value, flags: self.number(4) }), 0, follows(follow)))
            }
            Attribute::Remove { follow } => Ok((Some(OnFile::RemoveAttribute(self.attribute_name()?)), 0, follows(follow))),
        }
    }

    fn place(&self, spot: Spot, kind: Kind, flags: i32) -> Result<Said, Errno> {
        let (folder, path) = match spot {
            Spot::Descriptor(number) => return Ok(Said::Descriptor(self.target.descriptor(low(self.whole(number)))?)),
            Spot::Path(path) => (AT_FDCWD, self.whole(path)),
            Spot::At(folder, path) => (low(self.whole(folder)), self.whole(path)),
        };
        let path = self.target.text(path)?;
        if path.is_empty() && flags & AT_EMPTY_PATH != 0 {
            let held = if folder == AT_FDCWD { self.target.base(folder)? } else { self.target.descriptor(folder)? };
            return Ok(Said::Held(held));
        }
        let follows = matches!(kind, Kind::Object { follows: true });
        let request = Request::object(folder, path, follows);
        let base = if request.is_relative() { Some(self.target.base(folder)?) } else { None };
        let way = Way { request, base };
        Ok(if matches!(kind, Kind::Entry) { Said::Entry(way) } else { Said::Object(way) })
    }

    /// None if neither time is to be changed.
    fn times(&self, address: u64, unit: Unit) -> Result<Option<OnFile>, Errno> {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        if address == 0 {
            return Ok(Some(OnFile::Times(Timestamps { last_access: now, last_modification: now })));
        }
        let length = if matches!(unit, Unit::Seconds) { 16 } else { 32 };
        let bytes = self.target.bytes(address, length)?;
        let mut numbers = bytes.chunks_exact(8).filter_map(|part| part.try_into().ok()).map(i64::from_ne_bytes);
        let mut next = || -> Result<Timespec, Errno> {
            let seconds = numbers.next().ok_or(Errno::FAULT)?;
            let part = if matches!(unit, Unit::Seconds) { 0 } else { numbers.next().ok_or(Errno::FAULT)? };
            match unit {
                Unit::Microseconds if !(0..1_000_000).contains(&part) => Err(Errno::INVAL),
                Unit::Microseconds => Ok(Timespec { tv_sec: seconds, tv_nsec: part * 1000 }),
                Unit::Seconds | Unit::Nanoseconds => Ok(Timespec { tv_sec: seconds, tv_nsec: part }),
            }
        };
        let times = Timestamps { last_access: next()?, last_modification: next()? };
        let is_omitted = |time: &Timespec| time.tv_nsec == rustix::fs::UTIME_OMIT;
        let is_nothing = is_omitted(&times.last_access) && is_omitted(&times.last_modification);
        Ok((!is_nothing).then_some(OnFile::Times(times)))
    }

    fn attribute_name(&self) -> Result<CString, Errno> {
        let name = self.target.text(self.whole(1))?;
        if name.is_empty() || name.as_bytes().len() > ATTRIBUTE_NAME_BYTES_MAX { Err(Errno::RANGE) } else { Ok(name) }
    }

    fn flags(&self, argument: Option<usize>, known: i32) -> Result<i32, Errno> {
        let flags = argument.map_or(0, |number| low(self.whole(number)));
        if flags & !known == 0 { Ok(flags) } else { Err(Errno::INVAL) }
    }

    fn whole(&self, number: usize) -> u64 {
        self.arguments.get(number).copied().unwrap_or_default()
    }

    fn number(&self, number: usize) -> u32 {
        low_unsigned(self.whole(number))
    }
}

/// The kernel says so before it looks at the path.
fn can_be_made(mode: u32) -> Result<(), Errno> {
    match FileType::from_raw_mode(mode) {
        // Devices were refused before.
        FileType::Directory | FileType::CharacterDevice | FileType::BlockDevice => Err(Errno::PERM),
        FileType::Symlink => Err(Errno::INVAL),
        FileType::Unknown if mode & libc::S_IFMT != 0 => Err(Errno::INVAL),
        FileType::RegularFile | FileType::Fifo | FileType::Socket | FileType::Unknown => Ok(()),
    }
}
