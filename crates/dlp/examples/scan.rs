//! Reads lines of JSON `{"text"}` from standard input and writes `{"spans":[{start,end,label}]}` with byte offsets; with `--time` prints bytes per second.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a tool for measuring, not shipped"
)]

use std::io::{BufRead, Read, Write};

fn main() {
    let detectors = dlp::Detectors::standard();
    let mut found = Vec::new();
    if std::env::args().nth(1).as_deref() == Some("--time") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).unwrap();
        let start = std::time::Instant::now();
        detectors.find(&text, &mut found).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{} bytes, {} findings, {:.1} MB/s",
            text.len(),
            found.len(),
            f64::from(u32::try_from(text.len()).unwrap()) / seconds / 1e6
        );
        return;
    }
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        found.clear();
        detectors.find(line["text"].as_str().unwrap(), &mut found).unwrap();
        let spans: Vec<_> = found.iter().map(|f| serde_json::json!({"start": f.start, "end": f.end, "label": label(f.kind)})).collect();
        writeln!(out, "{}", serde_json::json!({ "spans": spans })).unwrap();
    }
}

fn label(kind: dlp::Kind) -> String {
    match kind {
        dlp::Kind::Email => "EMAIL_ADDRESS".into(),
        dlp::Kind::Phone => "PHONE_NUMBER".into(),
        dlp::Kind::Card => "CREDIT_CARD".into(),
        dlp::Kind::ApiKey | dlp::Kind::Secret | dlp::Kind::PrivateKey | dlp::Kind::Jwt => "SECRET".into(),
        other => other.name().to_uppercase(),
    }
}
