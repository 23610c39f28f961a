//! How fast events become durable, beside the bare device, on one file system in one run.
//!
//! `appends DIRECTORY SECONDS` prints one JSON object: bare `fdatasync` of a preallocated file, one writer, and 64 writers.
//! `appends DIRECTORY fill EVENTS` writes a log of that many events, `appends DIRECTORY search N` finds those of its Nth session.
#![expect(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement prints rates, and takes the machine's time"
)]

use evidence::{Client, Keys, Log, Selection, Writer};
use schema::{
    Clock, Event, KeyedDigest, RequestId, SessionId, Timestamp, Token,
    event::{CallCompleted, FileMode, FileOpened, Outcome, PathClass},
};
use std::{
    error::Error,
    fs::OpenOptions,
    io::Write,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

type Outcomes = Result<Vec<Duration>, Box<dyn Error + Send + Sync>>;

const WRITERS: usize = 64;
/// What a record of one event takes with its checkpoint: the device is measured with writes of the same size.
const WRITE_BYTES: usize = 800;
const ROOM_BYTES: usize = 64 * 1024 * 1024;
const BATCH: u64 = 4096;
const EVENTS_A_SESSION: u64 = 1000;

struct Machine;

impl Clock for Machine {
    fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp { unix_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// Pseudo-random bytes, so that what is compressed is as various as real digests are.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn digest(number: u64) -> KeyedDigest {
    let [a, b, c, d] = [0, 1, 2, 3].map(|part| mixed(number * 4 + part));
    KeyedDigest { key_id: Token::lossy("7d99f9abd1a5ba00"), hmac_sha256: Token::lossy(&format!("{a:016x}{b:016x}{c:016x}{d:016x}")) }
}

fn sixteen(number: u64) -> [u8; 16] {
    (u128::from(mixed(number)) << 64 | u128::from(mixed(!number))).to_be_bytes()
}

/// Three opened files, then the outcome of a call, over and over.
fn event(number: u64) -> Event {
    let session_id = SessionId::from_random(sixteen(number / EVENTS_A_SESSION));
    if number % 4 < 3 {
        let (path_class, mode) = (PathClass::Workspace, FileMode::Read);
        return Event::FileOpened(FileOpened { session_id, file_id: digest(number), path_class, mode });
    }
    Event::CallCompleted(CallCompleted {
        session_id,
        request_id: RequestId::from_random(sixteen(number)),
        outcome: Outcome::Answered,
        status: Some(200),
        tokens_in: Some(mixed(number) % 8192),
        tokens_out: Some(mixed(number) % 1024),
        answer_digest: digest(number),
        answer_bytes: mixed(number) % 65_536,
        values_restored: number % 7,
    })
}

fn log(directory: &Path) -> Result<Log, Box<dyn Error>> {
    let keys = Keys::load_or_create(&directory.join("keys"))?;
    Ok(Log::open(&directory.join("log"), keys, Arc::new(Machine))?)
}

/// Durable writes of the size of one record into room that was made before.
fn device(directory: &Path, duration: Duration) -> Outcomes {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(directory.join("device"))?;
    file.write_all(&vec![0; ROOM_BYTES])?;
    file.sync_all()?;
    let (bytes, started) = ([7; WRITE_BYTES], Instant::now());
    let mut took = Vec::new();
    while started.elapsed() < duration {
        let begun = Instant::now();
        file.write_all_at(&bytes, ((took.len() * WRITE_BYTES) % (ROOM_BYTES - WRITE_BYTES)) as u64)?;
        file.sync_data()?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

fn append(client: &Client, writer: u64, duration: Duration) -> Outcomes {
    let (mut took, started) = (Vec::new(), Instant::now());
    while started.elapsed() < duration {
        let event = event(writer << 32 | took.len() as u64);
        let begun = Instant::now();
        client.append(event)?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

/// Appends without a socket between: what the log itself takes.
fn direct(directory: &Path, duration: Duration) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut log = log(directory)?;
    let (mut took, started) = (Vec::new(), Instant::now());
    while started.elapsed() < duration {
        let event = event(took.len() as u64);
        let begun = Instant::now();
        log.append(&[event])?;
        took.push(begun.elapsed());
        log.tidy()?;
    }
    Ok(took)
}

fn together(directory: &Path, duration: Duration) -> Result<Vec<Duration>, Box<dyn Error>> {
    let handle = Writer::new(log(directory)?).run()?;
    let threads: Vec<_> = (0..WRITERS as u64)
        .map(|writer| {
            let client = handle.client();
            thread::spawn(move || append(&client, writer, duration))
        })
        .collect();
    let mut took = Vec::new();
    for thread in threads {
        took.extend(thread.join().map_err(|_| "a writer panicked")?.map_err(|error| error.to_string())?);
    }
    handle.shutdown()?;
    Ok(took)
}

fn percentiles(mut took: Vec<Duration>, duration: Duration) -> serde_json::Value {
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).map_or(0.0, |took| took.as_secs_f64() * 1e3);
    let rate = took.len() as f64 / duration.as_secs_f64();
    serde_json::json!({ "appends": took.len(), "per_second": rate.round(), "p50_ms": at(50), "p99_ms": at(99) })
}

fn fill(directory: &Path, events: u64) -> Result<(), Box<dyn Error>> {
    let mut log = log(directory)?;
    let started = Instant::now();
    while log.next_index() < events {
        let batch: Vec<Event> = (log.next_index()..events.min(log.next_index() + BATCH)).map(event).collect();
        log.append(&batch)?;
        log.tidy()?;
    }
    drop(log);
    println!("{}", serde_json::json!({ "events": events, "seconds": started.elapsed().as_secs_f64() }));
    Ok(())
}

fn search(directory: &Path, session: u64) -> Result<(), Box<dyn Error>> {
    let selection = Selection { session: Some(SessionId::from_random(sixteen(session))), ..Selection::default() };
    let started = Instant::now();
    let mut found = 0_u64;
    for record in evidence::read(&directory.join("log"))?.selected(selection) {
        record?;
        found += 1;
    }
    println!("{}", serde_json::json!({ "found": found, "ms": started.elapsed().as_secs_f64() * 1e3 }));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, rest @ ..] = arguments.as_slice() else {
        return Err("usage: appends DIRECTORY SECONDS | fill EVENTS | search N".into());
    };
    let directory = Path::new(directory);
    match rest {
        [mode, events] if mode == "fill" => fill(directory, events.parse()?),
        [mode, session] if mode == "search" => search(directory, session.parse()?),
        [seconds] => {
            let duration = Duration::from_secs(seconds.parse()?);
            let device = device(directory, duration).map_err(|error| error.to_string())?;
            let one = direct(&directory.join("one"), duration)?;
            let many = together(&directory.join("many"), duration)?;
            let result = serde_json::json!({
                "device": percentiles(device, duration),
                "one_writer": percentiles(one, duration),
                "writers_64": percentiles(many, duration),
            });
            println!("{result}");
            Ok(())
        }
        _ => Err("usage: appends DIRECTORY SECONDS | fill EVENTS | search N".into()),
    }
}
