//! SOCKS5, as the door reads it: all at once and byte by byte come to the same.
#![no_main]

use egress::socks::{Greeting, Reading, parse_request};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _greeting = Greeting::parse(bytes);
    let whole = parse_request(bytes);
    for length in 0..bytes.len() {
        let part = &bytes[..length];
        if let Ok(Reading::Done(destination)) = parse_request(part) {
            assert!(destination.port != 0, "a port is never 0");
            assert!(!matches!(whole, Ok(Reading::Done(_))), "only one length is a request");
        }
        if matches!(whole, Ok(Reading::Done(_))) {
            assert!(matches!(parse_request(part), Ok(Reading::Partial)), "what is part of a request asks for more");
        }
    }
});
