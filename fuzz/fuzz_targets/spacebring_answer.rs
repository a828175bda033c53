//! Rows of Spacebring's.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::spacebring_answer(data));
