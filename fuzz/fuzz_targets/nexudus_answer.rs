//! Records of Nexudus', and what it sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::nexudus_answer(data));
