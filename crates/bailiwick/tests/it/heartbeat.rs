//! Whether the host goes on while a session does its worst: a process that wants little must get it soon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it beats.
const BEAT: Duration = Duration::from_millis(10);
/// The latest beat that is still steady, on a machine with two processors that runs other tests too.
const LATE_MAX: Duration = Duration::from_secs(2);

/// Beats until it is asked how late it ever was.
pub(crate) struct Heartbeat {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Heartbeat {
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (mut latest, mut last) = (Duration::ZERO, Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                // What a user's shell does all day: a file is made, and gone again.
                let file = tempfile::NamedTempFile::new().unwrap();
                drop(file);
                std::thread::park_timeout(BEAT);
                latest = latest.max(last.elapsed());
                last = Instant::now();
            }
            latest
        });
        Self { stop, thread }
    }

    pub(crate) fn assert_steady(self) {
        self.stop.store(true, Ordering::Relaxed);
        let latest = self.thread.join().unwrap();
        println!("the latest beat took {latest:?}");
        assert!(latest < LATE_MAX, "the host stood still for {latest:?}");
    }
}
