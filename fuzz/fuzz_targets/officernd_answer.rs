//! Rows of OfficeRnD's.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::officernd_answer(data));
