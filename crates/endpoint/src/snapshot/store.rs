//! Where kept states lie: content once, and a folder for each state with what is known of it.

use super::entry::{Moment, escape, unescape};
use super::manifest::{MANIFEST_BYTES_MAX, Manifest};
use super::objects::{Objects, private_folder};
use super::{Digest, Error};
use rustix::fs::{FlockOperation, OFlags, flock};
use schema::{SessionId, Timestamp, Token};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const ENTRY: &str = "entry";
const END: &str = "end";
const BEFORE: &str = "before";
const TARGET: &str = "target";
const LOCK: &str = "lock";
/// Largest of the small files.
const FACTS_BYTES_MAX: u64 = 64 * 1024;
/// Most states that are listed.
const LISTED_MAX: usize = 100_000;

/// What a kept state is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// The workspace before a session that worked in it.
    Live,
    /// The workspace under a session whose changes wait to be committed.
    Staged,
    /// The workspace before a rollback.
    Rollback,
}

impl Scene {
    /// Its name in lists and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Staged => "staged",
            Self::Rollback => "rollback",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Live, Self::Staged, Self::Rollback].into_iter().find(|scene| scene.name() == name)
    }
}

/// What is known of a kept state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is of.
    pub scene: Scene,
    /// Of which folder.
    pub workspace: PathBuf,
    /// In whose log it is on record.
    pub session_id: SessionId,
    /// When it was taken.
    pub taken: Timestamp,
    /// The agent, or what brought it about.
    pub agent_id: Token,
    /// How content was kept: `reflink`, `copy`, `none` (by the policy), `overlay` (nothing needs to be), `unchanged` (all was kept already).
    pub method: Token,
    /// Files whose content is kept.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// SHA-256 of the list of entries.
    pub manifest: Digest,
}

/// The store of one user.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    pub(super) objects: Objects,
}

/// A kept state.
#[derive(Debug)]
pub struct Kept {
    /// Its id: that of the session, or one of its own.
    pub id: SessionId,
    /// What is known of it.
    pub facts: Facts,
    pub(super) folder: PathBuf,
}

/// Held while a state is in use.
#[derive(Debug)]
pub(super) struct Hold {
    _file: File,
}

/// Takes an id as it was typed: `ses-` and 32 hex digits, and nothing that could be a path.
pub(super) fn checked_id(text: &str) -> Result<SessionId, Error> {
    let unknown = || Error::Unknown { id: text.chars().take(80).collect() };
    let digits = text.strip_prefix("ses-").ok_or_else(unknown)?;
    if digits.len() != 32 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(unknown());
    }
    SessionId::parse(text).map_err(|_| unknown())
}

impl Store {
    /// The store in a folder, which is made when something is kept.
    pub fn new(folder: PathBuf) -> Self {
        let objects = Objects::new(folder.join("objects"));
        Self { folder, objects }
    }

    /// The folder of one state.
    pub(super) fn state_folder(&self, id: &SessionId) -> PathBuf {
        self.states().join(id.as_str())
    }

    fn states(&self) -> PathBuf {
        self.folder.join("states")
    }

    /// The state of this id.
    pub(super) fn kept(&self, id: &str) -> Result<Kept, Error> {
        let id = checked_id(id)?;
        let folder = self.states().join(id.as_str());
        let text = read(&folder.join(ENTRY)).map_err(|_| Error::Unknown { id: id.to_string() })?;
        let damaged = || Error::Damaged { id: id.to_string(), what: "the file with its facts cannot be read".to_owned() };
        let facts = parse_facts(&text).ok_or_else(damaged)?;
        Ok(Kept { id, facts, folder })
    }

