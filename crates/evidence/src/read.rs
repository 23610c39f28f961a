use crate::{
    Error, Keys, Selection,
    line::{self, Head, Line, read_line},
    live::LOG_FILE,
    note::Checkpoint,
    tile::{self, Index, WIDTH},
    tree::{Frontier, leaf},
};
use schema::Record;
use std::{
    collections::VecDeque,
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
};

/// The lines of a live file after its head, as far as they are written whole.
#[derive(Debug)]
pub(crate) struct LiveEntries {
    path: PathBuf,
    reader: BufReader<File>,
    first: u64,
    /// Lines read.
    line: u64,
    bytes: Vec<u8>,
}

impl LiveEntries {
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] if the file does not begin as a live file.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut reader = BufReader::new(File::open(path).map_err(Error::io("open", path))?);
        let mut bytes = Vec::new();
        read_line(&mut reader, &mut bytes).map_err(Error::io("read", path))?;
        let head = Head::parse(&bytes).ok_or_else(|| Error::Damaged { path: path.to_path_buf(), line: 1 })?;
        Ok(Self { path: path.to_path_buf(), reader, first: head.first, line: 1, bytes })
    }

    /// Index of the file's first entry.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The next line. `None` at the end, before room that is still empty, and before a line that is being written.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub(crate) fn next_line(&mut self) -> Result<Option<Line<'_>>, Error> {
        self.line += 1;
        read_line(&mut self.reader, &mut self.bytes).map_err(Error::io("read", &self.path))?;
        let Some(line) = self.bytes.strip_suffix(b"\n") else {
            let unfinished = self.bytes.len() < line::LINE_BYTES_MAX || self.bytes.contains(&0);
            return if unfinished { Ok(None) } else { Err(self.damaged()) };
        };
        Line::parse(line).map(Some).ok_or_else(|| Error::Damaged { path: self.path.clone(), line: self.line })
    }

    fn damaged(&self) -> Error {
        Error::Damaged { path: self.path.clone(), line: self.line }
    }
}

/// The entries of a log, in order, as they stand: those in tiles, then those in the live file.
#[derive(Debug)]
pub(crate) struct Entries {
    directory: PathBuf,
    live: LiveEntries,
    next_index: u64,
    /// Entries of the bundle at hand.
    bundle: VecDeque<Vec<u8>>,
    entry: Vec<u8>,
    /// What is looked for, and the index at hand with the number of its first bundle.
    search: Option<(Selection, Option<(u64, Index)>)>,
}

