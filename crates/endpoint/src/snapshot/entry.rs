//! What is known of one file, folder or link, and the line that stands for it in a manifest.

use data_encoding::HEXLOWER;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// A SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub(super) [u8; 32]);

impl Digest {
    /// As 64 lower-case hex digits.
    pub fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }

    pub(super) fn of(bytes: &[u8]) -> Self {
        Self::take(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
    }

    pub(super) fn take(bytes: &[u8]) -> Self {
        Self(bytes.try_into().unwrap_or([0; 32]))
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

/// A time of a file system: seconds and nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) nanoseconds: i64,
}

/// Which file it was, and when it last changed: as long as both are the same, so is everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) changed: Moment,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    /// The digest is there if the content is kept.
    File {
        size: u64,
        digest: Option<Digest>,
    },
    Link {
        target: OsString,
    },
    /// A socket, fifo or device, or a folder too deep to be looked into: noted, not kept.
    Special,
}

/// Extended attributes (`user.*`), sorted by name.
pub(super) type Attributes = Vec<(Vec<u8>, Vec<u8>)>;

/// One file, folder or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    /// Permission bits, set-id and sticky bits included.
    pub(super) mode: u32,
    pub(super) owner: (u32, u32),
    pub(super) modified: Moment,
    pub(super) stamp: Stamp,
    pub(super) attributes: Attributes,
}

impl Entry {
    pub(super) fn is_folder(&self) -> bool {
        self.kind == Kind::Folder
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        match self.kind {
            Kind::File { digest, .. } => digest,
            Kind::Folder | Kind::Link { .. } | Kind::Special => None,
        }
    }

    pub(super) fn size(&self) -> u64 {
        match self.kind {
            Kind::File { size, .. } => size,
            Kind::Folder | Kind::Link { .. } | Kind::Special => 0,
        }
    }

    /// The letter of its kind in a manifest.
    pub(super) fn kind_letter(&self) -> char {
        match self.kind {
            Kind::Folder => 'd',
            Kind::File { .. } => 'f',
            Kind::Link { .. } => 'l',
            Kind::Special => 's',
        }
    }

    /// Whether two looks at one path found the same, as far as can be told without reading content. Folders are alike whatever happened
    /// in them.
    pub(super) fn looks_like(&self, other: &Self) -> bool {
        let same_kind = match (&self.kind, &other.kind) {
            (Kind::Folder, Kind::Folder) => return true,
            (Kind::File { size, .. }, Kind::File { size: others, .. }) => size == others,
            (Kind::Link { target }, Kind::Link { target: others }) => return target == others,
            (Kind::Special, Kind::Special) => true,
            _ => false,
        };
        same_kind && self.mode == other.mode && self.modified == other.modified
    }

    /// The line that stands for the entry, without its line feed.
    pub(super) fn encode(&self, path: &Path, out: &mut String) {
        let target = match &self.kind {
            Kind::Link { target } => Some(target),
            Kind::Folder | Kind::File { .. } | Kind::Special => None,
        };
        let Stamp { device, inode, changed } = self.stamp;
        let fields = [
            self.kind_letter().to_string(),
            format!("{:o}", self.mode),
            format!("{}:{}", self.owner.0, self.owner.1),
            moment(self.modified),
            moment(changed),
            format!("{device}:{inode}"),
            self.size().to_string(),
            self.digest().map_or_else(|| "-".to_owned(), |digest| digest.hex()),
        ];
        out.push_str(&fields.join(" "));
        out.push(' ');
        if self.attributes.is_empty() {
            out.push('-');
        }
        for (name, value) in &self.attributes {
            escape(name, out);
            out.push('=');
            escape(value, out);
            out.push(';');
        }
        out.push(' ');
        if path.as_os_str().is_empty() {
            out.push('.');
        }
        escape(path.as_os_str().as_bytes(), out);
        if let Some(target) = target {
            out.push(' ');
            escape(target.as_bytes(), out);
        }
    }

    /// No less than the bytes of that line.
    pub(super) fn encoded_bytes_most(&self, path: &Path) -> u64 {
        /// Numbers, a digest and what stands between them.
        const FIXED_BYTES_MAX: usize = 260;
        let target = if let Kind::Link { target } = &self.kind { escaped_bytes(target.as_bytes()) } else { 0 };
        let attributes = self.attributes.iter().map(|(name, value)| escaped_bytes(name) + escaped_bytes(value) + 2);
        let bytes = FIXED_BYTES_MAX + escaped_bytes(path.as_os_str().as_bytes()) + target + attributes.sum::<usize>();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Reads such a line; `None` if it is none.
    pub(super) fn decode(line: &str) -> Option<(PathBuf, Self)> {
        let fields: Vec<&str> = line.split(' ').collect();
        let (fixed, rest) = fields.split_first_chunk::<10>()?;
        let [letter, mode, owner, modified, changed, inode, size, digest, attributes, path] = *fixed;
        let digest = if digest == "-" { None } else { Some(Digest::parse(digest)?) };
        let kind = match (letter, rest) {
            ("d", []) => Kind::Folder,
            ("f", []) => Kind::File { size: size.parse().ok()?, digest },
            ("l", [target]) => Kind::Link { target: OsString::from_vec(unescape(target)?) },
            ("s", []) => Kind::Special,
            _ => return None,
        };
        let (device, inode) = pair(inode)?;
        let (user, group) = pair(owner)?;
        let entry = Self {
            kind,
            mode: u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777)?,
            owner: (user.try_into().ok()?, group.try_into().ok()?),
            modified: parse_moment(modified)?,
            stamp: Stamp { device, inode, changed: parse_moment(changed)? },
            attributes: parse_attributes(attributes)?,
        };
        let path = if path == "." { PathBuf::new() } else { PathBuf::from(OsString::from_vec(unescape(path)?)) };
        path.components().all(|part| matches!(part, Component::Normal(_))).then_some((path, entry))
    }
}

fn moment(time: Moment) -> String {
    format!("{}.{}", time.seconds, time.nanoseconds)
}

fn parse_moment(text: &str) -> Option<Moment> {
    let (seconds, nanoseconds) = text.split_once('.')?;
    Some(Moment { seconds: seconds.parse().ok()?, nanoseconds: nanoseconds.parse().ok().filter(|part| (0..1_000_000_000).contains(part))? })
}

fn pair(text: &str) -> Option<(u64, u64)> {
    let (one, other) = text.split_once(':')?;
    Some((one.parse().ok()?, other.parse().ok()?))
}

fn parse_attributes(text: &str) -> Option<Attributes> {
    if text == "-" {
        return Some(Vec::new());
    }
    let list = text.strip_suffix(';')?.split(';');
    list.map(|one| one.split_once('=').and_then(|(name, value)| Some((unescape(name)?, unescape(value)?)))).collect()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._/-+@~,".contains(&byte)
}

fn escaped_bytes(bytes: &[u8]) -> usize {
    bytes.iter().map(|byte| if is_plain(*byte) { 1 } else { 3 }).sum()
}

/// Writes bytes so that they are one word of a line: everything but plain letters and a few signs as `%XX`.
pub(super) fn escape(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        if is_plain(*byte) {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.push_str(&HEXLOWER.encode(&[*byte]));
        }
    }
}

/// The bytes of such a word.
pub(super) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.extend(HEXLOWER.decode(&digits).ok()?);
    }
    Some(bytes)
}