    /// All states, the oldest first. One whose facts a kill cut short is none.
    pub fn list(&self) -> Result<Vec<Kept>, Error> {
        let states = self.states();
        let entries = match fs::read_dir(&states) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", &states)(error)),
        };
        let names = entries.take(LISTED_MAX).filter_map(|entry| Some(entry.ok()?.file_name()));
        let mut list: Vec<Kept> = names.filter_map(|name| self.kept(name.to_str()?).ok()).collect();
        list.sort_by(|one, other| (one.facts.taken, &one.id).cmp(&(other.facts.taken, &other.id)));
        Ok(list)
    }

    /// Writes down a state whose content is in the store, and takes hold of it.
    pub(super) fn create(&self, id: SessionId, facts: Facts) -> Result<(Kept, Hold), Error> {
        let folder = self.states().join(id.as_str());
        private_folder(&folder).map_err(Error::io("make", &folder))?;
        let kept = Kept { id, facts, folder };
        let hold = kept.hold()?;
        let path = kept.folder.join(ENTRY);
        let written = create(&path).and_then(|mut file| {
            file.write_all(print_facts(&kept.facts).as_bytes())?;
            file.sync_all()
        });
        written.map_err(Error::io("write", &path))?;
        Ok((kept, hold))
    }

    /// Keeps others from taking content away while it is added or used.
    pub(super) fn share(&self) -> Result<Hold, Error> {
        self.hold(FlockOperation::LockShared).map_err(Error::io("lock", &self.folder))
    }

    fn hold(&self, operation: FlockOperation) -> io::Result<Hold> {
        private_folder(&self.folder)?;
        let file = create(&self.folder.join(LOCK))?;
        flock(&file, operation)?;
        Ok(Hold { _file: file })
    }

    /// Reads a list of entries, and compares it with its digest.
    pub(super) fn manifest(&self, id: &SessionId, digest: Digest) -> Result<Manifest, Error> {
        let damaged = |what: &str| Error::Damaged { id: id.to_string(), what: what.to_owned() };
        let bytes = self.objects.read(digest, MANIFEST_BYTES_MAX).map_err(|_| damaged("its list of files is gone or was altered"))?;
        let text = String::from_utf8(bytes).map_err(|_| damaged("its list of files is not text"))?;
        Manifest::decode(&text).ok_or_else(|| damaged("its list of files does not fit together"))
    }

    /// The newest state of a folder with its content, for what has not changed since; empty if there is none.
    pub(super) fn latest(&self, workspace: &Path) -> Manifest {
        let found = || {
            let id = read(&self.latest_file(workspace)).ok()?;
            let kept = self.kept(id.trim_end()).ok().filter(|kept| kept.facts.workspace == workspace)?;
            let manifest = self.manifest(&kept.id, kept.facts.manifest).ok()?;
            let seconds = i64::try_from(kept.facts.taken.unix_ms / 1000).ok()?;
            Some(manifest.settled_before(Moment { seconds, nanoseconds: 0 }))
        };
        found().unwrap_or_default()
    }

    /// Makes a state the newest of its folder. A kill before this costs time, not content.
    pub(super) fn set_latest(&self, kept: &Kept) -> Result<(), Error> {
        let path = self.latest_file(&kept.facts.workspace);
        private_folder(&self.folder.join("latest"))
            .and_then(|()| replace(&path, kept.id.as_str(), false))
            .map_err(Error::io("write", &path))
    }

    fn latest_file(&self, workspace: &Path) -> PathBuf {
        self.folder.join("latest").join(Digest::of(workspace.as_os_str().as_bytes()).hex())
    }

    /// Takes away states that are older than `oldest`, or of which there are more than `count_max`, and the content that no other
    /// names. States in use stay, and so do those with changes that wait to be committed.
    pub(super) fn retire(&self, oldest: Timestamp, count_max: usize) -> Result<(), Error> {
        let list = self.list()?;
        let surplus = list.len().saturating_sub(count_max);
        let due = list.iter().enumerate().filter(|(place, kept)| *place < surplus || kept.facts.taken < oldest);
        let due: Vec<&Kept> = due.map(|(_, kept)| kept).filter(|kept| !kept.is_waiting()).collect();
        if due.is_empty() {
            return Ok(());
        }
        // Someone adds content just now: the next session takes care of it.
        let Ok(_hold) = self.hold(FlockOperation::NonBlockingLockExclusive) else { return Ok(()) };
        for kept in due {
            let Ok(_hold) = kept.hold() else { continue };
            fs::remove_file(kept.folder.join(ENTRY)).map_err(Error::io("remove", &kept.folder))?;
            fs::remove_dir_all(&kept.folder).map_err(Error::io("remove", &kept.folder))?;
        }
        self.collect()
    }

    fn collect(&self) -> Result<(), Error> {
        let mut named = std::collections::HashSet::new();
        for kept in self.list()? {
            for digest in [Some(kept.facts.manifest), kept.end(), kept.before(), kept.target()].into_iter().flatten() {
                named.insert(digest);
                // Nothing can be brought back from one that was altered.
                let Ok(manifest) = self.manifest(&kept.id, digest) else { continue };
                named.extend(manifest.entries.values().filter_map(super::entry::Entry::digest));
            }
        }
        self.objects.collect(&|digest| named.contains(&digest)).map_err(Error::io("take old content from", &self.folder))
    }
}

