//! When evidence cannot be kept, nothing crosses.
use crate::agent::post;
use crate::gateway_under_test::{Gateway, openai};
use crate::upstream::{Answer, Upstream};
use std::process::Command;

const HELLO: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

fn upstream() -> Upstream {
    Upstream::answering(|_| Answer::json(r#"{"choices":[]}"#))
}

#[test]
fn a_dead_writer_stops_every_call() {
    let upstream = upstream();
    let mut gateway = Gateway::of_session(&[openai(upstream.address)]);
    gateway.lose_evidence();
    for body in [HELLO, "not even json"] {
        let reply = post(gateway.address, "/v1/chat/completions", body);
        assert_eq!(reply.status, 503);
        assert!(reply.body.contains("evidence.unavailable"), "{}", reply.body);
    }
    assert_eq!(upstream.received().len(), 0);
}

#[test]
fn an_answer_whose_outcome_cannot_be_recorded_is_withheld() {
    let (to_writer, lost) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let (told, to_writer) = (std::sync::Mutex::new(told), std::sync::Mutex::new(to_writer));
    // The upstream holds its answer until the writer is gone.
    let upstream = Upstream::answering(move |_| {
        to_writer.lock().unwrap().send(()).unwrap();
        told.lock().unwrap().recv().unwrap();
        Answer::json(r#"{"choices":[],"note":"withheld"}"#)
    });
    let mut gateway = Gateway::of_session(&[openai(upstream.address)]);
    let address = gateway.address;
    let agent = std::thread::spawn(move || post(address, "/v1/chat/completions", HELLO));
    lost.recv().unwrap();
    gateway.lose_evidence();
    tell.send(()).unwrap();
    let reply = agent.join().unwrap();
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("evidence.unavailable") && !reply.body.contains("withheld"), "{}", reply.body);
}

/// A log on a file system of a few pages, in a mount namespace of its own.
#[test]
fn a_full_disk_stops_every_call() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    let test = std::env::current_exe().unwrap();
    let script =
        format!("mount -t tmpfs -o size=32k tmpfs {place} && exec {} --ignored --exact evidence_lost::inside_a_full_disk", test.display());
    let output = Command::new("unshare").args(["-rm", "sh", "-c", &script]).env("BAILIWICK_SMALL_DISK", place).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said} {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "runs inside of a_full_disk_stops_every_call"]
fn inside_a_full_disk() {
    let place = std::env::var_os("BAILIWICK_SMALL_DISK").unwrap();
    let upstream = upstream();
    let gateway = Gateway::logging_to(&[openai(upstream.address)], &std::path::Path::new(&place).join("log"));
    let mut answered = 0;
    let refused = loop {
        let reply = post(gateway.address, "/v1/chat/completions", HELLO);
        if reply.status != 200 {
            break reply;
        }
        answered += 1;
        assert!(answered < 1000, "the disk never filled");
    };
    assert!(answered > 0 && refused.status == 503 && refused.body.contains("evidence.unavailable"), "{answered} {}", refused.body);
    let sent = upstream.received().len();
    // Once it failed it stays failed, and nothing more is sent.
    for _ in 0..3 {
        assert_eq!(post(gateway.address, "/v1/chat/completions", HELLO).status, 503);
    }
    assert_eq!(upstream.received().len(), sent);
    assert!(sent == answered || sent == answered + 1, "{sent} {answered}");
}
