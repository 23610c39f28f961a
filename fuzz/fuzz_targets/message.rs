//! See `sandbox::hostile::message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sandbox::hostile::message(bytes));