impl Kept {
    /// Takes hold of the state until the result is dropped.
    pub(super) fn hold(&self) -> Result<Hold, Error> {
        let path = self.folder.join(LOCK);
        let file = create(&path).map_err(Error::io("lock", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Hold { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::InUse { id: self.id.to_string() }),
            Err(errno) => Err(Error::errno("lock", &path)(errno)),
        }
    }

    /// Whether someone holds it: its session runs, or it is being brought back.
    pub fn is_in_use(&self) -> bool {
        self.hold().is_err()
    }

    /// Whether its changes wait to be committed or discarded.
    pub fn is_waiting(&self) -> bool {
        self.facts.scene == Scene::Staged && self.upper().is_dir()
    }

    /// Whether its changes were brought into the workspace.
    pub fn is_committed(&self) -> bool {
        self.facts.scene == Scene::Staged && self.before().is_some() && self.end().is_some()
    }

    /// Where a staged session writes.
    pub(super) fn upper(&self) -> PathBuf {
        self.folder.join("upper")
    }

    /// The list of entries as the session, rollback or commit left them, without content.
    pub(super) fn end(&self) -> Option<Digest> {
        self.named(END)
    }

    /// The workspace before the commit.
    pub(super) fn before(&self) -> Option<Digest> {
        self.named(BEFORE)
    }

    /// The workspace as the commit makes it.
    pub(super) fn target(&self) -> Option<Digest> {
        self.named(TARGET)
    }

    fn named(&self, name: &str) -> Option<Digest> {
        Digest::parse(read(&self.folder.join(name)).ok()?.trim_end())
    }

    pub(super) fn set_end(&self, digest: Digest) -> Result<(), Error> {
        self.set(END, digest)
    }

    pub(super) fn set_before(&self, digest: Digest) -> Result<(), Error> {
        self.set(BEFORE, digest)
    }

    pub(super) fn set_target(&self, digest: Digest) -> Result<(), Error> {
        self.set(TARGET, digest)
    }

    fn set(&self, name: &str, digest: Digest) -> Result<(), Error> {
        let path = self.folder.join(name);
        replace(&path, &digest.hex(), true).map_err(Error::io("write", &path))
    }
}

fn no_follow() -> i32 {
    OFlags::NOFOLLOW.bits().cast_signed()
}

fn create(path: &Path) -> io::Result<File> {
    File::options().write(true).create(true).truncate(true).mode(0o600).custom_flags(no_follow()).open(path)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::options().read(true).custom_flags(no_follow()).open(path)?.take(FACTS_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a small file so that it is there whole or as before.
fn replace(path: &Path, text: &str, is_durable: bool) -> io::Result<()> {
    let partial = path.with_extension(format!("part-{}", std::process::id()));
    let mut file = create(&partial)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    if is_durable {
        file.sync_all()?;
    }
    fs::rename(&partial, path)?;
    match path.parent() {
        Some(folder) if is_durable => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn print_facts(facts: &Facts) -> String {
    let mut workspace = String::new();
    escape(facts.workspace.as_os_str().as_bytes(), &mut workspace);
    format!(
        "bailiwick-state 1\nscene {}\nworkspace {workspace}\nsession {}\ntaken {}\nagent {}\nmethod {}\nfiles {}\nbytes {}\nmanifest {}\nend\n",
        facts.scene.name(),
        facts.session_id,
        facts.taken.unix_ms,
        facts.agent_id,
        facts.method,
        facts.files,
        facts.bytes,
        facts.manifest.hex(),
    )
}

fn parse_facts(text: &str) -> Option<Facts> {
    let mut lines = text.lines();
    let mut next = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
    if next("bailiwick-state")? != "1" {
        return None;
    }
    let facts = Facts {
        scene: Scene::from_name(&next("scene")?)?,
        workspace: PathBuf::from(OsString::from_vec(unescape(&next("workspace")?)?)),
        session_id: checked_id(&next("session")?).ok()?,
        taken: Timestamp { unix_ms: next("taken")?.parse().ok()? },
        agent_id: Token::parse(&next("agent")?).ok()?,
        method: Token::parse(&next("method")?).ok()?,
        files: next("files")?.parse().ok()?,
        bytes: next("bytes")?.parse().ok()?,
        manifest: Digest::parse(&next("manifest")?)?,
    };
    (lines.next() == Some("end") && lines.next().is_none()).then_some(facts)
}
