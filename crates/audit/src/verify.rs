use crate::{
    Anchors, Error, KEY_FILE, PublicKey, Reason,
    checkpoint::Anchor,
    course::{Course, Doubt, LOG_FILE, Stop},
    line::{Head, read_line},
    live::{Live, Rest},
    note::NOTE_BYTES_MAX,
    report::LOCK_FILE,
    stored, stray,
    tile::Tiles,
    tree::TILE_WIDTH,
    verification::{BadRecord, KeySource, SigningKey, Standing, Tail, Verification},
};
use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read},
    path::{Path, PathBuf},
};

/// Checkpoints that may stand beside a log: the newest as of its last rotation, and the newest with cosignatures of witnesses.
const CHECKPOINT_FILES: [&str; 2] = ["checkpoint", "checkpoint.witnessed"];

/// Checks a log, given its directory or its `log.jsonl` alone: every entry's form, hash and event, every tile and checkpoint, and what the
/// events say together. Reads it once. Without `trusted_key`, the key beside the log is used, and the result says so.
///
/// # Errors
/// If the log or the key cannot be read. A log that does not hold is a result, not an error.
pub fn verify(directory_or_file: &Path, trusted_key: Option<PublicKey>) -> Result<Verification, Error> {
    verify_against(directory_or_file, &Anchors::key(trusted_key))
}

/// As [`verify`], and the log must fit whatever else is known of it.
///
/// # Errors
/// As [`verify`].
pub fn verify_against(directory_or_file: &Path, anchors: &Anchors) -> Result<Verification, Error> {
    let is_directory = directory_or_file.is_dir();
    let file = if is_directory { directory_or_file.join(LOG_FILE) } else { directory_or_file.to_path_buf() };
    // A pipe or device could be read only once, or for ever.
    if !file.is_file() {
        return Err(Error::NoLog { path: file });
    }
    let beside = file.with_file_name(KEY_FILE);
    let (key, source) = match &anchors.key {
        Some(key) => (key.clone(), KeySource::Given),
        None if beside.is_file() => (PublicKey::read(&beside)?, KeySource::BesideLog),
        None => return Err(Error::NoKey { path: beside }),
    };
    let log = directory_or_file.to_path_buf();
    Check { directory: is_directory.then_some(directory_or_file), log, file, key, source, anchors, problem: None }.run()
}

struct Check<'a> {
    /// Where the rest of the log is, if it was given.
    directory: Option<&'a Path>,
    log: PathBuf,
    file: PathBuf,
    key: PublicKey,
    source: KeySource,
    anchors: &'a Anchors,
    /// The first thing beside the log that does not hold; it counts if nothing within it is bad.
    problem: Option<BadRecord>,
}

