//! See `sandbox::hostile::netlink_answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sandbox::hostile::netlink_answer(bytes));
