//! See `sandbox::hostile::settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sandbox::hostile::settings(bytes));
