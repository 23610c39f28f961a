//! See `sandbox::hostile::report`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sandbox::hostile::report(bytes));
