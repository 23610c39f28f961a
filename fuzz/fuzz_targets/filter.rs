//! See `sandbox::hostile::filter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sandbox::hostile::filter(bytes));
