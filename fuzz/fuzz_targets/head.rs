//! The head of a proxy request, as the door reads it.
#![no_main]

use egress::head::{Head, HeadKind};
use egress::host::Destination;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some(length) = Head::length(bytes) else { return };
    let head = &bytes[..length];
    let Ok(read) = Head::parse(head) else { return };
    assert!(read.destination.port != 0, "a port is never 0");
    assert!(!head.contains(&0), "a head has no zero");
    assert_eq!(read.kind == HeadKind::Connect, head.starts_with(b"CONNECT "), "a tunnel is asked for by its name");
    if read.kind == HeadKind::Connect {
        let target = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        assert_eq!(Destination::parse(target, None), Ok(read.destination), "a tunnel leads where its target says");
    }
});