impl Entries {
    /// Of a log, given its directory or its live file.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] if the live file does not begin as one.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let path = if path.is_dir() { path.join(LOG_FILE) } else { path.to_path_buf() };
        let live = LiveEntries::open(&path)?;
        let directory = path.parent().unwrap_or(&path).to_path_buf();
        Ok(Self { directory, live, next_index: 0, bundle: VecDeque::new(), entry: Vec::new(), search: None })
    }

    /// The next entry and its index.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`], [`Error::DamagedTile`].
    pub(crate) fn next_entry(&mut self) -> Result<Option<(u64, &[u8])>, Error> {
        if self.bundle.is_empty() {
            self.leave_out();
        }
        let index = self.next_index;
        if index < self.live.first {
            if self.bundle.is_empty() {
                self.bundle = tile::read_bundle(&self.directory, index / WIDTH as u64)?.into();
            }
            self.entry = self.bundle.pop_front().unwrap_or_default();
        } else if !self.next_live()? {
            return Ok(None);
        }
        self.next_index += 1;
        Ok(Some((index, &self.entry)))
    }

    /// Goes on to the next bundle that may hold what is looked for.
    fn leave_out(&mut self) {
        let Some((selection, at_hand)) = &mut self.search else { return };
        let width = WIDTH as u64;
        while self.next_index < self.live.first {
            let (span, place) = (self.next_index / width / width, self.next_index / width % width);
            let known = at_hand.take().filter(|(known, _)| *known == span);
            let (_, index) = at_hand.insert(known.unwrap_or_else(|| (span, Index::read(&self.directory, span))));
            if index.is_outside(selection.from, selection.to) {
                self.next_index = ((span + 1) * width * width).min(self.live.first);
                continue;
            }
            let place = usize::try_from(place).unwrap_or_default();
            if selection.session.as_ref().is_none_or(|session| index.may_tell_of(session, place)) {
                return;
            }
            self.next_index += width;
        }
    }

    fn next_live(&mut self) -> Result<bool, Error> {
        while let Some(line) = self.live.next_line()? {
            if let Line::Entry(entry) = line {
                self.entry.clear();
                self.entry.extend_from_slice(entry);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Says that the entry at `index` cannot be read.
    pub(crate) fn damaged(&self, index: u64) -> Error {
        if index < self.live.first { tile::damaged(&self.directory, index / WIDTH as u64) } else { self.live.damaged() }
    }
}

/// The records of a log, in order. Reading checks the form only, unless [`Records::checked`] asks for more.
#[derive(Debug)]
pub struct Records {
    entries: Entries,
    check: Option<(Keys, Frontier)>,
    ended: bool,
}

/// Opens a log for reading: its directory, or its live file. Does not disturb its writer.
///
/// # Errors
/// [`Error::Io`]; [`Error::Damaged`] if the live file does not begin as one.
pub fn read(path: &Path) -> Result<Records, Error> {
    Ok(Records { entries: Entries::open(path)?, check: None, ended: false })
}

/// The directories that hold a log: `directory` itself or those right below it, sorted by name.
///
/// # Errors
/// [`Error::Io`].
pub fn log_directories(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    if directory.join(LOG_FILE).is_file() {
        return Ok(vec![directory.to_path_buf()]);
    }
    let entries = std::fs::read_dir(directory).map_err(Error::io("list", directory))?;
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::io("list", directory))?.path();
        if path.join(LOG_FILE).is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

impl Records {
    /// Only the records that are chosen; what the log's index leaves out is not even read. The index is derived and not signed: an answer
    /// that others rely on comes from an export.
    pub fn selected(mut self, selection: Selection) -> impl Iterator<Item = Result<Record, Error>> {
        self.entries.search = Some((selection.clone(), None));
        self.filter(move |record| record.as_ref().map_or(true, |record| selection.picks(record)))
    }

    /// Ends with an error unless the records are those under the log's last checkpoint, and one of `keys` signed it. Whatever is done with
    /// them must wait for the end.
    #[must_use]
    pub fn checked(mut self, keys: Keys) -> Self {
        self.check = Some((keys, Frontier::default()));
        self
    }

    fn advance(&mut self) -> Result<Option<Record>, Error> {
        let Some((index, entry)) = self.entries.next_entry()? else { return self.check_all().map(|()| None) };
        if let Some((_, tree)) = &mut self.check {
            tree.append(leaf(entry));
        }
        let record = line::record(index, entry);
        record.map(Some).ok_or_else(|| self.entries.damaged(index))
    }

    fn check_all(&self) -> Result<(), Error> {
        let Some((keys, tree)) = &self.check else { return Ok(()) };
        let note = last_checkpoint(&self.entries.directory, tree.size())?;
        let signed = Checkpoint::parse(&note).is_some_and(|(checkpoint, signatures)| {
            let ours = signatures.iter().any(|signature| keys.verifies(&checkpoint, signature));
            ours && checkpoint.size == tree.size() && checkpoint.root == tree.root()
        });
        if signed { Ok(()) } else { Err(self.entries.live.damaged()) }
    }
}

/// The checkpoint over the first `size` entries, as it stands in the live file.
pub(crate) fn last_checkpoint(directory: &Path, size: u64) -> Result<String, Error> {
    let path = directory.join(LOG_FILE);
    let mut live = LiveEntries::open(&path)?;
    let mut entries = live.first();
    while let Some(line) = live.next_line()? {
        match line {
            Line::Entry(_) => entries += 1,
            Line::Checkpoint(note) if entries == size => return Ok(note),
            Line::Checkpoint(_) => {}
        }
    }
    Err(Error::Damaged { path, line: live.line })
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    /// The next record; after an error there are no more. A last line that is being written is left out.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.advance().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
