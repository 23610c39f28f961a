//! See `sandbox::hostile::call`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sandbox::hostile::call(bytes));
