//! The second implementation, in Python: it accepts what this one accepts, and names the same place of the same mutation.

use crate::{
    forge::{Files, Forge, key, lay, public_key_hex},
    forgeries::opened,
    sample, vector,
};
use audit::{Reason, verify};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What the script says of each log; none if there is no Python.
fn told(logs: &[PathBuf]) -> Option<Vec<serde_json::Value>> {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3");
        return None;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/verify_log.py");
    let out = Command::new("python3").arg("-B").arg(script).args(["--key", &public_key_hex()]).args(logs).output().unwrap();
    let shown = String::from_utf8(out.stdout).unwrap();
    let told: Vec<_> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), logs.len(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(told)
}

/// Both must say the same of each log. Returns how many are verified; none if there is no Python.
fn agree(logs: &[PathBuf]) -> Option<usize> {
    let told = told(logs)?;
    let mut verified = 0;
    for (log, theirs) in logs.iter().zip(told) {
        let ours = verify(log, Some(key())).unwrap();
        verified += usize::from(ours.is_verified());
        let bad = ours.first_bad.as_ref();
        let reason = bad.map(|bad| serde_json::to_value(&bad.reason).unwrap()["code"].clone());
        let expected = (serde_json::to_value(ours.standing).unwrap(), reason, bad.map(|bad| (bad.index, bad.entries)));
        if let Some(bad) = bad.filter(|bad| bad.reason == Reason::Event && theirs["reason"] != "event") {
            // The script does not know each event's fields: it finds the hash wrong instead, and may name the batch.
            let (index, entries) = (theirs["index"].as_u64().unwrap(), theirs["entries"].as_u64().unwrap());
            assert!(theirs["standing"] == "broken" && (index..index + entries).contains(&bad.index), "{theirs} {bad:?}");
            continue;
        }
        let place = theirs.get("index").and_then(|index| Some((index.as_u64()?, theirs["entries"].as_u64()?)));
        assert_eq!((theirs["standing"].clone(), theirs.get("reason").cloned(), place), expected, "{}: {bad:?}", log.display());
    }
    Some(verified)
}

/// A log with a session's events, tiles behind it and tiles of its live part.
fn long_log() -> Forge {
    let mut forge = Forge::new();
    let mut events = sample::every_event();
    let ended = serde_json::to_string(&events.pop().unwrap()).unwrap();
    forge.events(&events);
    for size in [300, 600, 900] {
        while forge.size() < size {
            forge.unconfirmed(&opened());
        }
        forge.confirm();
        if size == 600 {
            forge.rotate();
        }
    }
    forge.derive().confirmed(&ended);
    forge
}

#[test]
fn both_accept_the_vector_and_a_log_with_tiles() {
    let forge = long_log();
    let verified = agree(&[vector::directory(), forge.path()]);
    assert!(verified.is_none_or(|verified| verified == 2));
}

#[test]
fn both_name_the_same_place_of_the_same_mutation() {
    let place = tempfile::tempdir().unwrap();
    let mut logs = Vec::new();
    let mut keep = |files: &Files| {
        let path = place.path().join(logs.len().to_string());
        lay(&path, files);
        logs.push(path);
    };
    let whole = long_log().files();
    for (name, bytes) in &whole {
        let steps = if name == "log.jsonl" { 60 } else { 5 };
        for at in (0..bytes.len()).step_by((bytes.len() / steps).max(1)) {
            let mut altered = whole.clone();
            altered.get_mut(name).unwrap()[at] ^= 1;
            keep(&altered);
        }
        let mut longer = whole.clone();
        longer.get_mut(name).unwrap().push(0);
        keep(&longer);
        if name != "log.jsonl" {
            let mut missing = whole.clone();
            missing.remove(name);
            keep(&missing);
        }
    }
    let text = whole["log.jsonl"].clone();
    for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').step_by(20) {
        for cut in [at - 5, at + 1] {
            let mut shorter = whole.clone();
            shorter.insert("log.jsonl".to_owned(), text[..cut].to_vec());
            keep(&shorter);
        }
    }
    // Only what is the same once it is decompressed may pass.
    assert!(agree(&logs).is_none_or(|verified| verified < logs.len() / 10));
}
