//! How fast a log of a million entries is checked, and in how much memory.
//! `cargo test --release -p audit --test it -- --ignored --nocapture a_million` measures.

use crate::{
    forge::{Forge, lay, public_key_hex},
    sample,
};
use schema::{Event, RequestId, event::PathClass};
use std::{
    fs,
    process::{Command, Stdio},
    time::Instant,
};

const ENTRIES: u64 = 1_000_000;
/// What the verifier promises, on two processors.
const LEAVES_A_SECOND_MIN: u128 = 300_000;
const KIB_MAX: u64 = 100 * 1024;

/// Of ten entries seven are opened files, and one is a call with its outcome.
fn entry(number: u64) -> Event {
    let request = |number: u64| {
        let mut random = [0; 16];
        random[..8].copy_from_slice(&number.to_be_bytes());
        RequestId::from_random(random)
    };
    match number % 10 {
        3 => {
            let Event::CallAuthorised(mut event) = sample::authorised(1) else { unreachable!() };
            event.request_id = request(number / 10);
            Event::CallAuthorised(event)
        }
        4 => {
            let Event::CallCompleted(mut event) = sample::completed(1) else { unreachable!() };
            event.request_id = request(number / 10);
            Event::CallCompleted(event)
        }
        5 => sample::connection_refused(),
        _ => sample::opened(&format!("/workspace/{number}"), PathClass::Workspace),
    }
}

fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

#[test]
#[ignore = "measures; run it alone and optimised"]
fn a_million_entries_are_checked_in_seconds_and_little_memory() {
    let mut forge = Forge::new();
    forge.events(&[sample::started()]);
    while forge.size() < ENTRIES {
        forge.unconfirmed(&serde_json::to_string(&entry(forge.size())).unwrap());
        if forge.size().is_multiple_of(50_000) {
            forge.confirm().rotate();
        }
    }
    let files = forge.files();
    let bytes: usize = files.values().map(Vec::len).sum();
    let entry_bytes: usize = forge.entries.iter().map(String::len).sum();
    drop(forge);
    let place = tempfile::tempdir().unwrap();
    lay(place.path(), &files);
    drop(files);
    for round in 0..3 {
        let begun = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_bailiwick-verify"))
            .args(["--json", "--key", &public_key_hex()])
            .arg(place.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut peak = 0;
        // The last look before the end is near enough: memory only grows on the way.
        let status = loop {
            peak = peak_kib(child.id()).unwrap_or(0).max(peak);
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(2));
        };
        let milliseconds = begun.elapsed().as_millis().max(1);
        let report: serde_json::Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
        let log = &report["logs"][0];
        assert!(status.success());
        assert_eq!((&log["proven"]["entries"], &log["meaning"]["calls_completed"]), (&ENTRIES.into(), &(ENTRIES / 10).into()));
        let speed = u128::from(ENTRIES) * 1000 / milliseconds;
        println!(
            "round {round}: {speed} leaves/s, {milliseconds} ms, peak {} MiB, {} bytes an entry, {} on disk",
            peak / 1024,
            entry_bytes as u64 / ENTRIES,
            bytes as u64 / ENTRIES
        );
        assert!(peak <= KIB_MAX, "{peak} KiB");
        if round == 2 {
            assert!(speed >= LEAVES_A_SECOND_MIN, "{speed}");
        }
    }
}
