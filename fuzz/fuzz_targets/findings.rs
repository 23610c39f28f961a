//! See `sandbox::hostile::findings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sandbox::hostile::findings(bytes));
