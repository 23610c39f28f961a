use super::{Bundle, Index, Partial, WIDTH, bundle_bytes, bundle_path, compress, tile_path};
use crate::{
    Error, files,
    tree::{Hash, root_of},
};
use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// Most bundles that wait; a log that writes faster than its tiles are derived waits then.
const WAITING_BUNDLES_MAX: usize = 32;

enum Order {
    Derive(Bundle),
    /// Wake up: someone waits for what was derived to be made durable.
    Settle,
}

/// What the thread has come to.
struct Progress {
    /// Entries in tiles that would outlive a crash.
    durable: u64,
    /// Someone waits for durable tiles.
    is_wanted: bool,
    failure: Option<Error>,
}

/// The thread that writes tiles from bundles.
pub(crate) struct Deriver {
    orders: Option<SyncSender<Order>>,
    progress: Arc<Mutex<Progress>>,
    thread: Option<JoinHandle<()>>,
}

impl Deriver {
    /// Starts it over a log whose first `entries` entries are in tiles; `partial` are the hashes of its last tiles.
    pub(crate) fn start(directory: &Path, entries: u64, partial: Partial) -> io::Result<Self> {
        let (orders, theirs) = sync_channel(WAITING_BUNDLES_MAX);
        let progress = Arc::new(Mutex::new(Progress { durable: entries, is_wanted: false, failure: None }));
        let (bundles, index) = (entries / WIDTH as u64, Index::default());
        let work = Work { directory: directory.to_path_buf(), bundles, partial, index, unsettled: Vec::new() };
        let told = Arc::clone(&progress);
        let thread = thread::Builder::new().name("evidence-tiles".into()).spawn(move || work.run(&theirs, &told))?;
        Ok(Self { orders: Some(orders), progress, thread: Some(thread) })
    }

    /// Hands over the next full bundle.
    ///
    /// # Errors
    /// What stopped the thread.
    pub(crate) fn derive(&self, bundle: Bundle) -> Result<(), Error> {
        let sent = self.orders.as_ref().is_some_and(|orders| orders.send(Order::Derive(bundle)).is_ok());
        if sent { Ok(()) } else { Err(self.failure()) }
    }

    /// Asks for durable tiles, also while bundles wait.
    ///
    /// # Errors
    /// What stopped the thread.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        lock(&self.progress).is_wanted = true;
        match self.orders.as_ref().map(|orders| orders.try_send(Order::Settle)) {
            Some(Ok(()) | Err(TrySendError::Full(_))) => Ok(()),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(self.failure()),
        }
    }

    /// How many entries are in durable tiles.
    pub(crate) fn durable(&self) -> u64 {
        lock(&self.progress).durable
    }

    fn failure(&self) -> Error {
        lock(&self.progress).failure.take().unwrap_or(Error::Poisoned)
    }
}

impl Drop for Deriver {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // What it had not written is in the live file.
            let _ended = thread.join();
        }
    }
}

struct Work {
    directory: PathBuf,
    /// Full bundles so far.
    bundles: u64,
    partial: Partial,
    /// Of the 256 bundles that are being filled; read when the first is derived.
    index: Index,
    /// Written since the last settling.
    unsettled: Vec<PathBuf>,
}

impl Work {
    fn run(mut self, orders: &Receiver<Order>, progress: &Mutex<Progress>) {
        for order in orders {
            let done = match order {
                Order::Derive(bundle) => self.derive(&bundle),
                Order::Settle => Ok(()),
            };
            let is_wanted = std::mem::take(&mut lock(progress).is_wanted);
            let done = done.and_then(|()| if is_wanted { self.settle() } else { Ok(()) });
            if done.is_ok() && is_wanted {
                lock(progress).durable = self.bundles * WIDTH as u64;
            }
            if let Err(error) = done {
                lock(progress).failure = Some(error);
                return;
            }
        }
    }

    fn derive(&mut self, bundle: &Bundle) -> Result<(), Error> {
        let number = self.bundles;
        let path = self.directory.join(bundle_path(number));
        let compressed = compress(&bundle.entries).map_err(Error::io("compress", &path))?;
        self.write(path, &compressed)?;
        self.add_tile(0, number, &bundle.hashes)?;
        self.add_to_index(number, &bundle.entries)?;
        self.bundles += 1;
        Ok(())
    }

    fn add_to_index(&mut self, number: u64, entries: &[u8]) -> Result<(), Error> {
        let (span, place) = (number / WIDTH as u64, usize::try_from(number % WIDTH as u64).unwrap_or_default());
        if place == 0 {
            self.index = Index::default();
        } else if self.index.covered() != place {
            // The log was opened within these 256 bundles.
            self.index = Index::default();
            for earlier in span * WIDTH as u64..number {
                self.index.add(&bundle_bytes(&self.directory, earlier)?);
            }
        }
        self.index.add(entries);
        self.index.write(&self.directory, span)
    }

    /// Writes a full tile, and the one above if this fills it.
    fn add_tile(&mut self, level: u32, number: u64, hashes: &[Hash]) -> Result<(), Error> {
        self.write(self.directory.join(tile_path(level, number)), hashes.as_flattened())?;
        let above = level as usize;
        if self.partial.levels.len() <= above {
            self.partial.levels.push(Vec::new());
        }
        let Some(gathered) = self.partial.levels.get_mut(above) else { return Ok(()) };
        gathered.push(root_of(hashes));
        if gathered.len() < WIDTH {
            return Ok(());
        }
        let full = std::mem::take(gathered);
        self.add_tile(level + 1, number / WIDTH as u64, &full)
    }

    fn write(&mut self, path: PathBuf, bytes: &[u8]) -> Result<(), Error> {
        let folder = path.parent().unwrap_or(&self.directory);
        files::private_directory(folder)?;
        files::replace(&path, bytes)?;
        self.unsettled.push(path);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), Error> {
        let mut folders = BTreeSet::new();
        for path in self.unsettled.drain(..) {
            files::sync(&path)?;
            folders.extend(path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.directory)).map(Path::to_path_buf));
        }
        folders.iter().try_for_each(|folder| files::sync(folder))
    }
}

fn lock(progress: &Mutex<Progress>) -> std::sync::MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