impl Check<'_> {
    fn run(mut self) -> Result<Verification, Error> {
        let mut reader = BufReader::with_capacity(1 << 16, File::open(&self.file).map_err(Error::io("open", &self.file))?);
        let mut line = Vec::new();
        read_line(&mut reader, &mut line).map_err(Error::io("read", &self.file))?;
        if line.iter().all(|byte| *byte == 0) {
            return Ok(self.empty());
        }
        let head = match self.head(&line) {
            Ok(head) => head,
            Err(reason) => return Ok(self.broken(None, reason)),
        };
        self.look_beside(&head.origin)?;
        let anchors = self.gather(&head.origin)?;
        let tiles = self.directory.map(Tiles::new);
        let mut course = Course::new(tiles.as_ref(), head.first, anchors, self.anchors.quorum());
        let mut walked = match &tiles {
            Some(tiles) => course.meet().and_then(|()| stored::walk(&mut course, tiles)).map(|()| None),
            None => course.meet().map(|()| None),
        };
        let beyond = self.directory.map(|directory| stray::list(directory, head.first)).transpose()?;
        if walked.is_ok() {
            let rest = Rest { path: &self.file, reader, head_bytes: line.len() as u64 };
            walked = Live::new(&mut course, tiles.as_ref(), &self.key, &head, rest).walk();
        }
        let (tail, bad) = match walked {
            Ok(tail) => (tail, self.after(&mut course, beyond.as_ref())),
            Err(Stop::Bad(bad)) => (None, Some(*bad)),
            Err(Stop::Unreadable(error)) => return Err(error),
        };
        Ok(self.finish(head, course, tail, bad))
    }

    fn head(&self, line: &[u8]) -> Result<Head, Reason> {
        let head = Head::parse(line.strip_suffix(b"\n").ok_or(Reason::NotAHead)?)?;
        if self.key.origin().is_some_and(|origin| origin != head.origin) {
            return Err(Reason::Origin);
        }
        let is_complete = head.first == 0 || self.directory.is_some();
        if head.first.is_multiple_of(TILE_WIDTH) && is_complete { Ok(head) } else { Err(Reason::First { first: head.first }) }
    }

    /// Looks at the key and the lock beside the log.
    fn look_beside(&mut self, origin: &str) -> Result<(), Error> {
        let Some(directory) = self.directory else { return Ok(()) };
        let beside = directory.join(KEY_FILE);
        if beside.is_file() {
            let fits = match PublicKey::read(&beside) {
                Ok(key) => {
                    key.is_same_key(&self.key)
                        && key.origin() == Some(origin)
                        && read_small(&beside)?.is_some_and(|bytes| is_one_line(&bytes))
                }
                Err(Error::NotAKey { .. }) => false,
                Err(error) => return Err(error),
            };
            if !fits {
                self.note(KEY_FILE, Reason::KeyBeside);
            }
        }
        if directory.join(LOCK_FILE).metadata().is_ok_and(|found| found.len() > 0) {
            self.note(LOCK_FILE, Reason::Lock);
        }
        Ok(())
    }

    /// All checkpoints that the log is held against.
    fn gather(&mut self, origin: &str) -> Result<Vec<Anchor>, Error> {
        let (mut gathered, given) = (Vec::new(), self.anchors);
        for noted in &given.checkpoints {
            match Anchor::noted(noted, origin, &self.key, &given.witnesses) {
                Ok(anchor) => gathered.push(anchor),
                Err(reason) => self.note(noted.name(), reason),
            }
        }
        for name in CHECKPOINT_FILES {
            let Some(note) = self.directory.map(|directory| read_small(&directory.join(name))).transpose()?.flatten() else { continue };
            let checked = String::from_utf8(note).map_err(|_| Reason::NotACheckpoint);
            match checked.and_then(|note| Anchor::check(&note, name.to_owned(), origin, &self.key, &given.witnesses)) {
                Ok(anchor) => gathered.push(anchor),
                Err(reason) => self.note(name, reason),
            }
        }
        Ok(gathered)
    }

    fn note(&mut self, file: &str, reason: Reason) {
        self.problem.get_or_insert(Doubt { index: 0, entries: 0 }.bad(file, reason));
    }

    /// What does not hold although every line and tile does.
    fn after(&mut self, course: &mut Course<'_>, beyond: Option<&stray::Beyond>) -> Option<BadRecord> {
        let entries = course.proven_entries();
        let stray = || Some(Doubt { index: entries, entries: 0 }.bad(beyond?.find(entries)?, Reason::StrayFile));
        course.not_reached().or_else(|| self.problem.take()).or_else(stray)
    }

    fn empty(self) -> Verification {
        match self.anchors.checkpoints.iter().max_by_key(|noted| noted.size()) {
            Some(noted) => self.broken(None, Reason::Shorter { expected: noted.size() }),
            None => self.result(None, Standing::Empty, None),
        }
    }

    fn broken(self, origin: Option<String>, reason: Reason) -> Verification {
        let bad = Doubt { index: 0, entries: 0 }.bad(LOG_FILE, reason);
        self.result(origin, Standing::Broken, Some(BadRecord { line: Some(1), offset: Some(0), ..bad }))
    }

    fn result(self, origin: Option<String>, standing: Standing, first_bad: Option<BadRecord>) -> Verification {
        Verification {
            log: self.log,
            origin,
            standing,
            key: SigningKey { public_key: self.key.to_hex(), source: self.source },
            proven: None,
            unconfirmed: None,
            witnessed: None,
            first_bad,
            meaning: crate::Meaning::default(),
        }
    }

    fn finish(self, head: Head, course: Course<'_>, tail: Option<Tail>, bad: Option<BadRecord>) -> Verification {
        let (proven, witnessed, meaning) = course.finish();
        let is_witnessed = witnessed.as_ref().is_none_or(|witnessed| witnessed.unwitnessed == 0);
        let standing = match (&bad, &tail, &proven) {
            (Some(_), _, _) => Standing::Broken,
            (None, Some(_), _) => Standing::UnconfirmedTail,
            (None, None, None) => Standing::Empty,
            (None, None, Some(_)) if is_witnessed => Standing::Verified,
            (None, None, Some(_)) => Standing::Unwitnessed,
        };
        Verification { proven, witnessed, meaning, unconfirmed: tail, ..self.result(Some(head.origin), standing, bad) }
    }
}

/// Whether bytes are one line.
fn is_one_line(bytes: &[u8]) -> bool {
    bytes.split_last().is_some_and(|(last, line)| *last == b'\n' && !line.iter().any(u8::is_ascii_whitespace))
}

/// Reads a small file beside the log, as much as a note may have and a byte more; none if it is not there.
fn read_small(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match path.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("inspect", path)(error)),
        // What is neither there as a file nor readable as one is not what it must be.
        Ok(found) if !found.is_file() => return Ok(Some(Vec::new())),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io("open", path))?;
    file.take(NOTE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(Some(bytes))
}
